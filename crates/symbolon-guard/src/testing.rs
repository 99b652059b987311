//! For your own tests: an authority in memory, people who are signed in, and a guard that a test can
//! make stale. Only with the cargo feature `testing`, which belongs into `[dev-dependencies]` alone:
//!
//! ```toml
//! [dev-dependencies]
//! symbolon-guard = { version = "0.1", features = ["testing"] }
//! ```
//!
//! The guard under test is the real one, with its real layer and extractors. Only the authority behind
//! it is a small one in memory: it signs with a key of its own (ES256), keeps logins, sessions, refresh
//! tokens and a log, and answers without any socket. Time is the test's: it stands still until the
//! test lets it [pass](TestAuthority::pass), so nothing here sleeps.
//!
//! ```
//! use std::time::Duration;
//!
//! use axum::{Router, body::Body, http::Request, routing::get};
//! use symbolon_guard::{Freshness, Guard, Identity, Shape, testing::{TestAuthority, TestLogin}};
//! use tower::ServiceExt;
//!
//! // The app, as in production.
//! fn app(guard: &Guard) -> Router {
//!     Router::new()
//!         .route("/account", get(|who: Identity| async move { format!("Hello {}", who.username()) }))
//!         .route("/admin", get(async || "the console").layer(guard.require_role("admin")))
//!         .layer(guard.layer())
//! }
//!
//! # async fn story() {
//! let authority = TestAuthority::start(Shape::Jwt, Freshness::Within(Duration::from_secs(10)));
//! let guard = authority.guard().await;
//! let visit = async |path: &str, who: &TestLogin| {
//!     let request = Request::get(path).header("cookie", who.cookie()).body(Body::empty());
//!     app(&guard).oneshot(request.unwrap()).await.unwrap().status()
//! };
//!
//! // Signed in, with a role and without.
//! let alice = authority.sign_in("alice", &["admin"]);
//! let bob = authority.sign_in("bob", &[]);
//! assert_eq!(visit("/account", &bob).await, 200);
//! assert_eq!(visit("/admin", &alice).await, 200);
//! assert_eq!(visit("/admin", &bob).await, 403);
//!
//! // Ended: refused, in whichever shape.
//! authority.end(&bob).await;
//! assert_eq!(visit("/account", &bob).await, 401);
//!
//! // The authority is away: the guard carries on for its bound, and then says so. Never a yes.
//! authority.go_away();
//! assert_eq!(visit("/account", &alice).await, 200);
//! authority.pass(Duration::from_secs(11)).await;
//! assert_eq!(visit("/account", &alice).await, 503);
//! authority.come_back().await;
//! assert_eq!(visit("/account", &alice).await, 200);
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(story());
//! ```
//!
//! A handler's function alone, without a router, is tested with an [`identity`].
//!
//! Unsafe methods with a cookie have to come from the app's own pages, as in production: send the header
//! `sec-fetch-site: same-origin` with a POST, or use [`TestLogin::bearer`].

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up should fail there and then, with the reason"
)]

mod login;
mod state;
mod wire;
mod world;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use symbolon_login::{ActiveCredential, Freshness, Ground, Position, Scope, Shape, Sid, UserId};
use tokio::sync::watch;

use crate::{
    Guard, GuardBuilder, Identity, Proof, World,
    check::Seen,
    clock::Moment,
    core::Core,
    credential::{Carrier, Credential, Secret},
    cut_offs::CutOffTable,
    digest::Digests,
};

pub use login::TestLogin;

use state::{State, random};
use wire::Wire;
use world::TestWorld;

/// The client id of the app that every guard of a [`TestAuthority`] stands in front of.
pub const APP: &str = "app";

/// What a [`TestAuthority`] calls itself. Names under `.test` lead nowhere (RFC 6761 section 6.2).
pub const ISSUER: &str = "https://authority.test";

/// How long a guard gets to hear what happened, in real time. It needs about a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

/// An authority in memory, for tests. It believes whoever holds it, so it must never guard anything.
///
/// Needs a tokio runtime, as guards do. Cheap to clone; all clones are one authority.
#[derive(Clone)]
pub struct TestAuthority(Arc<Shared>);

