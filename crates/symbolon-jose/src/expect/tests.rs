//! Every rule about claims, as tables: claims and expectations in, verdict out.
#![expect(clippy::unwrap_used, reason = "tests")]

use serde_json::Value;

use super::*;
use crate::class::Typ;
use crate::json::Claims;

const NOW: i64 = 1_800_000_000;

/// A class that asks for as little as possible.
struct Any;

impl TokenClass for Any {
    type Claims<'a> = Value;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: u64::MAX };
}

struct Short;

impl TokenClass for Short {
    type Claims<'a> = Value;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Expires { longest: 600 };
    const REQUIRED: &'static [&'static str] = &["sub"];
    const FORBIDDEN: &'static [&'static str] = &["nonce"];
}

struct Event;

impl TokenClass for Event {
    type Claims<'a> = Value;
    const TYP: Typ = Typ::Plain;
    const LIFETIME: Lifetime = Lifetime::Fresh { longest: 600 };
}

fn hold<C: TokenClass>(json: &str, expect: &Expect<'_>) -> Result<(), Refused> {
    hold_from::<C>(Some("k1"), json, expect)
}

fn hold_from<C: TokenClass>(
    kid: Option<&str>,
    json: &str,
    expect: &Expect<'_>,
) -> Result<(), Refused> {
    let mut read = Claims::new();
    read.scan(json).unwrap();
    let find = |name: &str| read.find(name).map(|raw| raw.text);
    check::<C>(&read.registered, find, expect, kid)
}

fn expect() -> Expect<'static> {
    Expect::new("me", "you", NOW, 0)
}

