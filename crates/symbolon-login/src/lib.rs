//! What a login is and when it is over.
//!
//! One **login** is one person signed in on one device. Each app has a **grant** in it, proven by a
//! credential in one of two shapes ([`Shape`]). A credential is dead when a **cut-off** of the
//! revocation log covers it: [`CutOffs::kills`] is that one rule. How old a guard's knowledge may be
//! when it says yes is a [`Freshness`].
//!
//! Everything here is pure: no clock, no randomness, no input or output. Time comes in as
//! [`UnixMillis`], randomness as arrays of bytes.
//!
//! ```
//! use symbolon_login::{CutOff, CutOffs, Position, Scope, Sid, Subject, UnixMillis, UserId, ClientId};
//!
//! let now = UnixMillis::from_millis(1_800_000_000_000);
//! let (user, sid) = (UserId::mint(now, [1; 10]), Sid::mint(now, [2; 10]));
//! let client_id: ClientId = "dashboard".parse()?;
//! let grant = Subject { user, sid, client_id: &client_id, key: None, rev: Position::new(1, 41) };
//!
//! let mut known = CutOffs::default();
//! assert!(known.kills(&grant).is_none());
//! known.insert(&CutOff { position: Position::new(1, 42), scope: Scope::User { user } });
//! assert!(known.kills(&grant).is_some());
//! # Ok::<(), symbolon_login::BadId>(())
//! ```

mod admission;
mod attempts;
mod cut_off;
mod feed;
mod freshness;
mod identifier;
mod ids;
mod introspection;
mod policy;
mod position;
mod presentation;
mod record;
mod rules;
mod secret;
mod time;

pub use admission::{Admission, AtLimit, LoginLimit, UnknownAtLimit, admit};
pub use attempts::AttemptLimit;
pub use cut_off::{CutOff, CutOffs, Scope, Subject};
pub use feed::{Change, Head, LogEntry, LogWalk, Snapshot};
pub use freshness::{BadFreshness, Freshness, Ground};
pub use identifier::{BadIdentifier, Identifier};
pub use ids::{BadId, ClientId, GrantId, KeyId, Role, Sid, UserId};
pub use introspection::{ActiveCredential, Introspection};
pub use policy::{BadLoginPolicy, LoginDefaults, LoginPolicy, LoginSpan, login_span};
pub use position::{BadPosition, Position};
pub use presentation::{Presented, SEEN_EVERY, Verdict};
pub use record::{Grant, Line, Login, Shape, UnknownShape};
pub use rules::{AppSettings, BadLifetimes, Lifetimes, Redemption, Standing, redeem, standing};
pub use secret::{BadSecret, Digest, OpaqueSecret, SecretKeys, SecretKind};
pub use time::UnixMillis;
