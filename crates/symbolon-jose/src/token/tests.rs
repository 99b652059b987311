//! Whose fault a refusal is, and which key is asked.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use aws_lc_rs::rand::SystemRandom;

use super::*;
use crate::class::Jwt;
use crate::key::{KeySet, SigningKey};
use crate::sign::sign_payload;

fn part(text: &str) -> String {
    base64url::encode(text.as_bytes())
}

fn code(token: &str) -> &'static str {
    Unverified::parse(token).err().map_or("", Malformed::code)
}

#[test]
fn malformed_tokens_say_what_is_wrong() {
    let header = |json: &str| format!("{}.e30.AAAA", part(json));
    let with = |members: &str| header(&format!(r#"{{"alg":"ES256",{members}}}"#));
    for (token, expected) in [
        (header(r#"{"alg":"ES256"}"#), ""),
        (
            with(r#""x5c":["AAAA"],"x5t":"A","cty":"JWT","typ":"x""#),
            "",
        ),
        ("A".repeat(MAX_TOKEN_BYTES + 1), "malformed.too-long"),
        (String::new(), "malformed.parts"),
        ("AAAA".to_owned(), "malformed.parts"),
        ("AAAA.AAAA".to_owned(), "malformed.parts"),
        ("AAAA.AAAA.AAAA.".to_owned(), "malformed.parts"),
        ("AAAA.AAAA.AAAA.AAAA.AAAA".to_owned(), "malformed.parts"),
        (".".repeat(MAX_TOKEN_BYTES), "malformed.parts"),
        ("AAAA.AA=.AAAA".to_owned(), "malformed.base64"),
        ("AAAA.AAAA.AAB".to_owned(), "malformed.base64"),
        ("AA AA.AAAA.AAAA".to_owned(), "malformed.base64"),
        (
            format!("{}.e30.AAAA", base64url::encode(b"\xff")),
            "malformed.utf8",
        ),
        (header(""), "malformed.json"),
        (header("[]"), "malformed.json"),
        (header(r#"{"alg":"ES256"}x"#), "malformed.json"),
        (with(r#""a":1,"\u0061":1"#), "malformed.duplicate"),
        (
            with(&format!("\"a\":{}", "[".repeat(99))),
            "malformed.depth",
        ),
        (header("{}"), "malformed.alg"),
        (header(r#"{"alg":"none"}"#), "malformed.alg"),
        (header(r#"{"alg":"es256"}"#), "malformed.alg"),
        (header(r#"{"alg":["ES256"]}"#), "malformed.alg"),
        (with(r#""kid":"""#), "malformed.kid"),
        (with(r#""kid":7"#), "malformed.kid"),
        (
            with(&format!("\"kid\":\"{}\"", "k".repeat(129))),
            "malformed.kid",
        ),
        (with(r#""typ":null"#), "malformed.typ"),
        (with(r#""crit":["exp"]"#), "malformed.crit"),
        (with(r#""b64":true"#), "malformed.crit"),
        (with(r#""jwk":{}"#), "malformed.offers-key"),
        (with(r#""jku":"https://x""#), "malformed.offers-key"),
        (with(r#""x5u":"https://x""#), "malformed.offers-key"),
    ] {
        assert_eq!(code(&token), expected, "{token:.80}");
    }
}

#[test]
fn escaped_fields_are_read_as_what_they_say() {
    let json = r#"{"\u0061lg":"\u0045S256","kid":"a\u002fb","typ":"at\u002bjwt"}"#;
    let text = format!("{}.e30.AAAA", part(json));
    let token = Unverified::parse(&text).unwrap();
    assert_eq!(token.algorithm(), Algorithm::Es256);
    assert_eq!((token.kid(), token.typ()), (Some("a/b"), Some("at+jwt")));
}

#[test]
fn only_the_named_key_is_asked() {
    let rng = SystemRandom::new();
    let make = |algorithm, kid| {
        let key = SigningKey::generate(algorithm, &rng).unwrap();
        key.with_kid(kid).unwrap()
    };
    let (a, b) = (make(Algorithm::Es256, "a"), make(Algorithm::Es256, "b"));
    let verdict = |token: &str, keys: &dyn Fn(Option<&str>) -> Option<VerifyingKey>| {
        let token = Unverified::parse(token).unwrap();
        let Some(key) = keys(token.kid()) else {
            return Err(Forged::UnknownKey.into());
        };
        token.verify_payload(&key).map(drop)
    };
    let public = |key: &SigningKey| key.verifying_key().unwrap();
    let both = KeySet::new([public(&a), public(&b)]).unwrap();
    let lone = KeySet::new([public(&a)]).unwrap();
    let from = |keys: &KeySet, token: &str| verdict(token, &|kid| keys.find(kid).cloned());
    let token = |key: &SigningKey| sign_payload(key, "x", b"{}", &rng).unwrap();

    assert_eq!(from(&both, &token(&a)), Ok(()));
    assert_eq!(from(&both, &token(&b)), Ok(()));
    assert_eq!(from(&lone, &token(&b)), Err(Forged::UnknownKey.into()));
    // Signed by b in a's name.
    let posing = make(Algorithm::Es256, "a");
    assert_eq!(from(&both, &token(&posing)), Err(Forged::Signature.into()));
    let other = make(Algorithm::Ed25519, "a");
    assert_eq!(
        from(&both, &token(&other)),
        Err(Forged::WrongAlgorithm.into())
    );

    // Without a name there must be no choice.
    let header = part(r#"{"alg":"ES256"}"#);
    let nameless = format!("{header}.e30.{}", base64url::encode(&[1; 64]));
    assert_eq!(from(&both, &nameless), Err(Forged::UnknownKey.into()));
    assert_eq!(from(&lone, &nameless), Err(Forged::Signature.into()));
    assert_eq!(
        from(&KeySet::default(), &nameless),
        Err(Forged::UnknownKey.into())
    );
    // A lone key answers to its own name only, and to every name if it has none.
    let parsed = token(&b);
    let parsed = Unverified::parse(&parsed).unwrap();
    assert_eq!(
        parsed.verify_payload(&public(&a)).err(),
        Some(Forged::UnknownKey.into())
    );
    let unnamed = VerifyingKey::from_pem(Algorithm::Es256, &public(&b).to_pem().unwrap());
    assert!(parsed.verify_payload(&unnamed.unwrap()).is_ok());
}

#[test]
fn payloads_that_are_no_claims_are_malformed_after_the_signature() {
    let rng = SystemRandom::new();
    let key = SigningKey::generate(Algorithm::Hs256, &rng).unwrap();
    let trusted = key.verifying_key().unwrap();
    let expect = Expect::new("me", "you", 0, 0);
    for (payload, expected) in [
        (b"".as_slice(), "malformed.json"),
        (b"1", "malformed.json"),
        (b"[{}]", "malformed.json"),
        (b"{}{}", "malformed.json"),
        (b"\xef\xbb\xbf{}", "malformed.json"),
        (b"{\"a\":\"\xff\"}", "malformed.utf8"),
        (b"{\"a\":1,\"a\":1}", "malformed.duplicate"),
        (b"{}", "refused.missing"),
    ] {
        let text = sign_payload(&key, "JWT", payload, &rng).unwrap();
        let token = Unverified::parse(&text).unwrap();
        assert_eq!(*token.verify_payload(&trusted).unwrap(), payload);
        let verdict = token.verify::<Jwt<serde_json::Value>>(&trusted, &expect);
        assert_eq!(verdict.unwrap_err().code(), expected);
        // A bent signature hides all of that.
        let bent = if text.ends_with('A') { "E" } else { "A" };
        let bent = format!("{}{bent}", text.get(..text.len() - 1).unwrap());
        let verdict = Unverified::parse(&bent)
            .unwrap()
            .verify::<Jwt<serde_json::Value>>(&trusted, &expect)
            .err();
        assert_eq!(verdict, Some(Forged::Signature.into()));
    }
}
