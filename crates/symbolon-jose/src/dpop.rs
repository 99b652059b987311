//! DPoP proofs (RFC 9449): a client shows that it holds the key that its token is bound to.
//!
//! The only tokens that bring their own key, and therefore a type of their own: nothing else in
//! this crate reads a header's `jwk`. A proof says nothing about who sent it; it counts only
//! together with a token or a request that names the key's [thumbprint](VerifiedProof::thumbprint).
//!
//! ```
//! # use aws_lc_rs::rand::SystemRandom;
//! # use symbolon_jose::{Algorithm, SigningKey, dpop::*};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let rng = SystemRandom::new();
//! # let now = 1_800_000_000;
//! let key = SigningKey::generate(Algorithm::Es256, &rng)?;
//! let proof = sign_proof(
//!     &key,
//!     &ProofClaims {
//!         jti: "one-use".to_owned(),
//!         htm: "POST".to_owned(),
//!         htu: "https://as.example/token".to_owned(),
//!         iat: now,
//!         ath: None,
//!         nonce: None,
//!     },
//!     &rng,
//! )?;
//!
//! let parsed = UnverifiedProof::parse(&proof)?;
//! let proof = parsed.verify(&ExpectProof::new("POST", "https://as.example/token", now, 60))?;
//! assert_eq!(proof.thumbprint(), key.kid());
//! # Ok(())
//! # }
//! ```

use std::ops::Deref;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::SecureRandom;
use crate::base64url;
use crate::error::{Error, Malformed, Misuse, Refused, Why};
use crate::expect;
use crate::json::Claims;
use crate::key::{SigningKey, VerifyingKey};
use crate::sign;
use crate::token::{Unverified, mistyped};

const TYP: &str = "dpop+jwt";
/// Longest `jti`: servers remember it for a while.
const MAX_JTI_BYTES: usize = 256;
/// How far in the future a client's clock may be, in seconds.
const SKEW: i64 = 5;

/// What a proof states (RFC 9449 section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofClaims {
    /// Its own name, to be taken once only.
    pub jti: String,
    /// The request's method.
    pub htm: String,
    /// The request's URL without query and fragment.
    pub htu: String,
    /// When it was made, in unix seconds.
    pub iat: i64,
    /// SHA-256 of the access token that it comes with, in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ath: Option<String>,
    /// The server's nonce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// What a proof must be for.
#[derive(Debug, Clone, Copy)]
pub struct ExpectProof<'a> {
    method: &'a str,
    url: &'a str,
    now: i64,
    max_age: u32,
    access_token: Option<&'a str>,
    nonce: Option<&'a str>,
}

impl<'a> ExpectProof<'a> {
    /// The request's method and URL as the client sees them, the time in whole unix seconds, and
    /// the greatest age of a proof in seconds. The caller refuses a `jti` that it saw within that
    /// age.
    pub fn new(method: &'a str, url: &'a str, now: i64, max_age: u32) -> Self {
        Self {
            method,
            url,
            now,
            max_age,
            access_token: None,
            nonce: None,
        }
    }

    /// The proof comes with this access token and must name it.
    #[must_use]
    pub fn with_access_token(mut self, token: &'a str) -> Self {
        self.access_token = Some(token);
        self
    }

    /// The proof must answer this nonce.
    #[must_use]
    pub fn with_nonce(mut self, nonce: &'a str) -> Self {
        self.nonce = Some(nonce);
        self
    }
}

/// A well-formed proof of which nothing is known yet.
pub struct UnverifiedProof<'t> {
    token: Unverified<'t>,
    key: VerifyingKey,
}

impl<'t> UnverifiedProof<'t> {
    /// Reads a proof and the public key in its header. A private, symmetric or weak key is
    /// refused, and so is one that the header's `alg` does not fit.
    pub fn parse(proof: &'t str) -> Result<Self, Malformed> {
        let token = Unverified::read(proof, true)?;
        let range = token.header.jwk.clone().ok_or(Malformed::ProofKey)?;
        let jwk = token.header_bytes().get(range).unwrap_or_default();
        let jwk = std::str::from_utf8(jwk).map_err(|_| Malformed::ProofKey)?;
        if token.header.algorithm.is_symmetric() {
            return Err(Malformed::ProofKey);
        }
        let key = VerifyingKey::from_jwk(token.header.algorithm, jwk);
        let key = key.map_err(|_| Malformed::ProofKey)?;
        Ok(Self { token, key })
    }