/// What the authority shares with the transports of its guards.
struct Shared {
    state: Mutex<State>,
    /// Moves with every entry of the log, and when the authority goes away.
    changed: watch::Sender<u64>,
    world: Arc<TestWorld>,
    /// Those who have to hear of an end before a test goes on.
    guards: Mutex<Vec<Weak<Core>>>,
}

impl TestAuthority {
    /// An authority with one app, [`APP`], that has this shape and freshness and the default
    /// lifetimes: access tokens of 5 minutes, logins of 7 days without use and 30 days in any case.
    ///
    /// # Panics
    /// When the operating system gives no random numbers.
    pub fn start(shape: Shape, freshness: Freshness) -> Self {
        tracing::warn!("a test authority is in use: whoever holds it signs anybody in");
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(shape, freshness)),
            changed: watch::Sender::new(0),
            world: Arc::default(),
            guards: Mutex::default(),
        }))
    }

    /// A guard that follows this authority and has heard from it.
    ///
    /// # Panics
    /// When the authority is away.
    pub async fn guard(&self) -> Guard {
        self.guard_with(|settings| settings).await
    }

    /// A guard with settings of your own, such as a `public_url` for tests of redirects to sign-in.
    ///
    /// # Panics
    /// When a setting is wrong or the authority is away.
    pub async fn guard_with(&self, settings: impl FnOnce(GuardBuilder) -> GuardBuilder) -> Guard {
        let world: Arc<dyn World> = Arc::clone(&self.0.world) as Arc<dyn World>;
        let builder = Guard::builder(ISSUER, APP)
            .transport(Wire(Arc::clone(&self.0)))
            .dangerous_world(world);
        let guard = settings(builder).connect().await;
        let guard = guard.expect("a guard of a test authority that is not away");
        self.0.lock_guards().push(Arc::downgrade(guard.core()));
        guard
    }

    /// Signs somebody in on a new device, in the app's current shape. The same name is the same person.
    ///
    /// # Panics
    /// When a role is none (lower-case letters, digits, `-`, `_`, `.` or `:`).
    pub fn sign_in(&self, username: &str, roles: &[&str]) -> TestLogin {
        let now = self.0.world.wall();
        self.0.lock().sign_in(username, roles, now)
    }

    /// Ends one login, on all its devices' copies, and waits until every guard has heard of it. While the
    /// authority is away they cannot: then it does not wait, and they hear of it when it is back.
    ///
    /// # Panics
    /// When a guard does not hear of it.
    pub async fn end(&self, login: &TestLogin) {
        let sid = login.sid();
        self.cut_off(Scope::Login { sid }, |grant| grant.sid == sid)
            .await;
    }

    /// Ends all logins of one person; waits as [`TestAuthority::end`] does.
    ///
    /// # Panics
    /// When a guard does not hear of it.
    pub async fn end_all_of(&self, username: &str) {
        let user = self.0.lock().user(username, self.0.world.wall());
        self.cut_off(Scope::User { user }, |grant| grant.user == user)
            .await;
    }

    /// Ends every login; waits as [`TestAuthority::end`] does.
    ///
    /// # Panics
    /// When a guard does not hear of it.
    pub async fn end_everything(&self) {
        self.cut_off(Scope::Everything {}, |_| true).await;
    }

    /// Gives the app another shape; waits as [`TestAuthority::end`] does. Nobody has to sign in again: the
    /// guard exchanges what browsers hold on their next visit (see [`TestLogin::keep`]).
    ///
    /// # Panics
    /// When a guard does not hear of it.
    pub async fn flip(&self, shape: Shape) {
        let position = self.0.lock().flip(shape);
        self.0.announce();
        self.heard(position).await;
    }

    /// Cannot be reached from now on. Guards carry on for as long as their freshness allows; a request
    /// that needs an answer then waits three seconds *of the test's time*, in no time, and gets a 503.
    pub fn go_away(&self) {
        self.0.lock().go_away();
        self.0.announce();
    }

    /// Can be reached again, and every guard has caught up.
    ///
    /// # Panics
    /// When a guard does not come back.
    pub async fn come_back(&self) {
        let head = self.0.lock().come_back();
        self.0.announce();
        self.proved(head).await;
    }

    /// Lets time pass, for the authority and all its guards. Guards spend it as they would: in touch with
    /// the authority, so that they are as fresh as before, or growing stale while it is away.
    ///
    /// # Panics
    /// When a guard in touch with the authority does not prove its freshness again.
    pub async fn pass(&self, span: Duration) {
        self.0.world.pass(span);
        let (head, is_away) = {
            let state = self.0.lock();
            (state.head(), state.is_away())
        };
        if !is_away {
            self.proved(head).await;
        }
    }

    async fn cut_off(&self, covers: Scope, kills: impl Fn(&state::Grant) -> bool) {
        let position = self.0.lock().cut_off(covers, kills);
        self.0.announce();
        self.heard(position).await;
    }

    /// Waits until every guard has applied the log up to here, unless the authority is away.
    async fn heard(&self, position: Position) {
        if self.0.lock().is_away() {
            return;
        }
        for core in self.0.living_guards() {
            let heard = core.wait_until(PATIENCE, |pulse| pulse.applied >= Some(position));
            assert!(heard.await, "a guard did not hear what happened");
        }
    }

    /// Waits until every guard has proved, from now on, that it knows the log up to here.
    async fn proved(&self, head: Position) {
        for core in self.0.living_guards() {
            let now = core.clock.moment();
            core.ask_now.notify_one();
            let proved = core.wait_until(PATIENCE, |pulse| {
                let is_fresh = pulse.fresh_as_of.is_some_and(|moment| moment >= now);
                is_fresh && pulse.applied >= Some(head)
            });
            assert!(proved.await, "a guard did not prove its freshness");
        }
    }
}

