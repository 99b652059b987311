//! From key to token to proof, and every way that must fail.
#![expect(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;

use super::*;
use crate::class::{AccessClaims, AccessToken};
use crate::key::{KeySet, SigningKey};
use crate::sign::sign;

const NOW: i64 = 1_800_000_000;

fn claims() -> AccessClaims<'static> {
    AccessClaims {
        iss: "https://as.example".into(),
        sub: "alice".into(),
        aud: "https://api.example".into(),
        exp: NOW + 300,
        iat: NOW,
        jti: "t1".into(),
        preferred_username: None,
        client_id: "dashboard".into(),
        sid: "s1".into(),
        rev: "1.42".into(),
        auth_time: NOW - 10,
        acr: None,
        amr: vec!["pwd".into()],
        roles: vec!["admin".into(), "reader".into()],
    }
}

fn expect() -> Expect<'static> {
    Expect::new("https://as.example", "https://api.example", NOW, 0)
}

fn rng() -> SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "a test may draw on the system")]
    SystemRandom::new()
}

#[test]
fn an_access_token_signed_here_verifies_here() {
    for algorithm in [Algorithm::Es256, Algorithm::Hs256, Algorithm::Ed25519] {
        let key = SigningKey::generate(algorithm, &rng()).unwrap();
        let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
        let text = sign::<AccessToken>(&key, &claims(), &rng()).unwrap();
        let token = Unverified::parse(&text).unwrap();
        assert_eq!(token.kid(), Some(key.kid()));
        let verified = token.verify::<AccessToken>(&keys, &expect()).unwrap();
        assert_eq!(*verified, claims());
    }
}
