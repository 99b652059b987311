//! Who is calling? A guard stands in front of an app's routes and turns a credential into an
//! [`Identity`] or a refusal.
//!
//! A credential is a session secret or a signed token (JWT), in the app's cookie or in the
//! `Authorization` header. The guard checks both on the spot, without asking anyone, and knows how
//! old its knowledge can be: it follows the authority's revocation log, and proves every 250 ms that it
//! has all of it. After a revocation is acknowledged, no guard says yes to what it killed later than
//! the freshness bound of the route. A guard that cannot prove it is that fresh asks the
//! authority; if it cannot reach it, it answers 503, never yes.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use symbolon_guard::{Freshness, Guard, Identity};
//!
//! # async fn app() -> Result<(), Box<dyn std::error::Error>> {
//! let guard = Guard::builder("http://localhost:7300", "dashboard")
//!     .client_secret("the secret that the authority showed once")
//!     .public_url("http://localhost:7302")
//!     .connect()
//!     .await?;
//!
//! let app: Router = Router::new()
//!     // Only for signed-in people: others are sent to sign in, programs get a 401.
//!     .route("/account", get(|who: Identity| async move { format!("Hello {}", who.username()) }))
//!     // Asks the authority for each request: nothing is fresher.
//!     .route(
//!         "/transfer",
//!         get(|who: Identity| async move { who.user().to_string() })
//!             .layer(guard.layer().freshness(Freshness::Live)),
//!     )
//!     // For everybody, and a little different for those who are signed in.
//!     .route("/", get(|who: Option<Identity>| async move { format!("{}", who.is_some()) }))
//!     .layer(guard.layer());
//! # let _ = app;
//! # Ok(())
//! # }
//! ```
//!
//! To test such an app without a server there is the module `testing` (cargo feature `testing`, for
//! `[dev-dependencies]` only). Tokens of somebody else's issuer are checked by a [`ThirdParty`].

mod around;
mod authority;
mod backoff;
mod cache;
mod check;
mod checked;
mod clock;
mod cookies;
mod core;
mod credential;
mod csrf;
mod cut_offs;
mod digest;
mod extract;
mod fault;
mod flight;
mod follower;
mod guard;
mod identity;
#[cfg(any(test, feature = "internals"))]
#[doc(hidden)]
pub mod internals;
mod keys;
mod knowledge;
mod last_shown;
mod layer;
mod lease;
mod local_path;
mod metrics;
mod nodes;
mod open_answers;
mod own_route;
mod recent;
mod refusal;
mod renew;
mod resolve;
mod response;
mod response_future;
mod sign_in;
mod sign_out;
mod sse;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod third_party;
mod transport;
mod tunnel;
mod view;
mod visit;
mod watched;

pub use around::GuardMakeService;
pub use check::{Proof, Reason};
pub use clock::World;
pub use credential::Carrier;
pub use extract::Live;
#[cfg(any(test, feature = "simulation"))]
pub use fault::Fault;
pub use guard::{ConnectError, Guard, GuardBuilder, Status};
pub use identity::{CredentialView, Identity};
pub use layer::{GuardLayer, GuardService};
pub use refusal::{Refusal, Refused};
pub use response_future::ResponseFuture;
pub use symbolon_jose::Algorithm;
pub use symbolon_login::{
    ClientId, Freshness, Ground, Position, Role, Shape, Sid, UnixMillis, UserId,
};
pub use third_party::{
    ThirdParty, ThirdPartyBuilder, ThirdPartyError, ThirdPartyIdentity, ThirdPartyLayer,
    ThirdPartyRefusal, ThirdPartyService, ThirdPartyStatus, ThirdPartyTokens,
};
pub use transport::{LocalAuthority, Transport, Undelivered};