impl fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAuthority").finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_guards(&self) -> MutexGuard<'_, Vec<Weak<Core>>> {
        self.guards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn living_guards(&self) -> Vec<Arc<Core>> {
        let mut guards = self.lock_guards();
        guards.retain(|core| core.strong_count() > 0);
        guards.iter().filter_map(Weak::upgrade).collect()
    }

    /// Wakes the streams, so that they bring what is new or notice that they are cut.
    fn announce(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// An identity out of nothing, to call a handler's function directly: no guard, no authority.
///
/// ```
/// use symbolon_guard::{Identity, testing::identity};
///
/// async fn greet(who: Identity) -> String {
///     format!("Hello {}", who.username())
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(greet(identity("alice", &["admin"])).await, "Hello alice");
/// # });
/// ```
///
/// # Panics
/// When a role is none (lower-case letters, digits, `-`, `_`, `.` or `:`).
pub fn identity(username: &str, roles: &[&str]) -> Identity {
    let now = TestWorld::default().wall();
    let facts = ActiveCredential {
        sub: UserId::mint(now, random()),
        username: username.to_owned(),
        sid: Sid::mint(now, random()),
        client_id: APP.parse().expect("a client id"),
        rev: Position::new(1, 0),
        as_of: None,
        kid: None,
        shape: Shape::Session,
        iat: now.as_secs(),
        exp: now.as_secs().saturating_add(300),
        auth_time: now.as_secs(),
        amr: vec!["pwd".to_owned()],
        roles: state::roles(roles),
    };
    let proof = Proof {
        ground: Ground::Local,
        staleness: Duration::ZERO,
    };
    let secret = Secret::new("a credential of a test".to_owned());
    let digests = Digests::secret().expect("random numbers");
    let credential = Credential::of(Shape::Session, secret, &digests);
    let table = CutOffTable::default();
    let seen = Seen::establish(credential.key, facts, None, 0, Moment::default(), &table);
    Identity::new(
        Arc::new(seen),
        proof,
        Carrier::Bearer,
        credential.into_held(),
    )
}

#[cfg(test)]
mod tests;
