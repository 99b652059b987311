//! What is shown of tokens good, bad and ugly.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;
use serde_json::{Value, json};

use super::*;
use crate::algorithm::Algorithm;
use crate::class::Jwt;
use crate::key::SigningKey;
use crate::sign::sign;

const NOW: i64 = 1_800_000_000;

fn token(claims: &Value) -> (String, KeySet) {
    let rng = SystemRandom::new();
    let key = SigningKey::generate(Algorithm::Es256, &rng).unwrap();
    let keys = KeySet::new([key.verifying_key().unwrap()]).unwrap();
    (sign::<Jwt<Value>>(&key, claims, &rng).unwrap(), keys)
}

fn claims() -> Value {
    json!({"iss": "me", "aud": ["you", "they"], "exp": NOW + 300, "iat": NOW, "sub": "alice"})
}

fn verdict(seen: &Inspection, name: &str) -> (Verdict, String) {
    let check = seen.checks.iter().find(|check| check.name == name).unwrap();
    (check.verdict, check.reason.clone())
}

#[test]
fn a_good_token_passes_every_check() {
    let (text, keys) = token(&claims());
    let known = Known {
        keys: Some(&keys),
        issuer: Some("me"),
        audience: Some("they"),
        now: Some(NOW),
        leeway: 0,
    };
    let seen = inspect_unverified(&text, &known);
    assert!(seen.nothing_fails());
    assert!(
        seen.checks
            .iter()
            .all(|check| check.verdict == Verdict::Pass)
    );
    let names: Vec<&str> = seen.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        [
            "format",
            "key",
            "signature",
            "claims",
            "iss",
            "aud",
            "exp",
            "nbf",
            "iat"
        ]
    );
    assert_eq!(verdict(&seen, "exp").1, "1800000300, 300 s from now");
    assert_eq!(
        serde_json::from_str::<Value>(&seen.payload).unwrap(),
        claims()
    );
    assert!(seen.header.contains("\"alg\": \"ES256\""));
    assert_eq!(text.rsplit('.').next(), Some(seen.signature.as_str()));

    // The same token, other expectations: exactly those checks fail.
    let others = KeySet::default();
    for (known, failing) in [
        (
            Known {
                keys: Some(&others),
                ..known
            },
            "key",
        ),
        (
            Known {
                issuer: Some("else"),
                ..known
            },
            "iss",
        ),
        (
            Known {
                audience: Some("else"),
                ..known
            },
            "aud",
        ),
        (
            Known {
                now: Some(NOW + 300),
                ..known
            },
            "exp",
        ),
        (
            Known {
                now: Some(NOW - 1),
                ..known
            },
            "iat",
        ),
    ] {
        let seen = inspect_unverified(&text, &known);
        let fails = |check: &&Check| check.verdict == Verdict::Fail;
        let failed: Vec<&str> = seen
            .checks
            .iter()
            .filter(fails)
            .map(|check| check.name)
            .collect();
        assert_eq!(failed, [failing]);
    }
}

#[test]
fn what_is_not_known_is_unknown() {
    let (text, _) = token(&claims());
    let seen = inspect_unverified(&text, &Known::default());
    for name in ["key", "signature", "iss", "aud", "exp", "iat"] {
        assert_eq!(verdict(&seen, name).0, Verdict::Unknown, "{name}");
    }
    assert!(seen.nothing_fails());
}

#[test]
fn a_bent_signature_fails_there() {
    let (mut text, keys) = token(&claims());
    let bent = if text.ends_with('A') { "Q" } else { "A" };
    text.replace_range(text.len() - 1.., bent);
    let known = Known {
        keys: Some(&keys),
        ..Known::default()
    };
    let seen = inspect_unverified(&text, &known);
    assert_eq!(verdict(&seen, "signature").0, Verdict::Fail);
    assert_eq!(verdict(&seen, "key").0, Verdict::Pass);
}

#[test]
fn what_no_verifier_takes_is_still_shown_and_harmless() {
    let shown = |text: &str| inspect_unverified(text, &Known::default());
    let part = |text: &str| base64url::encode(text.as_bytes());
    let none = shown(&format!(
        "{}.{}.",
        part("{\"alg\":\"none\"}"),
        part("{\"a\":1,\"a\":2}")
    ));
    assert_eq!(none.header, "{\n  \"alg\": \"none\"\n}");
    // Not JSON as we take it, so as it came.
    assert_eq!(none.payload, "{\"a\":1,\"a\":2}");
    assert_eq!(
        verdict(&none, "format"),
        (Verdict::Fail, "alg is missing or unknown".to_owned())
    );
    assert!(!none.nothing_fails());

    let drawing = shown(&format!(
        "{}.x\u{1b}[31m\u{202e}.\u{9b}",
        part("{\"alg\":\"\u{9b}2J\"}")
    ));
    for part in [&drawing.header, &drawing.payload, &drawing.signature] {
        assert!(!part.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{part:?}");
    }
    for text in [
        "",
        ".",
        "..",
        "...",
        "é.é.é",
        &"é".repeat(20_000),
        &".".repeat(1_000_000),
    ] {
        assert!(!shown(text).nothing_fails());
    }
}
