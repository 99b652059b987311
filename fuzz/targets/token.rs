//! A token from outside: no panic, and accepted only if it is what the keys and the rules say.
//!
//! Random bytes never pass a signature, so an input with a line break is read as a header and a
//! payload too, which are then signed with the trusted key: that is how the fuzzer gets behind it.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use symbolon_jose::inspect::{Known, inspect_unverified};
use symbolon_jose::{
    AccessToken, Algorithm, Expect, IdToken, Jwt, KeySet, LogoutToken, SecurityEventToken,
    SigningKey, Unverified,
};

const ISSUER: &str = "https://as.example";
const AUDIENCE: &str = "https://api.example";
const NOW: i64 = 1_800_000_000;
const SECRET: &[u8; 32] = b"fuzzing: 32 bytes that all know!";

static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
    let key = SigningKey::from_secret(Algorithm::Hs256, "k1", SECRET).unwrap();
    // A second one, so that a token without a key id is refused.
    let other = b"fuzzing: 48 more bytes that are known to everyone";
    let other = SigningKey::from_secret(Algorithm::Hs384, "k2", other).unwrap();
    KeySet::new([key, other].map(|key| key.verifying_key().unwrap())).unwrap()
});

fuzz_target!(|text: &str| {
    judge(text);
    if let Some((header, payload)) = text.split_once('\n') {
        judge(&signed(header, payload));
    }
});

fn judge(token: &str) {
    let known = Known {
        keys: Some(&KEYS),
        issuer: Some(ISSUER),
        audience: Some(AUDIENCE),
        now: Some(NOW),
        leeway: 0,
    };
    assert!(!inspect_unverified(token, &known).checks.is_empty());

    let Ok(read) = Unverified::parse(token) else {
        return;
    };
    let expect = Expect::new(ISSUER, AUDIENCE, NOW, 0);
    let mut types = Vec::new();
    if let Ok(claims) = read.verify::<AccessToken>(&*KEYS, &expect) {
        types.push("at+jwt");
        assert!(claims.iss == ISSUER && claims.aud.contains(AUDIENCE));
        assert!(claims.exp > NOW && claims.iat <= NOW && claims.exp - claims.iat <= 24 * 3600);
    }
    if read.verify::<LogoutToken>(&*KEYS, &expect).is_ok() {
        types.push("logout+jwt");
    }
    if read.verify::<SecurityEventToken>(&*KEYS, &expect).is_ok() {
        types.push("secevent+jwt");
    }
    assert!(types.len() <= 1, "one token, one class: {types:?}");
    let id = read.verify::<IdToken>(&*KEYS, &expect).is_ok();
    let plain = read.verify::<Jwt<Value>>(&*KEYS, &expect).is_ok();
    assert!(
        types.is_empty() || !(id || plain),
        "no typed token passes as a plain one"
    );

    let payload = read.verify_payload(&*KEYS);
    if let Ok(payload) = &payload {
        genuine(token, payload);
    }
    if plain || id || !types.is_empty() {
        claims_hold(payload.unwrap().claims());
    }
}

/// The same verdict by other means: another decoder, another JSON parser, the bare HMAC.
fn genuine(token: &str, payload: &[u8]) {
    let parts: Vec<_> = token.split('.').collect();
    let [header, body, signature] = parts[..] else {
        panic!("three parts")
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, format!("{header}.{body}").as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(tag), signature);
    assert_eq!(URL_SAFE_NO_PAD.decode(body).unwrap(), payload);
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert!(header["alg"] == "HS256" && header["kid"] == "k1");
    for refused in ["crit", "b64", "jku", "jwk", "x5u"] {
        assert!(header.get(refused).is_none(), "{refused}");
    }
}

/// Accepted, whatever the class: ours, for us, and not over.
fn claims_hold(payload: &[u8]) {
    let claims: Value = serde_json::from_slice(payload).unwrap();
    assert!(claims["iss"] == ISSUER);
    let ours = match &claims["aud"] {
        Value::Array(names) => names.iter().any(|name| name == AUDIENCE),
        name => name == AUDIENCE,
    };
    assert!(ours);
    let seconds = |name: &str| claims.get(name).map(|value| value.as_f64().unwrap());
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let now = NOW as f64;
    assert!(seconds("exp").is_none_or(|exp| exp > now));
    assert!(seconds("nbf").is_none_or(|nbf| nbf <= now));
    assert!(seconds("iat").is_none_or(|iat| iat <= now));
}

fn signed(header: &str, payload: &str) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let tag = hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}
