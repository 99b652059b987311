//! The access tokens that the authority signs.

use std::borrow::Cow;

use serde::Deserialize;
use symbolon_jose::{
    AccessClaims, AccessToken, Audience, Expect, KeySet, SigningKey, Unverified, sign,
};
use symbolon_login::{
    ClientId, Digest, Grant, KeyId, Lifetimes, OpaqueSecret, Position, Sid, Standing, UnixMillis,
    standing,
};

use crate::{
    App, Failure, User,
    ports::{Standpoint, World},
};

/// Seconds by which the clocks of two nodes may disagree about `iat`: a token is shown to any node right
/// after another one signed it. Expiry gets no leeway.
const LEEWAY: u8 = 5;

/// What signs and verifies the tokens of this issuer.
pub(crate) struct Tokens {
    pub(crate) issuer: String,
}

/// What a verb of the store found alive.
pub(crate) struct Found<'a> {
    /// The login and its grant.
    pub(crate) at: &'a Standpoint,
    /// A position of the log that was committed before the verb.
    pub(crate) as_of: Position,
}

/// A signed access token.
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) expires_at: UnixMillis,
}

/// What an authentic, unexpired access token of ours states.
pub(crate) struct AccessFacts {
    pub(crate) sid: Sid,
    pub(crate) client_id: ClientId,
    pub(crate) rev: Position,
    pub(crate) key: KeyId,
    pub(crate) issued_at: UnixMillis,
    pub(crate) expires_at: UnixMillis,
}

/// Not a token of ours, or past its time; with the code of the reason, for the log.
pub(crate) struct NotOurs(pub(crate) &'static str);

impl Tokens {
    /// Signs an access token for a grant (RFC 9068). Its times and its name follow from the secret
    /// that it comes with, so that a replay states the same.
    pub(crate) fn mint(
        &self,
        app: &App,
        user: &User,
        found: &Found<'_>,
        secret: &OpaqueSecret,
        key: &SigningKey,
        world: &dyn World,
    ) -> Result<Minted, Failure> {
        let Found { at, as_of } = *found;
        let lifetimes = &app.settings.lifetimes;
        let moved_at = at.grant.line.moved_at;
        let issued_at = moved_at.as_secs();
        let expires_at = UnixMillis::from_secs(issued_at)
            .plus(lifetimes.access_token())
            .min(grant_ends(at, lifetimes, moved_at))
            .as_secs();
        let (sub, sid, rev, as_of) = (
            user.id.to_string(),
            at.login.sid.to_string(),
            at.grant.rev.to_string(),
            as_of.max(at.grant.rev).to_string(),
        );
        let client_id = app.settings.client_id.as_str();
        let mut audience = vec![Cow::Borrowed(client_id)];
        if app.first_party {
            audience.push(Cow::Borrowed(self.issuer.as_str()));
        }
        let claims = AccessClaims {
            iss: Cow::Borrowed(&self.issuer),
            sub: Cow::Borrowed(&sub),
            aud: Audience::Many(audience),
            exp: expires_at,
            iat: issued_at,
            jti: Cow::Owned(name_of(secret)),
            preferred_username: Some(Cow::Borrowed(user.identifier.as_str())),
            client_id: Cow::Borrowed(client_id),
            sid: Cow::Borrowed(&sid),
            rev: Cow::Borrowed(&rev),
            as_of: Some(Cow::Borrowed(&as_of)),
            auth_time: at.login.authenticated_at.as_secs(),
            acr: None,
            amr: at
                .login
                .methods
                .iter()
                .map(|one| Cow::Borrowed(one.as_str()))
                .collect(),
            roles: user
                .roles
                .iter()
                .map(|one| Cow::Borrowed(one.as_str()))
                .collect(),
        };
        let token = sign::<AccessToken>(key, &claims, world.signing_random()).map_err(|error| {
            tracing::error!(%error, "a token could not be signed");
            Failure::Signing
        })?;
        Ok(Minted {
            token,
            expires_at: UnixMillis::from_secs(expires_at),
        })
    }

    /// Verifies an access token of ours, whichever of our apps it is for.
    pub(crate) fn verify(
        &self,
        token: &str,
        trusted: &KeySet,
        now: UnixMillis,
    ) -> Result<AccessFacts, NotOurs> {
        #[derive(Deserialize)]
        struct ForWhom {
            client_id: String,
        }
        let unverified = Unverified::parse(token).map_err(|fault| NotOurs(fault.code()))?;
        // The audience to expect is the app that the token was issued to, and which one that is may
        // be read only once the signature is known to be ours: hence two verifications.
        let payload = unverified
            .verify_payload(trusted)
            .map_err(|error| NotOurs(error.code()))?;
        let ForWhom { client_id } =
            serde_json::from_slice(&payload).map_err(|_| NotOurs("claim_client_id"))?;
        let expect = Expect::new(&self.issuer, client_id.as_str(), now.as_secs(), LEEWAY);
        let claims = unverified
            .verify::<AccessToken>(trusted, &expect)
            .map_err(|error| NotOurs(error.code()))?;
        if claims.exp <= now.as_secs() {
            return Err(NotOurs("expired"));
        }
        let facts = || {
            Some(AccessFacts {
                sid: claims.sid.parse().ok()?,
                client_id: claims.client_id.parse().ok()?,
                rev: claims.rev.parse().ok()?,
                key: unverified.kid()?.parse().ok()?,
                issued_at: UnixMillis::from_secs(claims.iat),
                expires_at: UnixMillis::from_secs(claims.exp),
            })
        };
        facts().ok_or(NotOurs("claims_unreadable"))
    }
}

/// When the grant ends if it is not used after `moved_at`: a token says yes wherever it is shown, so
/// it must not outlive what it states.
fn grant_ends(at: &Standpoint, lifetimes: &Lifetimes, moved_at: UnixMillis) -> UnixMillis {
    let unused_since = Grant {
        used_at: moved_at,
        ..at.grant.clone()
    };
    match standing(&at.login, &unused_since, lifetimes, moved_at) {
        Standing::Alive { until } => until,
        Standing::Ended | Standing::Expired | Standing::Idle => at.login.expires_at,
    }
}

/// The claim `jti`: follows from the secret, tells nothing about it.
fn name_of(secret: &OpaqueSecret) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let named = Digest::of("jti", secret.digest().as_bytes());
    URL_SAFE_NO_PAD.encode(named.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]))
}
