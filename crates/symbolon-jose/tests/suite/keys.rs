//! Keys in and out: JWK, JWK sets, PEM and DER, and what must not get in or out.
#![expect(clippy::unwrap_used, reason = "tests")]

use super::common::{claims, corpus_pem, expect, key, rng, vector};
use serde_json::{Value, json};
use symbolon_jose::{
    AccessToken, Algorithm, KeySet, Misuse, SigningKey, Unverified, VerifyingKey, sign,
};

/// Whether what one key signs, the other verifies.
fn belong_together(signing: &SigningKey, verifying: &VerifyingKey) -> bool {
    let text = sign::<AccessToken>(signing, &claims(), &rng()).unwrap();
    Unverified::parse(&text)
        .unwrap()
        .verify::<AccessToken>(verifying, &expect())
        .is_ok()
}

#[test]
fn private_keys_survive_every_form() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let verifying = key.verifying_key().unwrap();
        let jwk = key.dangerous_to_jwk().unwrap();
        let back = SigningKey::from_jwk(algorithm, &jwk).unwrap();
        assert_eq!(back.kid(), key.kid());
        assert!(belong_together(&back, &verifying), "{algorithm}");
        if algorithm.is_symmetric() {
            assert!(key.dangerous_to_pem().is_err());
            continue;
        }
        let back = SigningKey::from_pem(algorithm, &key.dangerous_to_pem().unwrap()).unwrap();
        assert_eq!(back.kid(), key.kid());
        assert!(belong_together(&back, &verifying), "{algorithm}");
        let der = key.dangerous_to_pkcs8_der().unwrap();
        assert!(SigningKey::from_pkcs8_der(algorithm, &der).is_ok());
        // Anything behind it is not ours to overlook.
        assert!(SigningKey::from_pkcs8_der(algorithm, &[&der, &[0][..]].concat()).is_err());
    }
}

#[test]
fn public_keys_survive_every_form() {
    for algorithm in Algorithm::ALL.into_iter().filter(|one| !one.is_symmetric()) {
        let key = key(algorithm);
        let verifying = key.verifying_key().unwrap();
        assert_eq!(key.kid(), verifying.thumbprint().unwrap());
        let forms = [
            VerifyingKey::from_jwk(algorithm, &verifying.to_jwk().unwrap()),
            VerifyingKey::from_pem(algorithm, &verifying.to_pem().unwrap()),
            VerifyingKey::from_der(algorithm, &verifying.to_der().unwrap()),
        ];
        for form in forms {
            assert!(belong_together(&key, &form.unwrap()), "{algorithm}");
        }
    }
}

#[test]
fn a_key_fits_one_algorithm_only() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let jwk: Value = serde_json::from_str(&key.dangerous_to_jwk().unwrap()).unwrap();
        for other in Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
        {
            assert_eq!(
                SigningKey::from_jwk(other, &jwk.to_string()).err(),
                Some(Misuse::OtherUse("alg"))
            );
            // Without `alg` it is the caller who binds it, but only to what its type fits.
            let mut bare = jwk.clone();
            bare.as_object_mut().unwrap().remove("alg");
            let loaded = SigningKey::from_jwk(other, &bare.to_string());
            let kind = |one: Algorithm| match one.name().as_bytes() {
                [b'R' | b'P', ..] => "RSA",
                [b'H', ..] => "oct",
                _ => one.name(),
            };
            if loaded.is_ok() {
                assert_eq!(kind(algorithm), kind(other));
            }
            if algorithm.is_symmetric() {
                continue;
            }
            let pem = key.verifying_key().unwrap().to_pem().unwrap();
            let loaded = VerifyingKey::from_pem(other, &pem).is_ok();
            assert_eq!(
                loaded,
                kind(algorithm) == kind(other),
                "{algorithm} {other}"
            );
        }
    }
}

