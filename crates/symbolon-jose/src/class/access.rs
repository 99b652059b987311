//! The access token (RFC 9068), with the claims that tie it to its login.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::audience::{Audience, borrowed_list, borrowed_option, owned_list};
use super::{Lifetime, TokenClass, Typ};
use crate::token::Verified;

/// The class of access tokens: `typ` is `at+jwt`, life at most a day.
#[derive(Debug, Clone, Copy)]
pub struct AccessToken;

impl TokenClass for AccessToken {
    type Claims<'a> = AccessClaims<'a>;
    const TYP: Typ = Typ::Exactly("at+jwt");
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 86_400 };
    const REQUIRED: &'static [&'static str] = &["sub", "iat", "jti"];
}

/// What an access token states. Times are whole unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims<'a> {
    /// The authority that issued it.
    #[serde(borrow)]
    pub iss: Cow<'a, str>,
    /// The user.
    #[serde(borrow)]
    pub sub: Cow<'a, str>,
    /// The resource servers it is for.
    #[serde(borrow, deserialize_with = "Audience::borrowed")]
    pub aud: Audience<'a>,
    /// When it ends.
    pub exp: i64,
    /// When it was issued.
    pub iat: i64,
    /// Its own name.
    #[serde(borrow)]
    pub jti: Cow<'a, str>,
    /// What the user is called, for showing only: names change hands, `sub` does not (OpenID
    /// Connect Core section 5.1).
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub preferred_username: Option<Cow<'a, str>>,
    /// The app it was issued to.
    #[serde(borrow)]
    pub client_id: Cow<'a, str>,
    /// The login it states (OpenID Connect's session id).
    #[serde(borrow)]
    pub sid: Cow<'a, str>,
    /// The revocation log's position at the grant's creation, such as `1.42`.
    #[serde(borrow)]
    pub rev: Cow<'a, str>,
    /// The revocation log's position when the token was issued, such as `1.57`: no cut-off up to there
    /// kills it.
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub as_of: Option<Cow<'a, str>>,
    /// When the person last proved who they are.
    pub auth_time: i64,
    /// How strongly they proved it (RFC 9470).
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub acr: Option<Cow<'a, str>>,
    /// By which means (RFC 8176).
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub amr: Vec<Cow<'a, str>>,
    /// What they may do (RFC 9068 section 2.2.3.1).
    #[serde(
        borrow,
        default,
        deserialize_with = "borrowed_list",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub roles: Vec<Cow<'a, str>>,
}

impl AccessClaims<'_> {
    /// The same claims, independent of the token they were read from.
    pub fn into_owned(self) -> AccessClaims<'static> {
        AccessClaims {
            iss: owned(self.iss),
            sub: owned(self.sub),
            aud: self.aud.into_owned(),
            exp: self.exp,
            iat: self.iat,
            jti: owned(self.jti),
            preferred_username: self.preferred_username.map(owned),
            client_id: owned(self.client_id),
            sid: owned(self.sid),
            rev: owned(self.rev),
            as_of: self.as_of.map(owned),
            auth_time: self.auth_time,
            acr: self.acr.map(owned),
            amr: owned_list(self.amr),
            roles: owned_list(self.roles),
        }
    }
}

impl Verified<AccessClaims<'_>> {
    /// The same proof, independent of the token it was read from.
    pub fn into_owned(self) -> Verified<AccessClaims<'static>> {
        self.map(AccessClaims::into_owned)
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
