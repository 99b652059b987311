//! The work that is measured: the same eight claims under each algorithm, as the bare crypto does
//! it, as this crate does it, and as the crate `jsonwebtoken` does it.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RsaKeyPair, VerificationAlgorithm,
};
use jsonwebtoken as peer;
use serde::{Deserialize, Serialize};
use symbolon_jose::{
    Algorithm, Expect, KeySet, Lifetime, SigningKey, TokenClass, Typ, Unverified, sign,
};

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const AUDIENCE: &str = "https://api.example.com";
const TYP: &str = "at+jwt";
pub(crate) const SECRET: &[u8; 32] = b"b5b9e6d2c47f1a80e3f60d9172ac485b";

/// One thing to measure, again and again.
pub(crate) type Work = Box<dyn Fn()>;

pub(crate) struct EightClaims;

#[derive(Serialize, Deserialize)]
pub(crate) struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: &'a str,
    scope: &'a str,
}

impl TokenClass for EightClaims {
    type Claims<'a> = Claims<'a>;
    const TYP: Typ = Typ::Exactly(TYP);
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 86_400 };
    const REQUIRED: &'static [&'static str] = &["nbf"];
}

/// The peer reads into owned values only.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be measured")]
struct OwnedClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    scope: String,
}

fn claims(now: i64) -> Claims<'static> {
    Claims {
        iss: ISSUER,
        sub: "0198c6f0-6a52-7c31-9d2e-5f0b8a417c33",
        aud: AUDIENCE,
        exp: now + 86_000,
        nbf: now,
        iat: now,
        jti: "0198c6f0-71e4-7b08-8a55-c2d96e03f1b7",
        scope: "profile email orders:read orders:write",
    }
}

/// Reading the clock is part of checking a token, and the peer does it too.
#[expect(
    clippy::disallowed_methods,
    reason = "the caller's clock, measured with the rest"
)]
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a bench draws on the system's randomness"
)]
fn rng() -> SystemRandom {
    SystemRandom::new()
}

pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    match algorithm {
        Algorithm::Hs256 => SigningKey::from_secret(algorithm, "k1", SECRET).unwrap(),
        // 2048 bits, as in most deployments; generated keys have 3072.
        Algorithm::Rs256 => {
            let pem = include_str!("../../tests/vectors/openssl/rsa-pkcs8.pem");
            SigningKey::from_pem(algorithm, pem)
                .unwrap()
                .with_kid("k1")
                .unwrap()
        }
        _ => SigningKey::generate(algorithm, &rng())
            .unwrap()
            .with_kid("k1")
            .unwrap(),
    }
}

pub(crate) fn token(key: &SigningKey) -> String {
    sign::<EightClaims>(key, &claims(now()), &rng()).unwrap()
}

/// Checking a token: `[bare, ours, jsonwebtoken]`.
pub(crate) fn verifying(algorithm: Algorithm) -> [(&'static str, Work); 3] {
    let key = key(algorithm);
    verifying_with(&key, token(&key).leak())
}

/// As [`verifying`], with this key and its token.
pub(crate) fn verifying_with(key: &SigningKey, token: &'static str) -> [(&'static str, Work); 3] {
    [
        ("aws-lc-rs", bare_verifying(key, token)),
        ("symbolon-jose", our_verifying(key, token)),
        ("jsonwebtoken", peer_verifying(key, token)),
    ]
}

/// Making a token: `[bare, ours, jsonwebtoken]`. The bare work signs a message that is ready.
pub(crate) fn signing(algorithm: Algorithm) -> [(&'static str, Work); 3] {
    let token: &'static str = token(&key(algorithm)).leak();
    [
        ("aws-lc-rs", bare_signing(&key(algorithm), token)),
        ("symbolon-jose", our_signing(key(algorithm))),
        ("jsonwebtoken", peer_signing(&key(algorithm))),
    ]
}

/// The signature alone, decoded beforehand, with the key parsed beforehand.
fn bare_verifying(key: &SigningKey, token: &'static str) -> Work {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature: &'static [u8] = decode(signature).leak();
    let message = message.as_bytes();
    let with = |algorithm: &'static dyn VerificationAlgorithm, public: &[u8]| -> Work {
        let key = ParsedPublicKey::new(algorithm, public).unwrap();
        Box::new(move || key.verify_sig(black_box(message), signature).unwrap())
    };
    let pkcs8 = || key.dangerous_to_pkcs8_der().unwrap();
    match key.algorithm() {
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
            Box::new(move || hmac::verify(&key, black_box(message), signature).unwrap())
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&pkcs8()).unwrap();
            with(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8());
            with(
                &ECDSA_P256_SHA256_FIXED,
                pair.unwrap().public_key().as_ref(),
            )
        }
        _ => {
            let pair = Ed25519KeyPair::from_pkcs8(&pkcs8()).unwrap();
            with(&ED25519, pair.public_key().as_ref())
        }
    }
}

