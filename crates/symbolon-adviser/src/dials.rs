//! What the adviser sets: the two dials of an app, the carrier, and what goes with them.

use std::fmt;

use serde::{Serialize, Serializer};

/// Does the credential refer to the login or state it?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// It refers to it: an opaque secret, everything else stays at the server.
    Session,
    /// It states it: a signed token.
    Jwt,
}

/// How the credential travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// In an `HttpOnly` cookie, which a browser sends by itself and shows to no script.
    Cookie,
    /// In the `Authorization` header, by a program that keeps it.
    Bearer,
}

/// How old may the knowledge be on which a yes rests? Ordered from strict to loose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// The authority is asked for each request.
    Live,
    /// Every end acknowledged longer ago than this many seconds is known.
    Within(u64),
    /// The credential is good until it ends by itself.
    UntilExpiry,
}

/// What a rule speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dial {
    /// The shape of the credential.
    Shape,
    /// How it travels.
    Carrier,
    /// How fresh a yes must be.
    Freshness,
    /// Whether single routes ask for more.
    Routes,
    /// How long an access token lasts.
    Token,
    /// How long a grant lasts.
    Lifetime,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Session => "session",
            Self::Jwt => "jwt",
        })
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cookie => "cookie",
            Self::Bearer => "bearer",
        })
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Live => f.write_str("live"),
            Self::Within(seconds) => write!(f, "within({seconds}s)"),
            Self::UntilExpiry => f.write_str("until_expiry"),
        }
    }
}

impl fmt::Display for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "shape",
            Self::Carrier => "carrier",
            Self::Freshness => "freshness",
            Self::Routes => "routes",
            Self::Token => "token",
            Self::Lifetime => "lifetime",
        })
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Carrier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Freshness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Dial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
