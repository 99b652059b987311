//! The login record: one login, its grants, and the line of secrets that proves each grant.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{ClientId, Digest, GrantId, Position, Sid, Subject, UnixMillis, UserId};

/// The first dial: how a credential shows the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Refers to it: an opaque secret, everything else stays with the authority.
    Session,
    /// States it: a signed access token, kept going by a rotating refresh token.
    Jwt,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session",
            Self::Jwt => "jwt",
        })
    }
}

/// The text is no shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a shape: expected session or jwt")]
pub struct UnknownShape;

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(text: &str) -> Result<Self, UnknownShape> {
        match text {
            "session" => Ok(Self::Session),
            "jwt" => Ok(Self::Jwt),
            _ => Err(UnknownShape),
        }
    }
}

/// One person signed in on one device, from sign-in until it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Its public handle.
    pub sid: Sid,
    /// Whose it is.
    pub user: UserId,
    /// When the person proved who they are (the claim `auth_time`).
    pub authenticated_at: UnixMillis,
    /// How (RFC 8176 values, for example `pwd`).
    pub methods: Vec<String>,
    /// What the person's list of devices calls it: a shortened `User-Agent`.
    pub device: Option<String>,
    /// When it ends by itself, whatever happens (the absolute lifetime).
    pub expires_at: UnixMillis,
    /// How long it lasts without use, where that is less than its apps allow.
    pub idle: Option<Duration>,
    /// Whether the person asked to be remembered on this device: its cookies outlive the browser.
    pub remembered: bool,
    /// When it was ended, if it was.
    pub ended_at: Option<UnixMillis>,
}

/// One app's share in a login.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its row.
    pub id: GrantId,
    /// Its login.
    pub sid: Sid,
    /// Its app.
    pub client_id: ClientId,
    /// The log position at its creation, read in the same transaction. Cut-offs after it kill it.
    pub rev: Position,
    /// When it was made.
    pub opened_at: UnixMillis,
    /// When its credential was last seen by the authority; written at most once a minute.
    pub used_at: UnixMillis,
    /// The line of secrets that proves it.
    pub line: Line,
    /// When it was ended, if it was ended alone.
    pub ended_at: Option<UnixMillis>,
}

/// Where a grant's line of opaque secrets stands.
#[derive(Clone, Debug)]
pub struct Line {
    /// The generation of the one valid secret.
    pub generation: u32,
    /// Its digest.
    pub digest: Digest,
    /// When it replaced the one before it (or was first issued).
    pub moved_at: UnixMillis,
}

impl Grant {
    /// What decides whether a cut-off kills it. The key is the one that signed the credential at
    /// hand, none for an opaque secret.
    pub fn subject(&self, user: UserId) -> Subject<'_> {
        Subject {
            user,
            sid: self.sid,
            client_id: &self.client_id,
            key: None,
            rev: self.rev,
        }
    }
}
