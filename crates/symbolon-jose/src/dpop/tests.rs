//! Proofs that fit, and everything that does not.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;

use super::*;
use crate::algorithm::Algorithm;
use crate::error::Forged;
use crate::sign::sign_payload;

const NOW: i64 = 1_800_000_000;
const URL: &str = "https://api.example/orders";

fn claims() -> ProofClaims {
    ProofClaims {
        jti: "j1".to_owned(),
        htm: "GET".to_owned(),
        htu: URL.to_owned(),
        iat: NOW,
        ath: Some(access_token_hash("token")),
        nonce: Some("n1".to_owned()),
    }
}

fn expect() -> ExpectProof<'static> {
    ExpectProof::new("GET", URL, NOW, 60)
        .with_access_token("token")
        .with_nonce("n1")
}

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm, &SystemRandom::new()).unwrap()
}

fn proof(claims: &ProofClaims) -> String {
    sign_proof(&key(Algorithm::Es256), claims, &SystemRandom::new()).unwrap()
}

fn verdict(claims: &ProofClaims, expect: &ExpectProof<'_>) -> Result<(), Error> {
    let proof = proof(claims);
    UnverifiedProof::parse(&proof)?.verify(expect).map(drop)
}

#[test]
fn a_proof_tells_whose_key_it_is() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
        let key = key(algorithm);
        let text = sign_proof(&key, &claims(), &SystemRandom::new()).unwrap();
        let verified = UnverifiedProof::parse(&text).unwrap().verify(&expect());
        let verified = verified.unwrap();
        assert_eq!((&*verified, verified.thumbprint()), (&claims(), key.kid()));
        // The same text is no token of any other kind.
        assert_eq!(Unverified::parse(&text).err(), Some(Malformed::OffersKey));
    }
}

#[test]
fn every_claim_is_held_against_the_request() {
    assert_eq!(verdict(&claims(), &expect()), Ok(()));
    let refused = |claim, why| Err(Error::Refused(Refused::new(claim, why)));
    let change = |change: &dyn Fn(&mut ProofClaims)| {
        let mut claims = claims();
        change(&mut claims);
        verdict(&claims, &expect())
    };
    let unexpected = |claim| refused(claim, Why::Unexpected);
    assert_eq!(
        change(&|claims| claims.htm = "POST".into()),
        unexpected("htm")
    );
    assert_eq!(
        change(&|claims| claims.htm = "get".into()),
        unexpected("htm")
    );
    assert_eq!(
        change(&|claims| claims.htu = "https://api.example/order".into()),
        unexpected("htu")
    );
    assert_eq!(
        change(&|claims| claims.htu = "http://api.example/orders".into()),
        unexpected("htu")
    );
    assert_eq!(
        change(&|claims| claims.ath = None),
        refused("ath", Why::Missing)
    );
    assert_eq!(
        change(&|claims| claims.ath = Some("x".into())),
        unexpected("ath")
    );
    assert_eq!(
        change(&|claims| claims.nonce = None),
        refused("nonce", Why::Missing)
    );
    assert_eq!(
        change(&|claims| claims.nonce = Some("x".into())),
        unexpected("nonce")
    );
    assert_eq!(
        change(&|claims| claims.jti = String::new()),
        refused("jti", Why::Mistyped)
    );
    assert_eq!(change(&|claims| claims.iat = NOW - 60), Ok(()));
    assert_eq!(
        change(&|claims| claims.iat = NOW - 61),
        refused("iat", Why::Expired)
    );
    assert_eq!(change(&|claims| claims.iat = NOW + 5), Ok(()));
    assert_eq!(
        change(&|claims| claims.iat = NOW + 6),
        refused("iat", Why::NotYet)
    );
}

#[test]
fn urls_are_compared_without_query_and_by_host_in_any_case() {
    for (stated, same) in [
        ("https://api.example/orders", true),
        ("https://API.example/orders", true),
        ("https://api.example/orders?x=1#y", true),
        ("https://api.example/Orders", false),
        ("https://api.example:443/orders", false),
        ("https://api.example", false),
        ("api.example/orders", false),
        ("", false),
    ] {
        assert_eq!(same_url(stated, URL), same, "{stated}");
    }
    assert!(same_url("https://api.example", "https://api.example/?q"));
}

#[test]
fn the_key_must_be_public_asymmetric_and_the_one_that_signed() {
    let (ours, theirs) = (key(Algorithm::Es256), key(Algorithm::Es256));
    let rng = SystemRandom::new();
    let payload = serde_json::to_string(&claims()).unwrap();
    let parse = |signer: &SigningKey, jwk: &str| {
        let text = sign::write(signer, TYP, Some(jwk), payload.as_bytes(), &rng).unwrap();
        match UnverifiedProof::parse(&text) {
            Err(malformed) => Err(malformed.into()),
            Ok(proof) => proof.verify(&expect()).map(drop),
        }
    };
    let public = |key: &SigningKey| key.verifying_key().unwrap().to_bare_jwk().unwrap();
    assert_eq!(parse(&ours, &public(&ours)), Ok(()));
    assert_eq!(
        parse(&ours, &public(&theirs)),
        Err(Forged::Signature.into())
    );
    let unusable = Err(Malformed::ProofKey.into());
    assert_eq!(parse(&ours, &ours.dangerous_to_jwk().unwrap()), unusable);
    assert_eq!(parse(&ours, &public(&key(Algorithm::Ed25519))), unusable);
    assert_eq!(parse(&ours, "1"), unusable);
    let secret = key(Algorithm::Hs256);
    assert_eq!(
        parse(&secret, &secret.dangerous_to_jwk().unwrap()),
        unusable
    );
    // The identity point, under which anything verifies.
    let small =
        r#"{"crv":"Ed25519","kty":"OKP","x":"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;
    assert_eq!(parse(&key(Algorithm::Ed25519), small), unusable);
    // No key at all.
    let plain = sign_payload(&ours, TYP, payload.as_bytes(), &rng).unwrap();
    assert_eq!(
        UnverifiedProof::parse(&plain).err(),
        Some(Malformed::ProofKey)
    );
    // Another type.
    let other = sign::write(
        &ours,
        "at+jwt",
        Some(&public(&ours)),
        payload.as_bytes(),
        &rng,
    )
    .unwrap();
    let verdict = UnverifiedProof::parse(&other).unwrap().verify(&expect());
    assert_eq!(verdict.unwrap_err().claim(), Some("typ"));
}
