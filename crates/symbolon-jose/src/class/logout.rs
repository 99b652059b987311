//! The logout token (OpenID Connect Back-Channel Logout 1.0 section 2.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audience, Lifetime, TokenClass, Typ};
use crate::error::{Refused, Why};
use crate::expect::Expect;

/// The event that a logout token must carry.
pub const BACKCHANNEL_LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The class of logout tokens: `typ` is `logout+jwt`, life at most ten minutes.
#[derive(Debug, Clone, Copy)]
pub struct LogoutToken;

impl TokenClass for LogoutToken {
    type Claims<'a> = LogoutClaims;
    const TYP: Typ = Typ::Exactly("logout+jwt");
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 600 };
    const REQUIRED: &'static [&'static str] = &["iat", "jti", "events"];
    // The nonce would let it pass for an ID token.
    const FORBIDDEN: &'static [&'static str] = &["nonce"];

    fn check(claims: &LogoutClaims, _: &Expect<'_>) -> Result<(), Refused> {
        if !matches!(
            claims.events.get(BACKCHANNEL_LOGOUT_EVENT),
            Some(Value::Object(_))
        ) {
            return Err(Refused::new("events", Why::Unexpected));
        }
        if claims.sub.is_none() && claims.sid.is_none() {
            return Err(Refused::new("sid", Why::Missing));
        }
        Ok(())
    }
}

/// What a logout token states. Times are whole unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogoutClaims {
    /// The provider.
    pub iss: String,
    /// The client.
    pub aud: Audience<'static>,
    /// When it was issued.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Its own name, to refuse it a second time.
    pub jti: String,
    /// Must hold [`BACKCHANNEL_LOGOUT_EVENT`] with an object.
    pub events: BTreeMap<String, Value>,
    /// The user, all of whose logins end if `sid` is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The login that ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
