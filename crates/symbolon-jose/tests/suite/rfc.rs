//! The examples of RFC 7515, 7520, 7638, 7797 and 8037.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::common::vector;
use super::judge::{self, Verdict};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use symbolon_jose::{Algorithm, Unverified, VerifyingKey};

fn vectors() -> Value {
    serde_json::from_str(&vector("rfc/rfc_vectors.json")).unwrap()
}

#[test]
fn example_tokens() {
    let mut accepted = 0;
    for case in vectors()["tokens"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let Some(algorithm) = Algorithm::from_name(case["allowed_algs"][0].as_str().unwrap())
        else {
            assert_eq!(case["allowed_algs"][0], "ES512", "{name}");
            continue;
        };
        let (verdict, reason) = judge::judge(case);
        // Only the compact serialization is read: no JSON forms, nothing detached, no `b64`.
        if case["api"] != "jws" || case["expected"] == "reject" {
            assert_eq!(verdict, Verdict::Reject, "{name}");
            continue;
        }
        assert_eq!((verdict, reason.as_str()), (Verdict::Accept, ""), "{name}");
        let key = VerifyingKey::from_jwk(algorithm, &case["key"].to_string()).unwrap();
        let token = Unverified::parse(case["token"].as_str().unwrap()).unwrap();
        let payload = token.verify_payload(&key).unwrap().into_claims();
        match (case["payload"].as_str(), case["payload_b64"].as_str()) {
            (Some(text), _) => assert_eq!(payload, text.as_bytes(), "{name}"),
            (_, text) => assert_eq!(URL_SAFE_NO_PAD.encode(payload), text.unwrap(), "{name}"),
        }
        accepted += 1;
    }
    assert_eq!(accepted, 7);
}

#[test]
fn thumbprints() {
    for case in vectors()["oracles"]["jwk_thumbprint"].as_array().unwrap() {
        let jwk = case["jwk"].to_string();
        let key = [Algorithm::Ed25519, Algorithm::Rs256]
            .into_iter()
            .find_map(|algorithm| VerifyingKey::from_jwk(algorithm, &jwk).ok())
            .unwrap();
        assert_eq!(key.thumbprint().unwrap(), case["sha256"].as_str().unwrap());
    }
}
