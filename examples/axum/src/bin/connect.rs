//! An app and its guard, against an authority on another machine (or in another terminal).
//!
//!     cargo run -- serve
//!     cargo run -- app add shop --shape jwt --redirect-uri http://localhost:7310/auth/callback
//!     CLIENT_SECRET=... cargo run -p symbolon-example-axum --bin connect

#![expect(
    clippy::print_stdout,
    reason = "says where it is, to whoever started it"
)]

use std::env;

use anyhow::{Context, Result};
use symbolon_example_axum::{listen, serve, setting, shop};
use symbolon_guard::Guard;

#[tokio::main]
async fn main() -> Result<()> {
    let (listener, url) = listen("LISTEN", "localhost:7310").await?;
    let authority = setting("AUTHORITY", "http://localhost:7300");
    let secret = env::var("CLIENT_SECRET").context("CLIENT_SECRET: `symbolon app add` shows it")?;

    // Waits until the guard knows who is signed in no more, and has proved how fresh that is.
    let guard = Guard::builder(authority, setting("CLIENT_ID", "shop"))
        .client_secret(secret)
        .public_url(&url)
        .connect()
        .await?;

    println!("shop {url}");
    Ok(serve(listener, shop(&guard)).await?)
}
