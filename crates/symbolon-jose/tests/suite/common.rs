//! Keys, claims and a random source for tests.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests, which read keys from files and draw on the system's randomness"
)]

use aws_lc_rs::rand::SystemRandom;
use serde_json::Value;
use symbolon_jose::{AccessClaims, Algorithm, Expect, SigningKey};

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://as.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

pub(crate) fn rng() -> SystemRandom {
    SystemRandom::new()
}

/// One signing key for each algorithm. RSA keys take long to make, so theirs come from a file.
pub(crate) fn key(algorithm: Algorithm) -> SigningKey {
    if !algorithm.name().starts_with(['R', 'P']) {
        return SigningKey::generate(algorithm, &rng()).unwrap();
    }
    let pem = corpus_pem("rsa1");
    SigningKey::from_pem(algorithm, &pem).unwrap()
}

/// A private key of the attack corpus.
pub(crate) fn corpus_pem(name: &str) -> String {
    let keys: Value = serde_json::from_str(&vector("attacks/keys.json")).unwrap();
    let pem = keys.pointer(&format!("/pem/{name}"));
    pem.and_then(Value::as_str).unwrap().to_owned()
}

/// The text of a file of `tests/vectors`.
pub(crate) fn vector(path: &str) -> String {
    let path = format!("{}/tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

pub(crate) fn claims() -> AccessClaims<'static> {
    AccessClaims {
        iss: ISSUER.into(),
        sub: "alice".into(),
        aud: AUDIENCE.into(),
        exp: NOW + 300,
        iat: NOW,
        jti: "t1".into(),
        preferred_username: None,
        client_id: "dashboard".into(),
        sid: "s1".into(),
        rev: "1.42".into(),
        as_of: Some("1.57".into()),
        auth_time: NOW - 10,
        acr: None,
        amr: vec!["pwd".into()],
        roles: vec!["admin".into()],
    }
}

pub(crate) fn expect() -> Expect<'static> {
    Expect::new(ISSUER, AUDIENCE, NOW, 0)
}
