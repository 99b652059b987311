//! App and authority in one binary: no second process to run, no socket between the two.
//!
//!     cargo run -p symbolon-example-axum --bin local -- jwt     # or: session

#![expect(
    clippy::print_stdout,
    reason = "says where it is and whom to sign in as, to whoever started it"
)]

use std::env;

use anyhow::{Context, Result};
use symbolon_example_axum::{
    authority::{add_app, add_person, in_memory},
    listen, serve, shop,
};
use symbolon_guard::{Guard, Shape};
use symbolon_server::{ServerState, router};

#[tokio::main]
async fn main() -> Result<()> {
    let shape = env::args().nth(1).unwrap_or_else(|| "jwt".to_owned());
    let shape: Shape = shape.parse().context("expected `session` or `jwt`")?;

    // Two addresses, because people's browsers go to both.
    let (authority_at, authority_url) = listen("AUTHORITY_LISTEN", "localhost:7300").await?;
    let (shop_at, shop_url) = listen("LISTEN", "localhost:7310").await?;

    let authority = in_memory(&authority_url).await?;
    let secret = add_app(&authority, "shop", shape, &shop_url).await?;
    println!("authority {authority_url}");
    println!("shop {shop_url}");
    for (name, roles) in [("alice", &[][..]), ("admin", &["admin"])] {
        println!("{name} {}", add_person(&authority, name, roles).await?);
    }

    // The guard asks the authority's own router. Everything else is as over the network.
    let state = ServerState::new(authority, false)?;
    let guard = Guard::local(&state, "shop")
        .client_secret(secret)
        .public_url(&shop_url)
        .connect()
        .await?;

    let pages = symbolon_server::serve(authority_at, router(state), std::future::pending());
    tokio::select! {
        () = pages => Ok(()),
        ended = serve(shop_at, shop(&guard)) => Ok(ended?),
    }
}
