//! Story: an app asks for its share in a login (authorization code with PKCE, RFC 6749 section
//! 4.1, RFC 7636, RFC 9700).

use std::time::Duration;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use symbolon_login::{
    Admission, ClientId, Digest, GrantId, LoginLimit, Scope, Sid, UnixMillis, admit,
};
use zeroize::Zeroizing;

use crate::{
    App, Authority, Credential, Failure, FullHouse, Known, ProofAsked,
    ports::{Join, LoginWithGrants, NewGrant, Purpose, Take},
    sign_in::kind_for,
};

/// How long a code is good for: it travels one redirect (ASVS 10.4.3 asks for a minute at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// A `code_challenge` of method S256: 43 characters of base64url (RFC 7636 section 4.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads one; none when it cannot be a SHA-256.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    /// Whether this is the challenge of `verifier` (43 to 128 unreserved characters, section 4.1).
    fn is_of(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let well_formed = (43..=128).contains(&verifier.len()) && verifier.bytes().all(unreserved);
        let hashed = digest::digest(&digest::SHA256, verifier.as_bytes());
        // Public on both sides by now: the challenge was in a URL. No secret is compared.
        well_formed && URL_SAFE_NO_PAD.encode(hashed) == self.0
    }
}

/// A request for a code, checked: the redirect URI is one of the app's own.
#[derive(Clone, Debug)]
pub struct CodeRequest {
    /// Where the code goes, as the app wrote it.
    pub redirect_uri: String,
    /// What binds the code to who asked for it.
    pub challenge: CodeChallenge,
    /// How recently the person has to have proved who they are.
    pub proof: ProofAsked,
}

/// What became of a request for a code.
pub enum Authorized {
    /// The code.
    Code(Zeroizing<String>),
    /// The person has to prove again who they are: a proof counts from this moment on.
    ProveAgain(UnixMillis),
    /// The person has as many logins in this app as they may have.
    Full(FullHouse),
}

/// A code brought back.
pub struct CodeRedemption<'a> {
    /// The code.
    pub code: &'a str,
    /// The redirect URI that it went to.
    pub redirect_uri: &'a str,
    /// The secret behind the challenge.
    pub verifier: &'a str,
}

/// What became of a redemption or a refresh.
pub enum Redeemed {
    /// A credential in the app's shape.
    Issued(Box<Credential>),
    /// Refused (`invalid_grant`). The log knows why.
    Refused,
}

#[derive(Serialize, Deserialize)]
struct Code {
    sid: Sid,
    client_id: ClientId,
    redirect_uri: String,
    challenge: CodeChallenge,
    grant: GrantId,
}

impl Authority {
    /// From when on a proof counts for a request of somebody who is not signed in; none if the request
    /// asks for none in particular.
    pub fn proof_counts_from(&self, proof: &ProofAsked) -> Option<UnixMillis> {
        proof.is_any().then(|| proof.since_or_now(None, self.now()))
    }

