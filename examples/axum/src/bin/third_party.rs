//! An API that takes the access tokens of somebody else's issuer: a company's identity provider, say.
//!
//!     ISSUER=https://accounts.example.com AUDIENCE=https://api.example.org \
//!         cargo run -p symbolon-example-axum --bin third_party
//!
//! Nobody can end such a token before it expires, so its bearer is a [`ThirdPartyIdentity`] and never an
//! [`Identity`](symbolon_guard::Identity): what must stop at once belongs behind a guard.

#![expect(
    clippy::print_stdout,
    reason = "says where it is, to whoever started it"
)]

use std::env;

use anyhow::{Context, Result};
use axum::{Router, http::StatusCode, routing::get};
use symbolon_example_axum::{listen, serve};
use symbolon_guard::{ThirdParty, ThirdPartyIdentity};

#[tokio::main]
async fn main() -> Result<()> {
    let (listener, url) = listen("LISTEN", "localhost:7311").await?;

    // Finds the issuer's keys by discovery, and keeps them fresh in the background.
    let company = ThirdParty::builder(env::var("ISSUER").context("ISSUER: as in `iss`")?)
        .audience(env::var("AUDIENCE").context("AUDIENCE: what the issuer calls this API")?)
        .connect()
        .await?;

    let app = Router::new()
        .route("/", get(anybody))
        .route("/orders", get(orders))
        .route("/invoices", get(invoices))
        .layer(company.layer());

    println!("api {url}");
    Ok(serve(listener, app).await?)
}

async fn anybody(who: Option<ThirdPartyIdentity>) -> &'static str {
    match who {
        Some(_) => "known",
        None => "unknown",
    }
}

/// Only with a good token: others get a 401. A subject means somebody only together with its issuer.
async fn orders(who: ThirdPartyIdentity) -> String {
    format!("orders of {} at {}", who.subject(), who.issuer())
}

/// What the token states beyond that is the issuer's own affair, such as its scopes.
async fn invoices(who: ThirdPartyIdentity) -> Result<&'static str, StatusCode> {
    if who.has_scope("invoices:read") {
        Ok("invoices")
    } else {
        Err(StatusCode::FORBIDDEN)
    }
}
