//! The same work with the crate jwt-simple.

use std::collections::HashSet;

use jwt_simple::prelude::*;
use serde::{Deserialize, Serialize};
use symbolon_jose::{Algorithm, SigningKey};

use crate::task::{self, Work};

#[derive(Clone, Serialize, Deserialize)]
struct Scope {
    scope: String,
}

/// Checks issuer, audience and times, without leeway. Its options are taken by value, so a copy of
/// them is part of its price.
pub(crate) fn verifying(key: &SigningKey, token: &'static str) -> Work {
    let rules = VerificationOptions {
        allowed_issuers: Some(HashSet::from([task::ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([task::AUDIENCE.to_owned()])),
        time_tolerance: Some(Duration::from_secs(0)),
        ..VerificationOptions::default()
    };
    let pem = || key.verifying_key().unwrap().to_pem().unwrap();
    macro_rules! work {
        ($key:expr) => {{
            let key = $key;
            Box::new(move || {
                let token = std::hint::black_box(token);
                std::hint::black_box(
                    key.verify_token::<Scope>(token, Some(rules.clone()))
                        .unwrap(),
                );
            })
        }};
    }
    match key.algorithm() {
        Algorithm::Hs256 => work!(HS256Key::from_bytes(task::SECRET)),
        Algorithm::Rs256 => work!(RS256PublicKey::from_pem(&pem()).unwrap()),
        Algorithm::Es256 => work!(ES256PublicKey::from_pem(&pem()).unwrap()),
        _ => work!(Ed25519PublicKey::from_pem(&pem()).unwrap()),
    }
}

/// Signs ready claims. They are taken by value, so a copy of them is part of its price.
pub(crate) fn signing(key: &SigningKey, token: &'static str) -> Work {
    let claims = HS256Key::from_bytes(task::SECRET);
    let claims: JWTClaims<Scope> = claims.verify_token(token, None).unwrap();
    let pem = || key.dangerous_to_pem().unwrap();
    macro_rules! work {
        ($sign:ident, $key:expr) => {{
            let key = $key;
            Box::new(move || {
                let claims = std::hint::black_box(claims.clone());
                std::hint::black_box(key.$sign(claims).unwrap());
            })
        }};
    }
    match key.algorithm() {
        Algorithm::Hs256 => work!(
            authenticate,
            HS256Key::from_bytes(task::SECRET).with_key_id("k1")
        ),
        Algorithm::Rs256 => work!(
            sign,
            RS256KeyPair::from_pem(&pem()).unwrap().with_key_id("k1")
        ),
        Algorithm::Es256 => work!(
            sign,
            ES256KeyPair::from_pem(&pem()).unwrap().with_key_id("k1")
        ),
        _ => work!(
            sign,
            Ed25519KeyPair::from_pem(&pem()).unwrap().with_key_id("k1")
        ),
    }
}
