//! From a JWT to the facts that it states, by the keys that the feed brought.

use symbolon_jose::{
    AccessClaims, AccessToken, Algorithm, Expect, Forged, KeySet, KeySource, Unverified, Why,
};
use symbolon_login::{ActiveCredential, ClientId, KeyId, Lifetimes, Shape, UnixMillis};

use crate::check::Reason;

/// Seconds by which the clocks of authority and guard may disagree about `iat`. Expiry gets no
/// leeway: it is judged again without one.
const LEEWAY: u8 = 5;

/// What may sign: asymmetric only. A symmetric key in a public feed would be a leak.
const ACCEPTED: [Algorithm; 9] = [
    Algorithm::Es256,
    Algorithm::Ed25519,
    Algorithm::Es384,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
];

/// The authority's public keys. Changing makes a new ring, so that checks under way keep theirs.
#[derive(Default)]
pub(crate) struct KeyRing {
    keys: KeySet,
}

impl KeyRing {
    /// The ring of these public JWKs. One that cannot be used is left out, so that a new kind of
    /// key does not lock everybody out: its tokens go to the authority instead.
    pub(crate) fn of(jwks: &[serde_json::Value]) -> Self {
        let mut ring = Self::default();
        for jwk in jwks {
            ring.add(jwk);
        }
        ring
    }

    /// The same and one more.
    pub(crate) fn with(&self, jwk: &serde_json::Value) -> Self {
        let mut ring = Self {
            keys: self.keys.clone(),
        };
        ring.add(jwk);
        ring
    }

    /// The same without one.
    pub(crate) fn without(&self, kid: &KeyId) -> Self {
        let mut keys = self.keys.clone();
        keys.remove(kid.as_str());
        Self { keys }
    }

    /// Whether no key of `other` is missing here.
    pub(crate) fn has_all_of(&self, other: &Self) -> bool {
        other
            .keys
            .iter()
            .all(|key| self.keys.find(key.kid()).is_some())
    }

    fn add(&mut self, jwk: &serde_json::Value) {
        let set = serde_json::json!({ "keys": [jwk] }).to_string();
        match KeySet::from_jwks(&set, &ACCEPTED) {
            Ok(loaded) => {
                for skipped in loaded.skipped {
                    tracing::warn!(reason = %skipped.reason, "a key of the feed cannot be used");
                }
                for key in loaded.keys.iter() {
                    let kid = key.kid().unwrap_or_default();
                    if let Err(reason) = self.keys.insert(key.clone()) {
                        tracing::debug!(kid, %reason, "a key of the feed is not new");
                    }
                }
            }
            Err(reason) => tracing::warn!(%reason, "a key of the feed cannot be read"),
        }
    }

    /// Verifies an access token of `issuer` for `client_id` and reads the facts out of it.
    pub(crate) fn verify(
        &self,
        token: &str,
        issuer: &str,
        client_id: &ClientId,
        wall: UnixMillis,
    ) -> Result<ActiveCredential, Reason> {
        let parsed = Unverified::parse(token).map_err(|_| Reason::Malformed)?;
        let expect = Expect::new(issuer, client_id.as_str(), wall.as_secs(), LEEWAY);
        let verified = parsed
            .verify::<AccessToken>(&self.keys, &expect)
            .map_err(|error| {
                tracing::debug!(
                    reason = error.code(),
                    claim = error.claim(),
                    "token refused"
                );
                reason(&error)
            })?;
        let kid: Option<KeyId> = parsed.kid().and_then(|kid| kid.parse().ok());
        facts(&verified, kid, client_id)
    }
}

fn reason(error: &symbolon_jose::Error) -> Reason {
    use symbolon_jose::Error;

    match error {
        Error::Malformed(_) => Reason::Malformed,
        Error::Forged(Forged::UnknownKey) => Reason::UnknownKey,
        Error::Forged(_) => Reason::Forged,
        Error::Refused(refused) if refused.claim() == "aud" => Reason::OtherApp,
        Error::Refused(refused) if refused.why() == Why::Expired => Reason::Expired,
        Error::Refused(_) => Reason::WrongKind,
    }
}

/// Narrows what an authentic token states. An authority of this project writes nothing that fails here.
fn facts(
    claims: &AccessClaims<'_>,
    kid: Option<KeyId>,
    client_id: &ClientId,
) -> Result<ActiveCredential, Reason> {
    // Guards remember cut-offs for the longest access-token life: a token that lives longer could
    // outlive the memory of its own end.
    let longest = i64::try_from(Lifetimes::LONGEST_ACCESS_TOKEN.as_secs()).unwrap_or(0);
    if claims.exp.saturating_sub(claims.iat) > longest {
        return Err(Reason::WrongKind);
    }
    if claims.client_id != client_id.as_str() {
        return Err(Reason::OtherApp);
    }
    let wrong = |_| Reason::WrongKind;
    let sub = claims.sub.parse().map_err(wrong)?;
    Ok(ActiveCredential {
        sub,
        username: claims
            .preferred_username
            .as_deref()
            .map_or_else(|| claims.sub.to_string(), str::to_owned),
        sid: claims.sid.parse().map_err(wrong)?,
        client_id: client_id.clone(),
        rev: claims.rev.parse().map_err(|_| Reason::WrongKind)?,
        as_of: claims
            .as_of
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(|_| Reason::WrongKind)?,
        kid,
        shape: Shape::Jwt,
        iat: claims.iat,
        exp: claims.exp,
        auth_time: claims.auth_time,
        amr: claims.amr.iter().map(ToString::to_string).collect(),
        roles: claims
            .roles
            .iter()
            .map(|role| role.parse())
            .collect::<Result<_, _>>()
            .map_err(wrong)?,
    })
}
