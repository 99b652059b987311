//! The authority over HTTP: pages, JSON API, OAuth, feed.
//!
//! HTTP in, one story of [`symbolon_authority::Authority`], HTTP out. Handlers hold no policy. Every
//! URL is in one place: `routes.rs`.
//!
//! [`router`] mounts in any axum application; [`serve`] is a server for it (and for any other axum
//! router) that cuts slow clients off and ends gracefully.
//!
//! ```no_run
//! # async fn example(authority: std::sync::Arc<symbolon_authority::Authority>)
//! #     -> Result<(), Box<dyn std::error::Error>> {
//! use symbolon_server::{ServerState, router, serve};
//!
//! let state = ServerState::new(authority, false)?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:7300").await?;
//! serve(listener, router(state), async {
//!     // Serve until Ctrl-C.
//!     let _ = tokio::signal::ctrl_c().await;
//! })
//! .await;
//! # Ok(())
//! # }
//! ```

mod advice;
mod answer;
mod api;
mod board;
mod body;
mod caller;
mod cookies;
mod csrf;
mod feed;
mod health;
mod middleware;
mod oauth;
mod pages;
mod problem;
mod public_url;
mod routes;
mod serve;
mod state;

pub use public_url::{BadPublicUrl, PublicUrl};
pub use routes::{operator_router, router};
pub use serve::{Listener, Peer, serve, serve_each, serve_operator};
pub use state::ServerState;
// Whoever builds a server needs these, in the very versions that it was built with.
pub use symbolon_authority as authority;
pub use symbolon_jose as jose;
pub use symbolon_login as login;
