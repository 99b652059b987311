//! From a token to who it speaks of: issuer, then keys, then one algorithm a key, then the claims.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use symbolon_jose::{
    Algorithm, Error, Expect, Forged, IdClaims, IdToken, KeySet, Lifetime, Names, Refused,
    TokenClass, Typ, Unverified, Why,
};
use symbolon_login::UnixMillis;

use super::{
    ThirdPartyRefusal, ThirdPartyTokens,
    cache::{Cache, Looked},
};

/// Seconds by which the issuer's clock and ours may disagree about `iat` and `nbf`. Third parties keep time
/// less well than one's own machines. Expiry gets no leeway.
const LEEWAY: u8 = 30;

/// What a token has to be.
pub(super) struct Rules {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    pub(super) tokens: ThirdPartyTokens,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) longest_life: Duration,
}

/// Somebody of whom another issuer speaks, in a token that was found good.
///
/// An axum extractor behind [`ThirdParty::layer`](super::ThirdParty::layer). Nobody can end the token, so this is good until
/// [`ThirdPartyIdentity::expires_at`] whatever happens: never the ground for what must stop at once.
#[derive(Clone)]
pub struct ThirdPartyIdentity(Arc<Inner>);

struct Inner {
    issuer: String,
    subject: String,
    expires_at: i64,
    claims: Map<String, Value>,
}

/// The claims of any class, as the issuer wrote them.
type Claims = Map<String, Value>;

/// An access token of RFC 9068, section 2.2. Its life is held to the app's own bound.
struct Access;

impl TokenClass for Access {
    type Claims<'a> = Claims;
    const TYP: Typ = Typ::Exactly("at+jwt");
    const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
    const REQUIRED: &'static [&'static str] = &["sub", "iat", "jti", "client_id"];
}

/// An access token that does not say that it is one.
struct Untyped;

impl TokenClass for Untyped {
    type Claims<'a> = Claims;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
    const REQUIRED: &'static [&'static str] = &["sub", "iat"];
    // The marks of ID tokens (OIDC Core 1.0 section 3.1.3.6) and of security events (RFC 8417).
    const FORBIDDEN: &'static [&'static str] = &["nonce", "at_hash", "c_hash", "events"];
}

/// An ID token, by the rules of [`IdToken`] but for its life, with all its claims.
struct Id;

impl TokenClass for Id {
    type Claims<'a> = Claims;
    const TYP: Typ = IdToken::TYP;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
    const REQUIRED: &'static [&'static str] = IdToken::REQUIRED;
    const FORBIDDEN: &'static [&'static str] = IdToken::FORBIDDEN;

    fn check(claims: &Claims, expect: &Expect<'_>) -> Result<(), Refused> {
        let read = IdClaims::deserialize(Value::Object(claims.clone()))
            .map_err(|_| Refused::new("claims", Why::Mistyped))?;
        IdToken::check(&read, expect)
    }
}

/// What came of one look at a token.
enum Verdict {
    Good(ThirdPartyIdentity),
    Bad(Error),
    /// Only more recent keys can say.
    UnknownKey,
}

impl Rules {
    /// Checks a token, and asks the issuer for its keys once more if that may help.
    pub(super) async fn verify(
        &self,
        cache: &Cache,
        token: &str,
    ) -> Result<ThirdPartyIdentity, ThirdPartyRefusal> {
        let parsed = Unverified::parse(token).map_err(|malformed| refused(&malformed.into()))?;
        // What cannot be good whatever the keys are costs the issuer no question. Who it says that it is
        // from is not believed here: it only says whose keys to look at (RFC 8725 section 3.8).
        if !self.algorithms.contains(&parsed.algorithm()) {
            return Err(refused(&Error::Forged(Forged::WrongAlgorithm)));
        }
        if !names_issuer(token, &self.issuer) {
            return Err(refused(&Refused::new("iss", Why::Unexpected).into()));
        }
        let verdict = match cache.keys() {
            Some(keys) => self.look(&parsed, &keys, cache),
            None => Verdict::UnknownKey,
        };
        match verdict {
            Verdict::Good(identity) => return Ok(identity),
            Verdict::Bad(error) => return Err(refused(&error)),
            Verdict::UnknownKey => {}
        }
        let looked = cache.look_again().await;
        let Some(keys) = cache.keys() else {
            tracing::warn!("no keys of a third party to check a token by: 503");
            return Err(ThirdPartyRefusal::Unproved);
        };
        match (self.look(&parsed, &keys, cache), looked) {
            (Verdict::Good(identity), _) => Ok(identity),
            (Verdict::Bad(error), _) => Err(refused(&error)),
            (Verdict::UnknownKey, Looked::Heard) => Err(refused(&Forged::UnknownKey.into())),
            (Verdict::UnknownKey, Looked::Unheard) => Err(ThirdPartyRefusal::Unproved),
        }
    }

