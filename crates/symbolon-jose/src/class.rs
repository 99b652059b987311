//! Token classes: what kind of token this is, fixed by a type.
//!
//! A verifier that takes any kind of token takes an ID token for an access token (RFC 8725 section
//! 2.8). Here the kind is a type parameter: it fixes the header's `typ`, the claims that must be
//! there, the longest life and the Rust type of the claims. Nothing in the token chooses.

mod access;
mod audience;
mod event;
mod id;
mod logout;
mod plain;

pub use access::{AccessClaims, AccessToken};
pub use audience::Audience;
pub use event::{SecurityEventClaims, SecurityEventToken};
pub use id::{IdClaims, IdToken};
pub use logout::{BACKCHANNEL_LOGOUT_EVENT, LogoutClaims, LogoutToken};
pub use plain::Jwt;

use serde::Deserialize;

use crate::error::Refused;
use crate::expect::Expect;

/// A kind of token.
///
/// Implement it for your own kinds; for other people's JWTs without a kind there is [`Jwt`].
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use symbolon_jose::{Lifetime, TokenClass, Typ};
///
/// /// A link to download one file, good for ten minutes.
/// struct DownloadLink;
///
/// #[derive(Serialize, Deserialize)]
/// struct DownloadClaims<'a> {
///     iss: &'a str,
///     aud: &'a str,
///     exp: i64,
///     iat: i64,
///     file: &'a str,
/// }
///
/// impl TokenClass for DownloadLink {
///     type Claims<'a> = DownloadClaims<'a>;
///     const TYP: Typ = Typ::Exactly("download+jwt");
///     const LIFETIME: Lifetime = Lifetime::Expires { longest: 600 };
/// }
/// ```
pub trait TokenClass {
    /// The claims as a Rust type. It may borrow from the token, which then costs no allocation;
    /// use `Cow<str>` where a value may come with escapes.
    type Claims<'a>: Deserialize<'a>;

    /// What the header's `typ` must be.
    const TYP: Typ;

    /// How a token of this kind ends.
    const LIFETIME: Lifetime;

    /// Claims that must be there and not null, beside `iss`, `aud` and what [`Self::LIFETIME`]
    /// and the fields of [`Self::Claims`] ask for.
    const REQUIRED: &'static [&'static str] = &[];

    /// Claims that must not be there.
    const FORBIDDEN: &'static [&'static str] = &[];

    /// Rules beyond names and times, called last.
    fn check(claims: &Self::Claims<'_>, expect: &Expect<'_>) -> Result<(), Refused> {
        let _ = (claims, expect);
        Ok(())
    }
}

/// What the header's `typ` must be (RFC 8725 section 3.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typ {
    /// Exactly this media type, with or without `application/` before it, in this case.
    Exactly(&'static str),
    /// Absent or `JWT`, as before explicit typing. Anything else is another kind of token.
    Plain,
}

impl Typ {
    /// Whether a header with this `typ` is of this kind.
    pub fn accepts(self, typ: Option<&str>) -> bool {
        match (self, typ) {
            (Self::Exactly(wanted), Some(typ)) => {
                typ.strip_prefix("application/").unwrap_or(typ) == wanted
            }
            (Self::Exactly(_), None) => false,
            // RFC 7519 section 5.1 recommends upper case; some issuers write it small.
            (Self::Plain, Some(typ)) => {
                let typ = typ.strip_prefix("application/").unwrap_or(typ);
                typ.eq_ignore_ascii_case("JWT")
            }
            (Self::Plain, None) => true,
        }
    }

    /// What is written in headers of this kind.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exactly(typ) => typ,
            Self::Plain => "JWT",
        }
    }
}

/// How a token of a kind ends. All durations in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `exp` is required; it may lie at most `longest` after `iat` (after now, if `iat` is absent).
    Expires {
        /// Longest life; `u64::MAX` for no bound.
        longest: u64,
    },
    /// `iat` is required and may lie at most `longest` in the past; `exp` counts if it is there.
    Fresh {
        /// Greatest age.
        longest: u64,
    },
}
