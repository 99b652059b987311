//! Proof that somebody may run the authority.

use std::fmt;

use symbolon_login::UserId;

use crate::Known;

/// Somebody who may run the authority. Stories that need one ask for it: forgetting the check does
/// not compile.
pub struct Admin(Who);

enum Who {
    Person(UserId),
    Operator,
}

impl Admin {
    /// The proof for a person who shows a good credential and has the role.
    pub fn check(who: &Known) -> Option<Self> {
        who.user
            .is_admin()
            .then_some(Self(Who::Person(who.user.id)))
    }

    /// The proof for whoever owns the process and its data directory: the command line.
    ///
    /// To be called only where the operating system has checked that (a socket that its owner alone
    /// may open, or the data directory itself).
    pub const fn operator() -> Self {
        Self(Who::Operator)
    }

    /// The person, unless it is the operator.
    pub const fn user(&self) -> Option<UserId> {
        match self.0 {
            Who::Person(user) => Some(user),
            Who::Operator => None,
        }
    }
}

impl fmt::Display for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Who::Person(user) => user.fmt(f),
            Who::Operator => f.write_str("operator"),
        }
    }
}
