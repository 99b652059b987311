//! The stories of a login: sign in, authorize, use, refresh, sign out, end others.
//!
//! [`Authority`] has one method for each story, one file for each theme. Stories hold no HTTP and no
//! SQL: the outside comes in through [`ports`], decided races come back as named outcomes. Time and
//! randomness come from [`ports::World`].
//!
//! Whoever calls a story shows first who they are: [`Known`] is the proof of a good credential,
//! [`Admin`] the proof that somebody may run the authority. Neither can be made up.

mod admin;
mod apps;
mod authority;
mod authorize;
mod credential;
mod end;
mod key_ring;
mod log;
mod passwords;
mod people;
pub mod ports;
mod refresh;
mod registry;
mod rotate;
mod set_up;
mod sign_in;
mod step_up;
mod tokens;
mod users;
mod vault;
mod who;

pub use admin::Admin;
pub use apps::{App, BadRedirectUri, RedirectUri};
pub use authority::{Authority, Failure, Ports, Settings, StartError};
pub use authorize::{Authorized, CodeChallenge, CodeRedemption, CodeRequest, Redeemed};
pub use credential::{Credential, Issued};
pub use key_ring::OpenKeysError;
pub use log::Swept;
pub use passwords::{BadNewPassword, Busy, NewPassword, Password, Passwords};
pub use people::{PasswordHash, User};
pub use registry::{AddedApp, ChangedApp, NewApp};
pub use rotate::{KeyRules, KeyStage, KeyState, RevokedKey, RotatedKeys};
pub use set_up::SetUp;
pub use sign_in::{Attempt, FullHouse, SignIn};
pub use step_up::ProofAsked;
pub use users::{AddedUser, ChangedRoles, DisabledUser, NewUser};
pub use vault::RootSecret;
pub use who::Known;
