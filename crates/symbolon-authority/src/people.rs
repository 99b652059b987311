//! Who has an account, and what the authority keeps of their password.

use serde::{Deserialize, Serialize};
use symbolon_login::{Identifier, LoginPolicy, Role, UnixMillis, UserId};
use zeroize::Zeroizing;

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// Never reassigned.
    pub id: UserId,
    /// What they type to say who they are.
    pub identifier: Identifier,
    /// What they may do.
    pub roles: Vec<Role>,
    /// What their logins are held to.
    pub policy: LoginPolicy,
    /// When the account was made.
    pub created_at: UnixMillis,
    /// When it was disabled, if it is.
    pub disabled_at: Option<UnixMillis>,
}

impl User {
    /// Whether they may run the authority.
    pub fn is_admin(&self) -> bool {
        Self::runs_authority(&self.roles)
    }

    /// Whether somebody with these roles may run the authority.
    pub fn runs_authority(roles: &[Role]) -> bool {
        roles.iter().any(|role| role.as_str() == Role::ADMIN)
    }
}

/// An Argon2id hash in PHC string format. No Debug, no Serialize, no `==`.
#[derive(Clone)]
pub struct PasswordHash(Zeroizing<String>);

impl PasswordHash {
    /// The text of a hash, as a store keeps it.
    pub fn from_phc(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text, for the column of a store.
    pub fn expose(&self) -> &str {
        &self.0
    }
}
