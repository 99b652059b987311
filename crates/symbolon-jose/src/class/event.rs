//! The security event token (RFC 8417).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Audience, Lifetime, TokenClass, Typ};
use crate::error::{Refused, Why};
use crate::expect::Expect;

/// The class of security event tokens: `typ` is `secevent+jwt`. They tell what happened and do not
/// expire (section 2.2); one older than a day is refused as a replay.
#[derive(Debug, Clone, Copy)]
pub struct SecurityEventToken;

impl TokenClass for SecurityEventToken {
    type Claims<'a> = SecurityEventClaims;
    const TYP: Typ = Typ::Exactly("secevent+jwt");
    const LIFETIME: Lifetime = Lifetime::Fresh { longest: 86_400 };
    const REQUIRED: &'static [&'static str] = &["jti", "events"];
    // RFC 8417 section 4.5: what an ID token has, so that neither passes for the other.
    const FORBIDDEN: &'static [&'static str] = &["nonce"];

    fn check(claims: &SecurityEventClaims, _: &Expect<'_>) -> Result<(), Refused> {
        if claims.events.is_empty() || !claims.events.values().all(Value::is_object) {
            return Err(Refused::new("events", Why::Unexpected));
        }
        Ok(())
    }
}

/// What a security event token states. Times are whole unix seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityEventClaims {
    /// Who tells.
    pub iss: String,
    /// Who is told.
    pub aud: Audience<'static>,
    /// When it was told.
    pub iat: i64,
    /// The event's own name, to take it once only.
    pub jti: String,
    /// Event URI to its payload, at least one.
    pub events: BTreeMap<String, Value>,
    /// Whom or what the event is about (RFC 9493).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_id: Option<Value>,
    /// The user, where a plain name is enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// When it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub toe: Option<i64>,
    /// Ties several events to one cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txn: Option<String>,
}