#[test]
fn use_and_key_ops_are_respected() {
    let key = key(Algorithm::Es256);
    let public: Value =
        serde_json::from_str(&key.verifying_key().unwrap().to_jwk().unwrap()).unwrap();
    let private: Value = serde_json::from_str(&key.dangerous_to_jwk().unwrap()).unwrap();
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk.as_object_mut().unwrap().insert(name.to_owned(), value);
        jwk.to_string()
    };
    let verifies =
        |name, value| VerifyingKey::from_jwk(Algorithm::Es256, &with(&public, name, value)).is_ok();
    let signs =
        |name, value| SigningKey::from_jwk(Algorithm::Es256, &with(&private, name, value)).is_ok();
    assert!(verifies("use", json!("sig")));
    assert!(!verifies("use", json!("enc")));
    assert!(verifies("key_ops", json!(["verify"])));
    assert!(verifies("key_ops", json!(["verify", "sign"])));
    assert!(!verifies("key_ops", json!(["sign"])));
    assert!(!verifies("key_ops", json!(["encrypt"])));
    assert!(!verifies("key_ops", json!([])));
    assert!(!verifies("key_ops", json!(["verify", "verify"])));
    assert!(!verifies("key_ops", json!("verify")));
    assert!(signs("key_ops", json!(["sign"])));
    assert!(!signs("key_ops", json!(["verify"])));
    for kid in [json!(""), json!(1), json!(["a"]), json!("k".repeat(129))] {
        assert!(!verifies("kid", kid));
    }
    assert!(verifies("anything", json!({"else": 1})));
}

#[test]
fn damaged_jwks_do_not_load() {
    let key = key(Algorithm::Es256);
    let public = key.verifying_key().unwrap().to_jwk().unwrap();
    let good: Value = serde_json::from_str(&public).unwrap();
    let x = good.get("x").and_then(Value::as_str).unwrap();
    let load = |text: &str| VerifyingKey::from_jwk(Algorithm::Es256, text).is_ok();
    assert!(load(&public));
    for (from, to) in [
        (x.to_owned(), format!("{x}=")),
        (x.to_owned(), format!("AA{x}")),
        (x.to_owned(), x.chars().skip(4).collect()),
        (x.to_owned(), "A".repeat(43)),
        ("\"P-256\"".to_owned(), "\"P-384\"".to_owned()),
        ("\"P-256\"".to_owned(), "\"secp256k1\"".to_owned()),
        ("\"EC\"".to_owned(), "\"OKP\"".to_owned()),
        ("\"EC\"".to_owned(), "\"oct\"".to_owned()),
        ("{".to_owned(), "{\"kty\":\"EC\",".to_owned()),
        ("}".to_owned(), "}{}".to_owned()),
    ] {
        assert!(!load(&public.replacen(&from, &to, 1)), "{from} -> {to}");
    }
}

#[test]
fn private_keys_are_not_taken_for_public_ones() {
    let key = key(Algorithm::Ed25519);
    let jwk = key.dangerous_to_jwk().unwrap();
    let pem = key.dangerous_to_pem().unwrap();
    let burnt = Some(Misuse::PrivateKey);
    assert_eq!(
        VerifyingKey::from_jwk(Algorithm::Ed25519, &jwk).err(),
        burnt
    );
    assert_eq!(
        VerifyingKey::from_pem(Algorithm::Ed25519, &pem).err(),
        burnt
    );
    // And the halves of two keys are no key.
    let other = super::common::key(Algorithm::Ed25519);
    let (ours, theirs): (Value, Value) = (
        serde_json::from_str(&jwk).unwrap(),
        serde_json::from_str(&other.dangerous_to_jwk().unwrap()).unwrap(),
    );
    let mut mixed = ours.clone();
    mixed
        .as_object_mut()
        .unwrap()
        .insert("x".into(), theirs.get("x").unwrap().clone());
    assert!(SigningKey::from_jwk(Algorithm::Ed25519, &mixed.to_string()).is_err());
}

#[test]
fn weak_keys_do_not_sign_either() {
    let weak = SigningKey::from_pem(Algorithm::Rs256, &corpus_pem("rsa1024"));
    assert!(weak.is_err());
    for (algorithm, length) in [
        (Algorithm::Hs256, 32),
        (Algorithm::Hs384, 48),
        (Algorithm::Hs512, 64),
    ] {
        let load = |length| SigningKey::from_secret(algorithm, "k", &vec![7; length]);
        assert!(load(length).is_ok());
        assert!(matches!(load(length - 1), Err(Misuse::WeakKey(_))));
        assert!(matches!(load(0), Err(Misuse::WeakKey(_))));
    }
}

