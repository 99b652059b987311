//! A small shop behind a guard: the app of the examples `connect` and `local`, tested in `tests/testing.rs`.
//!
//! Who may do what is said where the routes are: in a handler's signature, or in a layer around it.

pub mod authority;

use std::{env, io, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};
use symbolon_guard::{Guard, Identity, Live};
use tokio::net::TcpListener;

/// The shop's routes.
pub fn shop(guard: &Guard) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/account", get(account))
        .route("/orders", post(order))
        // A layer is for what the handler itself need not know.
        .route("/stock", get(stock).layer(guard.require_role("admin")))
        .route(
            "/address",
            post(change_address).layer(guard.require_fresh_login(Duration::from_secs(300))),
        )
        // Around everything: finds out who is calling, and serves /auth/sign-in, /auth/callback, /auth/sign-out.
        .layer(guard.layer())
}

/// For everybody, and a little different for those who are signed in.
async fn front_page(who: Option<Identity>) -> String {
    match who {
        Some(who) => format!("Welcome back, {}", who.username()),
        None => "Welcome".to_owned(),
    }
}

/// Only for signed-in people: browsers of others are sent to sign in, programs get a 401.
async fn account(who: Identity) -> String {
    format!("The account of {} ({})", who.username(), who.user())
}

/// Costs money: the authority is asked for each request, whatever the app's freshness is.
async fn order(who: Live<Identity>) -> String {
    format!("Ordered by {}", who.username())
}

/// Only for people with a role: others get a 403.
async fn stock() -> &'static str {
    "Seven amphorae"
}

/// Only for people who proved who they are within the last five minutes: others sign in again first.
async fn change_address(who: Identity) -> String {
    format!("Parcels of {} go elsewhere now", who.username())
}

/// Serves an app until the process ends.
///
/// # Errors
/// When the socket breaks.
#[expect(
    clippy::disallowed_methods,
    reason = "what every axum app begins with. It lets clients send their header as slowly as they like: in \
              production stand behind a proxy that does not, or use symbolon_server::serve"
)]
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    axum::serve(listener, app).await
}

/// A setting from the environment, or what it is without.
pub fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

/// Listens where a setting says; with the URL by which browsers on this machine come.
///
/// # Errors
/// When nothing can listen there.
pub async fn listen(name: &str, default: &str) -> anyhow::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(setting(name, default)).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    Ok((listener, url))
}