/// Text in, claims out: key by id, signature, exp, nbf, iat, iss, aud, typ.
fn our_verifying(key: &SigningKey, token: &'static str) -> Work {
    let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
    Box::new(move || {
        let token = Unverified::parse(black_box(token)).unwrap();
        let expect = Expect::new(ISSUER, AUDIENCE, now(), 0);
        black_box(token.verify::<EightClaims>(&keys, &expect).unwrap());
    })
}

/// Everything that the peer can check, and the `typ` that it leaves to the caller.
fn peer_verifying(key: &SigningKey, token: &'static str) -> Work {
    let pem = || key.verifying_key().unwrap().to_pem().unwrap();
    let public = match key.algorithm() {
        Algorithm::Hs256 => peer::DecodingKey::from_secret(SECRET),
        Algorithm::Rs256 => peer::DecodingKey::from_rsa_pem(pem().as_bytes()).unwrap(),
        Algorithm::Es256 => peer::DecodingKey::from_ec_pem(pem().as_bytes()).unwrap(),
        _ => peer::DecodingKey::from_ed_pem(pem().as_bytes()).unwrap(),
    };
    let mut rules = peer::Validation::new(peer_algorithm(key.algorithm()));
    rules.set_issuer(&[ISSUER]);
    rules.set_audience(&[AUDIENCE]);
    rules.set_required_spec_claims(&["exp", "nbf", "iss", "aud"]);
    rules.validate_nbf = true;
    rules.leeway = 0;
    Box::new(move || {
        let read = peer::decode::<OwnedClaims>(black_box(token), &public, &rules).unwrap();
        assert!(read.header.typ.as_deref() == Some(TYP));
        black_box(read);
    })
}

fn bare_signing(key: &SigningKey, token: &'static str) -> Work {
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let pkcs8 = || key.dangerous_to_pkcs8_der().unwrap();
    let rng = rng();
    match key.algorithm() {
        Algorithm::Hs256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
            Box::new(move || {
                black_box(hmac::sign(&key, black_box(message)));
            })
        }
        Algorithm::Rs256 => {
            let pair = RsaKeyPair::from_pkcs8(&pkcs8()).unwrap();
            Box::new(move || {
                let mut signature = [0; 256];
                pair.sign(&RSA_PKCS1_SHA256, &rng, black_box(message), &mut signature)
                    .unwrap();
                black_box(signature);
            })
        }
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8());
            let pair = pair.unwrap();
            Box::new(move || {
                black_box(pair.sign(&rng, black_box(message)).unwrap());
            })
        }
        _ => {
            let pair = Ed25519KeyPair::from_pkcs8(&pkcs8()).unwrap();
            Box::new(move || {
                black_box(pair.sign(black_box(message)));
            })
        }
    }
}

/// Claims in, text out.
fn our_signing(key: SigningKey) -> Work {
    let (rng, claims) = (rng(), claims(now()));
    Box::new(move || {
        black_box(sign::<EightClaims>(&key, black_box(&claims), &rng).unwrap());
    })
}

fn peer_signing(key: &SigningKey) -> Work {
    let pem = || key.dangerous_to_pem().unwrap();
    let private = match key.algorithm() {
        Algorithm::Hs256 => peer::EncodingKey::from_secret(SECRET),
        Algorithm::Rs256 => peer::EncodingKey::from_rsa_pem(pem().as_bytes()).unwrap(),
        Algorithm::Es256 => peer::EncodingKey::from_ec_pem(pem().as_bytes()).unwrap(),
        _ => peer::EncodingKey::from_ed_pem(pem().as_bytes()).unwrap(),
    };
    let mut header = peer::Header::new(peer_algorithm(key.algorithm()));
    header.typ = Some(TYP.into());
    header.kid = Some("k1".into());
    let claims = claims(now());
    Box::new(move || {
        black_box(peer::encode(&header, black_box(&claims), &private).unwrap());
    })
}

fn peer_algorithm(algorithm: Algorithm) -> peer::Algorithm {
    match algorithm {
        Algorithm::Hs256 => peer::Algorithm::HS256,
        Algorithm::Rs256 => peer::Algorithm::RS256,
        Algorithm::Es256 => peer::Algorithm::ES256,
        _ => peer::Algorithm::EdDSA,
    }
}

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    engine.decode(text).unwrap()
}