#[test]
fn key_ids_that_we_hand_out_are_plain() {
    for kid in ["", " ", "a b", "a\"b", "a\\b", "é", "a\n", &"k".repeat(129)] {
        assert!(key(Algorithm::Es256).with_kid(kid).is_err(), "{kid}");
    }
    assert!(key(Algorithm::Es256).with_kid("2026-11:es256/1").is_ok());
    assert_ne!(key(Algorithm::Hs256).kid(), key(Algorithm::Hs256).kid());
}

#[test]
fn a_set_publishes_public_keys_only() {
    let keys = [Algorithm::Es256, Algorithm::Hs256, Algorithm::Ed25519].map(key);
    let set = KeySet::new(keys.iter().map(|key| key.verifying_key().unwrap())).unwrap();
    let published: Value = serde_json::from_str(&set.to_jwks()).unwrap();
    let published = published.get("keys").and_then(Value::as_array).unwrap();
    assert_eq!((set.len(), published.len()), (3, 2));
    for jwk in published {
        let names: Vec<&String> = jwk.as_object().unwrap().keys().collect();
        for name in names {
            let public = ["kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"];
            assert!(public.contains(&name.as_str()), "{name}");
        }
    }
    let back = KeySet::from_jwks(&set.to_jwks(), &Algorithm::ALL).unwrap();
    assert_eq!((back.keys.len(), back.skipped.len()), (2, 0));
    assert!(matches!(
        keys[1].verifying_key().unwrap().to_jwk(),
        Err(Misuse::SymmetricKey)
    ));
}

#[test]
fn one_bad_key_does_not_spoil_a_set() {
    let [ours, other] = [key(Algorithm::Es256), key(Algorithm::Es256)];
    let jwk = |key: &SigningKey| -> Value {
        serde_json::from_str(&key.verifying_key().unwrap().to_jwk().unwrap()).unwrap()
    };
    let mut encrypting = jwk(&other);
    encrypting
        .as_object_mut()
        .unwrap()
        .insert("use".into(), "enc".into());
    // The same id as a key for something else is no clash.
    encrypting
        .as_object_mut()
        .unwrap()
        .insert("kid".into(), ours.kid().into());
    let document = json!({"keys": [
        {"kty": "AKP", "alg": "ML-DSA-65", "kid": "pq", "pub": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA", "kid": "damaged"},
        7,
        {"kid": "no-kty"},
        encrypting,
        jwk(&ours),
    ], "other": true});
    let loaded = KeySet::from_jwks(&document.to_string(), &[Algorithm::Es256]).unwrap();
    assert_eq!(loaded.keys.len(), 1);
    let indexes: Vec<usize> = loaded.skipped.iter().map(|key| key.index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4]);
    assert!(belong_together(&ours, loaded.keys.iter().next().unwrap()));
}

#[test]
fn two_keys_with_one_id_are_both_left_out() {
    let [a, b, c] = [
        key(Algorithm::Es256),
        key(Algorithm::Es256),
        key(Algorithm::Es256),
    ];
    let b = b.with_kid(a.kid()).unwrap();
    let jwks: Vec<String> = [&a, &b, &c]
        .map(|key| key.verifying_key().unwrap().to_jwk().unwrap())
        .to_vec();
    let document = format!("{{\"keys\":[{}]}}", jwks.join(","));
    let loaded = KeySet::from_jwks(&document, &[Algorithm::Es256]).unwrap();
    let kids: Vec<_> = loaded.keys.iter().map(VerifyingKey::kid).collect();
    assert_eq!(kids, [Some(c.kid())]);
    assert!(
        loaded
            .skipped
            .iter()
            .all(|key| key.reason == Misuse::DuplicateKeyId)
    );
    let twice = [&a, &b].map(|key| key.verifying_key().unwrap());
    assert!(matches!(KeySet::new(twice), Err(Misuse::DuplicateKeyId)));
}

