//! What the stories need from the outside, cut by durability.
//!
//! Every method is one atomic verb: a store decides the race and names the outcome. Stores hold no
//! rules of their own; where a verb needs one (does this secret still redeem?) it calls the pure
//! function of `symbolon-login` inside its transaction. "Acknowledged" (the future has resolved)
//! means on disk.

mod directory;
mod limits;
mod logins;
mod once;
mod world;

pub use directory::{AddApp, AddUser, AppChange, ChangeKeys, Directory, KeyChange, StoredKey};
pub use limits::{Counted, Limits};
pub use logins::{
    Advance, Ended, Join, LogSnapshot, LoginWithGrants, Logins, NewGrant, Open, Standpoint, Tail,
    Terms,
};
pub use once::{Once, Purpose, Take};
pub use symbolon_login::Presented;
pub use world::{NoRandomness, World};

/// A store could not do its work. Never the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It may work again later: the disk is full or read-only, the server is away, too many wait.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// What is stored contradicts itself: a damaged file, or a row that no version of this program writes.
    #[error("the store is damaged: {0}")]
    Damaged(String),
}
