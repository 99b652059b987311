//! What is signed here verifies here, and one flipped bit anywhere does not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::common::{AUDIENCE, ISSUER, NOW, claims, expect, key, rng};
use proptest::prelude::*;
use serde_json::{Value, json};
use symbolon_jose::inspect::{Known, inspect_unverified};
use symbolon_jose::{
    AccessToken, Algorithm, Error, Forged, Jwt, KeySet, Unverified, sign, sign_payload,
};

#[test]
fn every_algorithm_signs_and_verifies() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
        let text = sign::<AccessToken>(&key, &claims(), &rng()).unwrap();
        let token = Unverified::parse(&text).unwrap();
        assert_eq!(
            (token.kid(), token.algorithm()),
            (Some(key.kid()), algorithm)
        );
        let verified = token.verify::<AccessToken>(&keys, &expect()).unwrap();
        assert_eq!(*verified, claims());
        assert_eq!(*verified.into_owned(), claims());
    }
}

#[test]
fn one_flipped_bit_anywhere_refuses() {
    for algorithm in [
        Algorithm::Es256,
        Algorithm::Ed25519,
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Hs256,
    ] {
        let key = key(algorithm);
        let trusted = key.verifying_key().unwrap();
        let text = sign::<AccessToken>(&key, &claims(), &rng()).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(bent) = String::from_utf8(bytes) else {
                    continue;
                };
                let accepted = Unverified::parse(&bent)
                    .is_ok_and(|token| token.verify::<AccessToken>(&trusted, &expect()).is_ok());
                assert!(!accepted, "{algorithm}: bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn every_truncation_and_a_byte_more_refuse() {
    let key = key(Algorithm::Es256);
    let trusted = key.verifying_key().unwrap();
    let text = sign::<AccessToken>(&key, &claims(), &rng()).unwrap();
    let accepted = |text: &str| {
        Unverified::parse(text)
            .is_ok_and(|token| token.verify::<AccessToken>(&trusted, &expect()).is_ok())
    };
    assert!(accepted(&text));
    for end in 0..text.len() {
        assert!(!accepted(&text[..end]));
    }
    for more in ["A", "AA", "AAA", "AAAA", "=", ".", " ", "\n", "\0"] {
        assert!(!accepted(&format!("{text}{more}")));
        assert!(!accepted(&format!("{more}{text}")));
    }
}

/// Claims of a stranger's making: any JSON beside the ones that must be right.
fn strange_claims() -> impl Strategy<Value = Value> {
    let value = prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        prop::collection::vec(any::<String>(), 0..4).prop_map(Value::from),
        prop::collection::btree_map(any::<String>(), any::<u32>(), 0..4).prop_map(|map| json!(map)),
    ];
    prop::collection::btree_map("[a-z\"\\\\é\u{0}]{1,8}", value, 0..24).prop_map(|more| {
        let mut claims = json!(more);
        for name in ["nbf", "iat", "sub", "jti"] {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims["iss"] = ISSUER.into();
        claims["aud"] = json!(["someone", AUDIENCE]);
        claims["exp"] = (NOW + 1).into();
        claims
    })
}

proptest! {
    #[test]
    fn any_claims_come_back_as_they_were(claims in strange_claims()) {
        for algorithm in [Algorithm::Es256, Algorithm::Ed25519, Algorithm::Hs512] {
            let key = key(algorithm);
            let trusted = key.verifying_key().unwrap();
            let text = sign::<Jwt<Value>>(&key, &claims, &rng()).unwrap();
            let token = Unverified::parse(&text).unwrap();
            let verified = token.verify::<Jwt<Value>>(&trusted, &expect()).unwrap();
            prop_assert_eq!(&*verified, &claims);
        }
    }

    #[test]
    fn any_payload_comes_back_as_it_was(payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let key = key(Algorithm::Hs256);
        let text = sign_payload(&key, "x", &payload, &rng()).unwrap();
        let token = Unverified::parse(&text).unwrap();
        let trusted = key.verifying_key().unwrap();
        prop_assert_eq!(*token.verify_payload(&trusted).unwrap(), payload.as_slice());
    }

    #[test]
    fn another_key_never_verifies(pick in any::<prop::sample::Index>()) {
        let algorithms = [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519, Algorithm::Hs256];
        let algorithm = algorithms[pick.index(algorithms.len())];
        let (ours, theirs) = (key(algorithm), key(algorithm));
        let theirs = theirs.with_kid(ours.kid()).unwrap();
        let text = sign::<AccessToken>(&theirs, &claims(), &rng()).unwrap();
        let trusted = ours.verifying_key().unwrap();
        let verdict = Unverified::parse(&text).unwrap().verify::<AccessToken>(&trusted, &expect()).err();
        prop_assert_eq!(verdict, Some(Error::Forged(Forged::Signature)));
    }

    #[test]
    fn nothing_panics_on_any_text(text in any::<String>(), parts in "[A-Za-z0-9_.-]{0,80}") {
        let key = key(Algorithm::Hs256);
        let trusted = key.verifying_key().unwrap();
        for text in [text.as_str(), &parts, &format!("e30.{parts}"), &format!("eyJhbGciOiJIUzI1NiJ9.{parts}")] {
            let accepted = Unverified::parse(text)
                .is_ok_and(|token| token.verify_payload(&trusted).is_ok());
            prop_assert!(!accepted);
            let _ = inspect_unverified(text, &Known::default());
            let _ = symbolon_jose::dpop::UnverifiedProof::parse(text).map(drop);
            let _ = KeySet::from_jwks(text, &Algorithm::ALL).map(drop);
            for algorithm in [Algorithm::Es256, Algorithm::Rs256, Algorithm::Hs256] {
                let _ = symbolon_jose::VerifyingKey::from_jwk(algorithm, text).map(drop);
                let _ = symbolon_jose::VerifyingKey::from_pem(algorithm, text).map(drop);
                let _ = symbolon_jose::SigningKey::from_pem(algorithm, text).map(drop);
            }
        }
    }
}