/// Claims that are fine but for what is added.
fn with(more: &str) -> String {
    format!(r#"{{"iss":"me","aud":"you",{more}}}"#)
}

fn why<C: TokenClass>(json: &str) -> Option<(String, Why)> {
    hold::<C>(json, &expect())
        .err()
        .map(|refused| (refused.claim().to_owned(), refused.why()))
}

#[expect(clippy::unnecessary_wraps, reason = "what `why` gives")]
fn refusal(claim: &str, why: Why) -> Option<(String, Why)> {
    Some((claim.to_owned(), why))
}

#[test]
fn exp() {
    for (exp, verdict) in [
        ("1800000001", None),
        ("1800000000.5", None),
        ("1.8000000005e9", None),
        ("253402300799", None),
        ("1800000000", Some(Why::Expired)),
        ("1800000000.0", Some(Why::Expired)),
        ("1799999999.9999999999", Some(Why::Expired)),
        ("0", Some(Why::Expired)),
        ("-1", Some(Why::Expired)),
        ("-0.0", Some(Why::Expired)),
        ("253402300800", Some(Why::Mistyped)),
        ("9007199254740993", Some(Why::Mistyped)),
        ("9223372036854775808", Some(Why::Mistyped)),
        ("-9223372036854775808", Some(Why::Mistyped)),
        ("1e308", Some(Why::Mistyped)),
        ("-1e300", Some(Why::Mistyped)),
        ("\"1800000300\"", Some(Why::Mistyped)),
        ("null", Some(Why::Mistyped)),
        ("true", Some(Why::Mistyped)),
        ("[1800000300]", Some(Why::Mistyped)),
        ("{}", Some(Why::Mistyped)),
    ] {
        let found = why::<Any>(&with(&format!("\"exp\":{exp}")));
        assert_eq!(found, verdict.and_then(|why| refusal("exp", why)), "{exp}");
    }
    assert_eq!(
        why::<Any>(r#"{"iss":"me","aud":"you"}"#),
        refusal("exp", Why::Missing)
    );
}

#[test]
fn nbf_and_iat() {
    for name in ["nbf", "iat"] {
        for (time, verdict) in [
            ("1800000000", None),
            ("1800000000.0", None),
            ("-1", None),
            ("0", None),
            ("1800000001", Some(Why::NotYet)),
            ("1800000000.5", Some(Why::NotYet)),
            ("1e308", Some(Why::Mistyped)),
            ("\"1\"", Some(Why::Mistyped)),
            ("null", Some(Why::Mistyped)),
            ("false", Some(Why::Mistyped)),
        ] {
            let found = why::<Any>(&with(&format!("\"exp\":1800000300,\"{name}\":{time}")));
            assert_eq!(
                found,
                verdict.and_then(|why| refusal(name, why)),
                "{name} {time}"
            );
        }
    }
}

#[test]
fn leeway_moves_every_bound_by_itself_and_no_more() {
    let lenient = Expect::new("me", "you", NOW, 5);
    let hold = |more: &str| hold::<Any>(&with(more), &lenient).is_ok();
    assert!(hold("\"exp\":1799999996"));
    assert!(!hold("\"exp\":1799999995"));
    for name in ["nbf", "iat"] {
        assert!(hold(&format!("\"exp\":1800000300,\"{name}\":1800000005")));
        assert!(!hold(&format!("\"exp\":1800000300,\"{name}\":1800000006")));
    }
}

#[test]
fn a_class_bounds_the_life_of_its_tokens() {
    for (times, verdict) in [
        ("\"iat\":1800000000,\"exp\":1800000600", None),
        (
            "\"iat\":1800000000,\"exp\":1800000600.5",
            refusal("exp", Why::TooLong),
        ),
        (
            "\"iat\":1800000000,\"exp\":1800000601",
            refusal("exp", Why::TooLong),
        ),
        ("\"exp\":1800000600", None),
        ("\"exp\":1800000601", refusal("exp", Why::TooLong)),
    ] {
        let found = why::<Short>(&with(&format!("\"sub\":\"s\",{times}")));
        assert_eq!(found, verdict, "{times}");
    }
    for (times, verdict) in [
        ("\"iat\":1799999401", None),
        ("\"iat\":1799999400", refusal("iat", Why::Expired)),
        (
            "\"iat\":1800000000,\"exp\":1800000000",
            refusal("exp", Why::Expired),
        ),
        ("\"jti\":\"j\"", refusal("iat", Why::Missing)),
    ] {
        assert_eq!(why::<Event>(&with(times)), verdict, "{times}");
    }
}

#[test]
fn times_at_the_edges_of_i64_do_not_overflow() {
    for now in [i64::MIN, i64::MAX] {
        let expect = Expect::new("me", "you", now, 255);
        let _ = hold::<Any>(&with("\"exp\":1,\"iat\":1"), &expect);
        let _ = hold::<Event>(&with("\"exp\":1,\"iat\":1"), &expect);
    }
}

#[test]
fn iss() {
    for (iss, verdict) in [
        ("\"me\"", None),
        ("\"\\u006de\"", None),
        ("\"Me\"", Some(Why::Unexpected)),
        ("\"me/\"", Some(Why::Unexpected)),
        ("\"m\"", Some(Why::Unexpected)),
        ("\"me\\u0000\"", Some(Why::Unexpected)),
        ("\"\"", Some(Why::Unexpected)),
        ("[\"me\"]", Some(Why::Mistyped)),
        ("{\"me\":1}", Some(Why::Mistyped)),
        ("null", Some(Why::Mistyped)),
        ("1", Some(Why::Mistyped)),
    ] {
        let json = format!("{{\"iss\":{iss},\"aud\":\"you\",\"exp\":1800000300}}");
        assert_eq!(
            why::<Any>(&json),
            verdict.and_then(|why| refusal("iss", why)),
            "{iss}"
        );
    }
    let missing = r#"{"aud":"you","exp":1800000300}"#;
    assert_eq!(why::<Any>(missing), refusal("iss", Why::Missing));
}

#[test]
fn aud() {
    for (aud, verdict) in [
        ("\"you\"", None),
        ("[\"you\"]", None),
        ("[\"they\",\"y\\u006fu\"]", None),
        ("\"they\"", Some(Why::Unexpected)),
        ("\"you,they\"", Some(Why::Unexpected)),
        ("\"you \"", Some(Why::Unexpected)),
        ("\"\"", Some(Why::Unexpected)),
        ("[]", Some(Why::Unexpected)),
        ("[\"you\",null]", Some(Why::Mistyped)),
        ("[\"you\",1]", Some(Why::Mistyped)),
        ("[[\"you\"]]", Some(Why::Mistyped)),
        ("{\"you\":1}", Some(Why::Mistyped)),
        ("null", Some(Why::Mistyped)),
        ("true", Some(Why::Mistyped)),
    ] {
        let json = format!("{{\"iss\":\"me\",\"aud\":{aud},\"exp\":1800000300}}");
        assert_eq!(
            why::<Any>(&json),
            verdict.and_then(|why| refusal("aud", why)),
            "{aud}"
        );
    }
    let missing = r#"{"iss":"me","exp":1800000300}"#;
    assert_eq!(why::<Any>(missing), refusal("aud", Why::Missing));

    let several = Expect::new("me", ["us", "you"].as_slice(), NOW, 0);
    assert!(hold::<Any>(&with("\"exp\":1800000300"), &several).is_ok());
}

#[test]
fn each_issuer_has_its_own_keys() {
    let issuers = [
        IssuerKeys {
            issuer: "me",
            kids: &["k1", "k3"],
        },
        IssuerKeys {
            issuer: "other",
            kids: &["k2"],
        },
    ];
    let expect = Expect::new(issuers.as_slice(), "you", NOW, 0);
    let verdict = |iss: &str, kid: Option<&str>| {
        let json = format!("{{\"iss\":\"{iss}\",\"aud\":\"you\",\"exp\":1800000300}}");
        hold_from::<Any>(kid, &json, &expect).map_err(|refused| refused.why())
    };
    assert_eq!(verdict("me", Some("k1")), Ok(()));
    assert_eq!(verdict("other", Some("k2")), Ok(()));
    assert_eq!(verdict("me", Some("k2")), Err(Why::OtherIssuersKey));
    assert_eq!(verdict("other", Some("k1")), Err(Why::OtherIssuersKey));
    assert_eq!(verdict("me", None), Err(Why::OtherIssuersKey));
    assert_eq!(verdict("third", Some("k1")), Err(Why::Unexpected));
}

#[test]
fn required_forbidden_and_mistyped_claims() {
    let good = "\"exp\":1800000300,\"sub\":\"s\"";
    assert_eq!(why::<Short>(&with(good)), None);
    assert_eq!(
        why::<Short>(&with("\"exp\":1800000300")),
        refusal("sub", Why::Missing)
    );
    assert_eq!(
        why::<Short>(&with(&format!("{good},\"nonce\":null"))),
        refusal("nonce", Why::Forbidden)
    );
    for (claim, value) in [
        ("sub", "1"),
        ("sub", "null"),
        ("sub", "{}"),
        ("jti", "1"),
        ("jti", "true"),
    ] {
        let json = with(&format!("\"exp\":1800000300,\"{claim}\":{value}"));
        assert_eq!(
            why::<Any>(&json),
            refusal(claim, Why::Mistyped),
            "{claim} {value}"
        );
    }
    let asking = expect().require(&["scope"]);
    let hold = |more: &str| hold::<Any>(&with(more), &asking).map_err(|refused| refused.why());
    assert_eq!(hold("\"exp\":1800000300,\"scope\":\"a\""), Ok(()));
    assert_eq!(hold("\"exp\":1800000300"), Err(Why::Missing));
    assert_eq!(hold("\"exp\":1800000300,\"scope\":null"), Err(Why::Missing));
}
