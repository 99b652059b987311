//! Keys against Wycheproof, CCTV and ed25519-speccheck, below the level of tokens.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, which read their vectors from files"
)]

use serde_json::Value;

use super::*;
use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::Misuse;

fn vectors(path: &str) -> Value {
    let path = format!("{}/tests/vectors/{path}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let digit = |at| u8::from_str_radix(text.get(at..at + 2).unwrap(), 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Runs a Wycheproof file whose groups are public keys; every form of a key must load alike.
fn wycheproof(algorithm: Algorithm, file: &str) {
    let mut counts = [0, 0];
    for group in vectors(&format!("wycheproof/{file}"))["testGroups"]
        .as_array()
        .unwrap()
    {
        let pem = group["publicKeyPem"].as_str().unwrap();
        let key = VerifyingKey::from_pem(algorithm, pem).expect(pem);
        let der = hex(&group["publicKeyDer"]);
        assert_eq!(key.to_der().unwrap(), der);
        assert!(VerifyingKey::from_der(algorithm, &der).is_ok());
        let again = VerifyingKey::from_jwk(algorithm, &key.to_jwk().unwrap()).unwrap();
        assert_eq!(again.to_pem().unwrap().trim(), pem.trim());
        for test in group["tests"].as_array().unwrap() {
            let verdict = again.verify(&hex(&test["msg"]), &hex(&test["sig"]));
            match test["result"].as_str().unwrap() {
                "valid" => assert_eq!(verdict, Ok(()), "{file} {test}"),
                // Like a DigestInfo without its NULL: RFC 8017 lets a verifier be strict.
                _ => assert!(verdict.is_err(), "{file} {test}"),
            }
            counts[usize::from(verdict.is_ok())] += 1;
        }
    }
    assert!(counts[0] > 0 && counts[1] > 0, "{file} {counts:?}");
}

#[test]
fn wycheproof_ecdsa() {
    wycheproof(Algorithm::Es256, "ecdsa_secp256r1_sha256_p1363_test.json");
    wycheproof(Algorithm::Es384, "ecdsa_secp384r1_sha384_p1363_test.json");
}

#[test]
fn wycheproof_ed25519() {
    wycheproof(Algorithm::Ed25519, "ed25519_test.json");
}

#[test]
fn wycheproof_rsa_pkcs1() {
    wycheproof(Algorithm::Rs256, "rsa_signature_2048_sha256_test.json");
    wycheproof(Algorithm::Rs256, "rsa_signature_4096_sha256_test.json");
    wycheproof(Algorithm::Rs384, "rsa_signature_2048_sha384_test.json");
    wycheproof(Algorithm::Rs512, "rsa_signature_2048_sha512_test.json");
}

#[test]
fn wycheproof_rsa_pss() {
    wycheproof(Algorithm::Ps256, "rsa_pss_2048_sha256_mgf1_32_test.json");
    wycheproof(Algorithm::Ps384, "rsa_pss_2048_sha384_mgf1_48_test.json");
    wycheproof(Algorithm::Ps512, "rsa_pss_4096_sha512_mgf1_64_test.json");
}

#[test]
fn wycheproof_hmac() {
    for (algorithm, file, length) in [
        (Algorithm::Hs256, "hmac_sha256_test.json", 32),
        (Algorithm::Hs384, "hmac_sha384_test.json", 48),
        (Algorithm::Hs512, "hmac_sha512_test.json", 64),
    ] {
        let mut verified = 0;
        for group in vectors(&format!("wycheproof/{file}"))["testGroups"]
            .as_array()
            .unwrap()
        {
            for test in group["tests"].as_array().unwrap() {
                let secret = hex(&test["key"]);
                let key = SigningKey::from_secret(algorithm, "k", &secret);
                if secret.len() < length {
                    assert!(matches!(key, Err(Misuse::WeakKey(_))));
                    continue;
                }
                let key = key.and_then(|key| key.verifying_key()).unwrap();
                let tag = hex(&test["tag"]);
                let verdict = key.verify(&hex(&test["msg"]), &tag);
                // A truncated tag is no tag of a JWS, however good the rest is.
                let valid = test["result"] == "valid" && tag.len() == length;
                assert_eq!(verdict.is_ok(), valid, "{test}");
                verified += usize::from(valid);
            }
        }
        assert!(verified > 20, "{file}");
    }
}

fn ed25519(point: &[u8]) -> Result<VerifyingKey, Misuse> {
    let x = base64url::encode(point);
    let jwk = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#);
    VerifyingKey::from_jwk(Algorithm::Ed25519, &jwk)
}

/// Every edge of the points A and R: keys of small order do not load, and the equation is the one
/// without cofactor, with R compared as it was sent.
#[test]
fn ed25519_edge_cases_of_cctv() {
    let mut counts = [0; 3];
    for case in vectors("ed25519/cctv_ed25519vectors.json")
        .as_array()
        .unwrap()
    {
        let has = |flag| {
            let flags = case["flags"].as_array();
            flags.is_some_and(|flags| flags.iter().any(|own| own == flag))
        };
        let Ok(key) = ed25519(&hex(&case["key"])) else {
            assert!(has("low_order_A"), "{case}");
            counts[0] += 1;
            continue;
        };
        assert!(!has("low_order_A"), "{case}");
        let message = case["msg"].as_str().unwrap().as_bytes();
        let verdict = key.verify(message, &hex(&case["sig"]));
        let good = !has("low_order_residue") && !has("non_canonical_R");
        assert_eq!(verdict.is_ok(), good, "{case}");
        counts[1 + usize::from(good)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
}

/// "Taming the many EdDSAs", table 5: the verdicts of a strict verifier without cofactor.
#[test]
fn ed25519_speccheck() {
    let verdicts: Vec<bool> = vectors("ed25519/speccheck_cases.json")
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            ed25519(&hex(&case["pub_key"])).is_ok_and(|key| {
                key.verify(&hex(&case["message"]), &hex(&case["signature"]))
                    .is_ok()
            })
        })
        .collect();
    // 0, 1: small-order A. 4, 5: verify only with cofactor. 6, 7: S beyond L.
    // 8, 9: non-canonical R. 10, 11: non-canonical A of small order.
    let accepted: Vec<usize> = (0..verdicts.len()).filter(|at| verdicts[*at]).collect();
    assert_eq!(accepted, [2, 3]);
}

#[test]
fn rsa_keys_that_are_too_weak_do_not_load() {
    let n = |bits: usize| {
        let mut n = vec![0xff; bits / 8];
        n[0] = 0x80;
        n
    };
    let check = |n: &[u8], e: &[u8]| strength::check_rsa(n, e);
    assert_eq!(check(&n(2048), &[1, 0, 1]), Ok(()));
    assert_eq!(check(&n(2048), &[3]), Ok(()));
    assert_eq!(check(&n(8192), &[3]), Ok(()));
    let weak = |verdict| matches!(verdict, Err(Misuse::WeakKey(_)));
    assert!(weak(check(&n(2040), &[3])));
    let mut short = n(2048);
    short[0] = 0x7f;
    assert!(weak(check(&short, &[3])));
    let mut even = n(2048);
    *even.last_mut().unwrap() = 0xfe;
    assert!(weak(check(&even, &[3])));
    for e in [&[1][..], &[2], &[1, 0, 0], &[4, 0, 0, 0, 1]] {
        assert!(weak(check(&n(2048), e)), "{e:?}");
    }
    assert!(check(&n(8200), &[3]).is_err());
    assert!(check(&[&[0], n(2048).as_slice()].concat(), &[3]).is_err());
    assert!(check(&n(2048), &[0, 3]).is_err());
    assert!(check(&n(2048), &[]).is_err());
    assert!(check(&[], &[3]).is_err());
}

#[test]
fn hmac_secrets_that_are_key_files_do_not_load() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEADNoxOsiWj25VQQ7XdHoZk5YFLCzq8tI9iKb5HuLwPzs=\n-----END PUBLIC KEY-----\n";
    let key = VerifyingKey::from_pem(Algorithm::Ed25519, pem).unwrap();
    let (der, jwk) = (key.to_der().unwrap(), key.to_jwk().unwrap());
    for secret in [
        pem.as_bytes(),
        format!("\r\n {pem}").as_bytes(),
        format!("\u{feff}{pem}").as_bytes(),
        &der,
        jwk.as_bytes(),
        format!("\n {jwk}\n").as_bytes(),
        b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAzaMTrIlo9uVUEO13R6GZOWBSws6vLS",
    ] {
        let loaded = SigningKey::from_secret(Algorithm::Hs256, "k", secret);
        assert!(matches!(loaded, Err(Misuse::WeakKey(_))));
    }
}

#[test]
fn der_is_strict() {
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEADNoxOsiWj25VQQ7XdHoZk5YFLCzq8tI9iKb5HuLwPzs=\n-----END PUBLIC KEY-----\n";
    let key = VerifyingKey::from_pem(Algorithm::Ed25519, pem).unwrap();
    let der = key.to_der().unwrap();
    let load = |der: &[u8]| VerifyingKey::from_der(Algorithm::Ed25519, der).is_ok();
    assert!(load(&der));
    // Something behind it, a length in long form, an indefinite length, every truncation.
    assert!(!load(&[&der, &[0][..]].concat()));
    assert!(!load(&[&[0x30, 0x81, 0x2a], &der[2..]].concat()));
    assert!(!load(&[&[0x30, 0x80], &der[2..], &[0, 0]].concat()));
    for end in 0..der.len() {
        assert!(!load(&der[..end]));
    }
    for (at, bit) in (0..12).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut bent = der.clone();
        bent[at] ^= 1 << bit;
        assert!(!load(&bent), "{at} {bit}");
    }
}
