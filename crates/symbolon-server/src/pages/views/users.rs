//! The list of users, and the form of a new one.

use askama::Template;
use symbolon_authority::User;

use super::user::role_name;
use crate::pages::{moment::Moment, page::Page, words::Words};

/// A page of the list.
#[derive(Template)]
#[template(path = "users.html")]
pub(crate) struct UsersPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    /// The beginning of an identifier that was asked for.
    pub(crate) query: String,
    pub(crate) users: Vec<UserRow>,
    /// Where the list goes on.
    pub(crate) next: Option<String>,
    /// Whether this is not its first page.
    pub(crate) later: bool,
    pub(crate) form: UserForm,
}

/// A row of the list.
#[derive(Clone, Debug)]
pub(crate) struct UserRow {
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) roles: Vec<String>,
    pub(crate) disabled: bool,
    pub(crate) created: Moment,
}

impl UserRow {
    /// The row of `user`.
    pub(crate) fn new(t: Words, user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            identifier: user.identifier.to_string(),
            roles: user.roles.iter().map(|role| role_name(t, role)).collect(),
            disabled: user.disabled_at.is_some(),
            created: user.created_at.into(),
        }
    }
}

/// What was typed for a new user, but for the password.
#[derive(Clone, Debug, Default)]
pub(crate) struct UserForm {
    pub(crate) identifier: String,
    pub(crate) admin: bool,
    /// What was wrong with it.
    pub(crate) bad: Option<BadUser>,
}

/// Why a new account was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadUser {
    /// No user name or mail address.
    Identifier,
    /// The password is too short.
    PasswordShort,
    /// The password is too long.
    PasswordLong,
    /// Somebody has that identifier.
    Taken,
}

impl BadUser {
    /// The sentence.
    pub(crate) fn text(self, t: Words) -> String {
        match self {
            Self::Identifier => t.bad_identifier(),
            Self::PasswordShort => t.bad_password_short(),
            Self::PasswordLong => t.bad_password_long(),
            Self::Taken => t.identifier_taken(),
        }
    }

    /// Whether it is about the identifier, not the password.
    pub(crate) fn about_identifier(self) -> bool {
        matches!(self, Self::Identifier | Self::Taken)
    }
}