    /// Verifies the signature and holds the claims against the request (RFC 9449 section 4.3).
    pub fn verify(&self, expect: &ExpectProof<'_>) -> Result<VerifiedProof, Error> {
        if self.token.typ() != Some(TYP) {
            return Err(Refused::new("typ", Why::Unexpected).into());
        }
        self.key
            .verify(self.token.signing_input.as_bytes(), self.token.signature())?;
        let mut read = Claims::new();
        self.token.read_claims(&mut read)?;
        let claims: ProofClaims = read.read().map_err(mistyped)?;
        check(&claims, &read, expect)?;
        let thumbprint = self.key.thumbprint().map_err(|_| Malformed::ProofKey)?;
        Ok(VerifiedProof { claims, thumbprint })
    }
}

/// A proof whose signature and claims were checked. There is no other way to make one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedProof {
    claims: ProofClaims,
    thumbprint: String,
}

impl VerifiedProof {
    /// The thumbprint (RFC 7638) of the key that the client holds: compare it with `cnf.jkt` of the
    /// access token, or bind the new token to it.
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

impl Deref for VerifiedProof {
    type Target = ProofClaims;

    fn deref(&self) -> &ProofClaims {
        &self.claims
    }
}

/// Makes a proof with a client's key, whose public half goes into the header.
pub fn sign_proof(
    key: &SigningKey,
    claims: &ProofClaims,
    rng: &dyn SecureRandom,
) -> Result<String, Misuse> {
    let jwk = key.verifying_key()?.to_bare_jwk()?;
    let payload = serde_json::to_string(claims).map_err(|_| Misuse::UnwritableClaims)?;
    sign::write(key, TYP, Some(&jwk), payload.as_bytes(), rng)
}

/// The `ath` of an access token.
pub fn access_token_hash(token: &str) -> String {
    base64url::encode(digest(&SHA256, token.as_bytes()).as_ref())
}

fn check(claims: &ProofClaims, read: &Claims<'_>, expect: &ExpectProof<'_>) -> Result<(), Refused> {
    if !(1..=MAX_JTI_BYTES).contains(&claims.jti.len()) {
        return Err(Refused::new("jti", Why::Mistyped));
    }
    if claims.htm != expect.method {
        return Err(Refused::new("htm", Why::Unexpected));
    }
    if !same_url(&claims.htu, expect.url) {
        return Err(Refused::new("htu", Why::Unexpected));
    }
    let iat = read.registered.iat;
    let iat = expect::time("iat", iat.ok_or(Refused::new("iat", Why::Missing))?)?;
    if iat.is_after(expect.now.saturating_add(SKEW)) {
        return Err(Refused::new("iat", Why::NotYet));
    }
    if !iat.is_after(expect.now.saturating_sub(i64::from(expect.max_age) + 1)) {
        return Err(Refused::new("iat", Why::Expired));
    }
    let same = |name, stated: Option<&str>, wanted: Option<&str>| match (stated, wanted) {
        (_, None) => Ok(()),
        (None, Some(_)) => Err(Refused::new(name, Why::Missing)),
        (Some(stated), Some(wanted)) if stated == wanted => Ok(()),
        _ => Err(Refused::new(name, Why::Unexpected)),
    };
    let hash = expect.access_token.map(access_token_hash);
    same("ath", claims.ath.as_deref(), hash.as_deref())?;
    same("nonce", claims.nonce.as_deref(), expect.nonce)
}

/// RFC 9449 section 4.3, check 9: without query and fragment; scheme and host in any case.
fn same_url(stated: &str, wanted: &str) -> bool {
    fn parts(url: &str) -> Option<(&str, &str)> {
        let url = url.split(['?', '#']).next()?;
        let host_at = url.find("://")? + 3;
        let path_at = url.get(host_at..)?.find('/').map(|at| at + host_at);
        url.split_at_checked(path_at.unwrap_or(url.len()))
    }
    match (parts(stated), parts(wanted)) {
        (Some((host, path)), Some((wanted_host, wanted_path))) => {
            let root = |path| if str::is_empty(path) { "/" } else { path };
            host.eq_ignore_ascii_case(wanted_host) && root(path) == root(wanted_path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
