//! The ID token (OpenID Connect Core 1.0 section 2).

use serde::{Deserialize, Serialize};

use super::{Audience, Lifetime, TokenClass, Typ};
use crate::error::{Refused, Why};
use crate::expect::Expect;

/// The class of ID tokens: `typ` is `JWT` or absent, so no other class of this crate takes one.
#[derive(Debug, Clone, Copy)]
pub struct IdToken;

impl TokenClass for IdToken {
    type Claims<'a> = IdClaims;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 86_400 };
    const REQUIRED: &'static [&'static str] = &["sub", "iat"];
    // A token that carries a logout or another event is not an ID token
    // (OpenID Connect Back-Channel Logout 1.0 section 2.4, RFC 8417 section 4.5).
    const FORBIDDEN: &'static [&'static str] = &["events"];

    fn check(claims: &IdClaims, expect: &Expect<'_>) -> Result<(), Refused> {
        // Core 3.1.3.7, steps 4 and 5: with several audiences the party it was issued to must be
        // named, and a named party must be us.
        let several = claims.aud.iter().count() > 1;
        match &claims.azp {
            None if several => Err(Refused::new("azp", Why::Missing)),
            Some(azp) if !expect.is_audience(azp) => Err(Refused::new("azp", Why::Unexpected)),
            _ => Ok(()),
        }
    }
}

/// What an ID token states. Times are whole unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdClaims {
    /// The provider.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// The client, and whoever else.
    pub aud: Audience<'static>,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// When the person last proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The value that the client sent with its request; see [`IdClaims::answers`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How strongly the person proved who they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// By which means (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The party it was issued to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// The login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Hash of the access token issued beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// Hash of the code issued beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_hash: Option<String>,
    /// The person's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name that the person likes to go by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// The person's mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the provider checked that address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
}

impl IdClaims {
    /// Refuses an ID token that does not answer the request in which `nonce` was sent.
    pub fn answers(&self, nonce: &str) -> Result<(), Refused> {
        match &self.nonce {
            None => Err(Refused::new("nonce", Why::Missing)),
            Some(answer) if answer != nonce => Err(Refused::new("nonce", Why::Unexpected)),
            Some(_) => Ok(()),
        }
    }
}
