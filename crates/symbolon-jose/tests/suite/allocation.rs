//! What checking a token costs in memory: its decoded bytes, once, and nothing else.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::common::{AUDIENCE, ISSUER, NOW, expect, key, rng};
use allocation_counter::measure;
use serde::{Deserialize, Serialize};
use symbolon_jose::{
    Algorithm, KeySet, Lifetime, MAX_TOKEN_BYTES, Malformed, TokenClass, Typ, Unverified, sign,
};

/// Eight claims that borrow from the token.
struct Borrowed;

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: &'a str,
    scope: &'a str,
}

impl TokenClass for Borrowed {
    type Claims<'a> = Claims<'a>;
    const TYP: Typ = Typ::Exactly("at+jwt");
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 600 };
}

#[test]
fn verifying_allocates_the_decoded_token_and_nothing_else() {
    let claims = Claims {
        iss: ISSUER,
        sub: "6f1c2a9e-alice",
        aud: AUDIENCE,
        exp: NOW + 300,
        nbf: NOW,
        iat: NOW,
        jti: "0198c6f0-0000-7000-8000-000000000000",
        scope: "read write",
    };
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
        let text = sign::<Borrowed>(&key, &claims, &rng()).unwrap();
        let mut token = None;
        let parsing = measure(|| token = Some(Unverified::parse(&text).unwrap()));
        assert_eq!(parsing.count_total, 1, "{algorithm}");
        assert!(parsing.bytes_total <= text.len() as u64, "{algorithm}");
        let token = token.unwrap();
        let mut good = false;
        let verifying = measure(|| good = token.verify::<Borrowed>(&keys, &expect()).is_ok());
        assert!(good);
        assert_eq!(verifying.count_total, 0, "{algorithm}");
    }
}

/// Before any work: a megabyte, a million dots and the deepest JSON cost as little as one byte.
#[test]
fn refusing_what_is_too_long_allocates_nothing() {
    let megabyte = "A".repeat(1 << 20);
    let dots = ".".repeat(1_000_000);
    let just_too_long = "A".repeat(MAX_TOKEN_BYTES + 1);
    for (text, expected) in [
        (&megabyte, Malformed::TooLong),
        (&dots, Malformed::TooLong),
        (&just_too_long, Malformed::TooLong),
    ] {
        let mut verdict = None;
        let cost = measure(|| verdict = Unverified::parse(text).err());
        assert_eq!((verdict, cost.count_total), (Some(expected), 0));
    }
}