    /// Gives the signed-in person's browser a code for the app, unless it has no room for one more
    /// login of theirs: whether it has is decided when the code is redeemed, but then nobody is left
    /// to be asked.
    pub async fn authorize(
        &self,
        who: &Known,
        app: &App,
        request: CodeRequest,
    ) -> Result<Authorized, Failure> {
        let now = self.now();
        if !request.proof.is_met_by(&who.login, now) {
            tracing::info!(user = %who.user.id, client_id = %app.settings.client_id, reason = "an older proof than the app wants", "code refused");
            let since = request.proof.since_or_now(Some(&who.login), now);
            return Ok(Authorized::ProveAgain(since));
        }
        if let Some(limit) = app.limit
            && let Some(logins) = self.taking_up(limit, who, app, now).await?
        {
            tracing::info!(user = %who.user.id, client_id = %app.settings.client_id, reason = "as many logins in this app as allowed", "code refused");
            return Ok(Authorized::Full(FullHouse {
                logins,
                may_choose: limit.yields(),
            }));
        }
        let secret = Zeroizing::new(self.random::<32>()?);
        let code = Code {
            sid: who.login.sid,
            client_id: app.settings.client_id.clone(),
            redirect_uri: request.redirect_uri,
            challenge: request.challenge,
            grant: GrantId::mint(now, self.random()?),
        };
        let value = serde_json::to_string(&code).map_err(|_| {
            crate::ports::StoreError::Damaged("a code that cannot be written".to_owned())
        })?;
        let key = Digest::of(Purpose::AuthorizationCode.as_str(), secret.as_slice());
        self.once
            .put(
                Purpose::AuthorizationCode,
                key,
                value,
                now.plus(CODE_LIFETIME),
            )
            .await?;
        let code = Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_slice()));
        Ok(Authorized::Code(code))
    }

    /// The person's other logins in the app, newest first, if they leave no room for this one.
    async fn taking_up(
        &self,
        limit: LoginLimit,
        who: &Known,
        app: &App,
        now: UnixMillis,
    ) -> Result<Option<Vec<LoginWithGrants>>, Failure> {
        let mut others = self.logins.logins_of(who.user.id, now).await?;
        others.retain(|other| {
            let mut grants = other.grants.iter();
            other.login.sid != who.login.sid
                && grants.any(|grant| grant.client_id == app.settings.client_id)
        });
        let oldest_first: Vec<Sid> = others.iter().rev().map(|other| other.login.sid).collect();
        let admission = admit(Some(limit), &oldest_first, &[]);
        Ok((admission == Admission::Full).then_some(others))
    }

    /// Turns a code into a credential, once. A second use ends what the first one gave (RFC 6749
    /// section 4.1.2).
    pub async fn redeem_code(
        &self,
        app: &App,
        brought: CodeRedemption<'_>,
    ) -> Result<Redeemed, Failure> {
        let now = self.now();
        let client_id = &app.settings.client_id;
        let refuse = |reason: &'static str| {
            tracing::info!(%client_id, reason, "code refused");
            Ok(Redeemed::Refused)
        };
        let Ok(secret) = URL_SAFE_NO_PAD.decode(brought.code).map(Zeroizing::new) else {
            return refuse("malformed");
        };
        let key = Digest::of(Purpose::AuthorizationCode.as_str(), &secret);
        let (value, again) = match self.once.take(Purpose::AuthorizationCode, key, now).await? {
            Take::Fresh(value) => (value, false),
            Take::Again(value) => (value, true),
            Take::Unknown => return refuse("unknown or expired"),
        };
        let code: Code = serde_json::from_str(&value).map_err(|_| {
            crate::ports::StoreError::Damaged("a code that cannot be read".to_owned())
        })?;
        if again {
            self.take_back(key, code.sid, code.client_id, now).await?;
            return Ok(Redeemed::Refused);
        }
        if code.client_id != *client_id {
            return refuse("another app's code");
        }
        if code.redirect_uri != brought.redirect_uri {
            return refuse("another redirect_uri");
        }
        if !code.challenge.is_of(brought.verifier) {
            return refuse("wrong code_verifier");
        }
        let secret = self
            .secrets
            .first(kind_for(app.settings.shape), code.grant, self.random()?);
        let grant = NewGrant {
            id: code.grant,
            client_id: client_id.clone(),
            digest: secret.digest(),
        };
        let at = match self.logins.join(code.sid, grant, app.limit, now).await? {
            Join::Granted(at) => at,
            Join::Ended | Join::Unknown => return refuse("the login has ended"),
            Join::Full(_) => return refuse("as many logins in this app as allowed"),
        };
        // A second use ends what it finds, and may have looked before this grant was there: but then
        // its mark was there before.
        if self.once.peek(Purpose::ReplayedCode, key, now).await? {
            self.take_back(key, at.login.sid, at.grant.client_id, now)
                .await?;
            return Ok(Redeemed::Refused);
        }
        match self.directory.user(at.login.user).await? {
            Some(user) => Ok(Redeemed::Issued(Box::new(
                self.issue(app, &user, &at, at.grant.rev, &secret, now)
                    .await?,
            ))),
            None => refuse("user gone"),
        }
    }

    /// A code was used twice: marks it, then ends what the first use gave. In this order one of the
    /// two always sees the other.
    async fn take_back(
        &self,
        key: Digest,
        sid: Sid,
        client_id: ClientId,
        now: UnixMillis,
    ) -> Result<(), Failure> {
        let marked = self.once.put(
            Purpose::ReplayedCode,
            key,
            String::new(),
            now.plus(CODE_LIFETIME),
        );
        if let Err(error) = marked.await
            && !self.once.peek(Purpose::ReplayedCode, key, now).await?
        {
            return Err(error.into());
        }
        let scope = Scope::Grant {
            sid,
            client_id: client_id.clone(),
        };
        let ended = self.logins.end(scope, now).await?;
        tracing::warn!(%client_id, %sid, position = %ended.position, "a code was used twice: its grant is ended");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636 appendix B.
    #[test]
    fn a_challenge_is_of_its_verifier_only() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(
            challenge
                .as_ref()
                .is_some_and(|challenge| challenge.is_of(verifier))
        );
        for wrong in [
            "",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ] {
            assert!(
                challenge
                    .as_ref()
                    .is_some_and(|challenge| !challenge.is_of(wrong)),
                "{wrong}"
            );
        }
        for bad in ["", "short", &"a".repeat(44)] {
            assert!(CodeChallenge::parse(bad).is_none(), "{bad}");
        }
    }
}