#[test]
fn a_set_with_secrets_beside_public_keys_is_refused() {
    let public = key(Algorithm::Es256)
        .verifying_key()
        .unwrap()
        .to_jwk()
        .unwrap();
    let secret = key(Algorithm::Hs256).dangerous_to_jwk().unwrap();
    let document = format!("{{\"keys\":[{public},{}]}}", *secret);
    let mixed = KeySet::from_jwks(&document, &Algorithm::ALL);
    assert!(matches!(mixed, Err(Misuse::SymmetricKey)));
}

#[test]
fn sets_that_are_no_sets_are_refused() {
    for text in [
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}x",
        "{\"keys\":[],\"keys\":[]}",
        &format!("{{\"keys\":[{}]}}", vec!["{}"; 257].join(",")),
        &format!("{{\"keys\":[]{}}}", " ".repeat(300_000)),
    ] {
        assert!(KeySet::from_jwks(text, &Algorithm::ALL).is_err());
    }
    let empty = KeySet::from_jwks("{\"keys\":[]}", &Algorithm::ALL)
        .unwrap()
        .keys;
    assert!(empty.is_empty());
}

fn openssl(name: &str) -> String {
    vector(&format!("openssl/{name}.pem"))
}

#[test]
fn older_key_files_hold_the_same_keys() {
    let (es256, rs256) = (Algorithm::Es256, Algorithm::Rs256);
    for (algorithm, older, pkcs8) in [
        (es256, "ec-sec1", "ec-pkcs8"),
        (rs256, "rsa-pkcs1", "rsa-pkcs8"),
    ] {
        let older = SigningKey::from_pem(algorithm, &openssl(older)).unwrap();
        let pkcs8 = SigningKey::from_pem(algorithm, &openssl(pkcs8)).unwrap();
        assert_eq!(older.kid(), pkcs8.kid());
        assert!(belong_together(&older, &pkcs8.verifying_key().unwrap()));
    }
    let key = SigningKey::from_pem(rs256, &openssl("rsa-pkcs8")).unwrap();
    let public = VerifyingKey::from_pem(rs256, &openssl("rsa-pkcs1-public")).unwrap();
    assert!(belong_together(&key, &public));
    assert!(SigningKey::from_pem(Algorithm::Ed25519, &openssl("ed25519-pkcs8")).is_ok());
    for (algorithm, name) in [
        (Algorithm::Es384, "ec-sec1"),
        (Algorithm::Es384, "ec-pkcs8"),
        (rs256, "ec-sec1"),
        (es256, "rsa-pkcs1"),
        (es256, "ed25519-pkcs8"),
        (Algorithm::Hs256, "rsa-pkcs8"),
    ] {
        assert!(SigningKey::from_pem(algorithm, &openssl(name)).is_err());
    }
}

#[test]
fn public_keys_in_unusual_forms_do_not_load() {
    let load = |algorithm, name| VerifyingKey::from_pem(algorithm, &openssl(name)).is_ok();
    assert!(load(Algorithm::Es256, "ec-public"));
    // A compressed point, the curve spelled out (CVE-2020-0601), a key restricted to PSS.
    assert!(!load(Algorithm::Es256, "ec-compressed-public"));
    assert!(!load(Algorithm::Es256, "ec-explicit-public"));
    assert!(!load(Algorithm::Ps256, "rsa-pss-only-public"));
    assert!(!load(Algorithm::Rs256, "rsa-pss-only-public"));
}

#[test]
fn damaged_pem_does_not_load() {
    let pem = key(Algorithm::Es256).dangerous_to_pem().unwrap();
    let load = |text: &str| SigningKey::from_pem(Algorithm::Es256, text).is_ok();
    assert!(load(&format!("\n{}\r\n", pem.replace('\n', "\r\n"))));
    for bent in [
        pem.replace("-----BEGIN PRIVATE", "-----BEGIN RSA PRIVATE"),
        pem.replace("PRIVATE KEY", "CERTIFICATE"),
        pem.replace("-----END", "----END"),
        format!("{}{}", *pem, *pem),
        format!("text before\n{}", *pem),
        pem.replace('\n', "!"),
        pem.replace('=', ""),
        format!("{}{}", *pem, " ".repeat(40_000)),
    ] {
        assert!(!load(&bent), "{bent}");
    }
}