    fn look(&self, token: &Unverified<'_>, keys: &KeySet, cache: &Cache) -> Verdict {
        let now = cache.clock().now().wall;
        let read = match self.tokens {
            ThirdPartyTokens::Access => self.read::<Access>(token, keys, now),
            ThirdPartyTokens::Id => self.read::<Id>(token, keys, now),
            ThirdPartyTokens::DangerousUntyped => self.read::<Untyped>(token, keys, now),
        };
        match read {
            Ok(identity) => Verdict::Good(identity),
            // Without an id there is nothing that a fetch would find.
            Err(Error::Forged(Forged::UnknownKey)) if token.kid().is_some() => Verdict::UnknownKey,
            Err(error) => Verdict::Bad(error),
        }
    }

    fn read<C>(
        &self,
        token: &Unverified<'_>,
        keys: &KeySet,
        now: UnixMillis,
    ) -> Result<ThirdPartyIdentity, Error>
    where
        C: for<'a> TokenClass<Claims<'a> = Claims>,
    {
        let names: Vec<&str> = self.audiences.iter().map(String::as_str).collect();
        let audience = Names::AnyOf(&names);
        let expect = Expect::new(self.issuer.as_str(), audience, now.as_secs(), LEEWAY);
        let claims = token.verify::<C>(keys, &expect)?.into_claims();
        // The class has checked that these are there, and of the right type.
        let whole = |name: &'static str| {
            let seconds = claims.get(name).and_then(|value| {
                let whole = value.as_i64();
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the class holds times to the year 9999; a fraction of a second is let go"
                )]
                whole.or_else(|| value.as_f64().map(|seconds| seconds as i64))
            });
            seconds.ok_or(Refused::new(name, Why::Missing))
        };
        let (issued_at, expires_at) = (whole("iat")?, whole("exp")?);
        if expires_at <= now.as_secs() {
            return Err(Refused::new("exp", Why::Expired).into());
        }
        let longest = i64::try_from(self.longest_life.as_secs()).unwrap_or(i64::MAX);
        if expires_at.saturating_sub(issued_at) > longest {
            return Err(Refused::new("exp", Why::TooLong).into());
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        let subject = subject.filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Refused::new("sub", Why::Missing))?.to_owned();
        Ok(ThirdPartyIdentity(Arc::new(Inner {
            issuer: self.issuer.clone(),
            subject,
            expires_at,
            claims,
        })))
    }
}

impl ThirdPartyIdentity {
    /// Who says so.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Of whom: a name that means somebody only together with the issuer (the claim `sub`).
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Until when. Nobody can end it sooner.
    pub fn expires_at(&self) -> UnixMillis {
        UnixMillis::from_secs(self.0.expires_at)
    }

    /// Everything that the token states, as the issuer wrote it.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    /// Everything that the token states, as a type of the app's own.
    ///
    /// # Errors
    /// When the claims do not fit it.
    pub fn claims_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(Value::Object(self.0.claims.clone()))
    }

    /// Whether the token was given this scope (RFC 9068 section 2.2.3: words between blanks in `scope`).
    pub fn has_scope(&self, scope: &str) -> bool {
        let scopes = self.0.claims.get("scope").and_then(Value::as_str);
        scopes.is_some_and(|scopes| scopes.split(' ').any(|has| has == scope))
    }
}

impl fmt::Debug for ThirdPartyIdentity {
    /// Not the claims, which may hold what is nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThirdPartyIdentity")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}

/// Whether the token claims to be of this issuer. Unverified: good for nothing but saying no.
fn names_issuer(token: &str, issuer: &str) -> bool {
    #[derive(Deserialize)]
    struct Says {
        iss: String,
    }
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    serde_json::from_slice::<Says>(&payload).is_ok_and(|says| says.iss == issuer)
}

/// The reason stays here: for the operator, not for the caller.
fn refused(error: &Error) -> ThirdPartyRefusal {
    tracing::info!(
        reason = error.code(),
        claim = error.claim(),
        "a third party's token is refused"
    );
    ThirdPartyRefusal::Refused
}
