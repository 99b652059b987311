//! The reader against JSONTestSuite, against `serde_json`, and against what attackers send.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests, which read their vectors from files"
)]

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::error::JsonFault;

fn read(text: &str) -> Result<Value, ReadError> {
    let mut reader = Reader::new(text);
    let value = Value::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Reading, skipping and the claims' own pass must agree on what is JSON and what it says.
fn both(text: &str) -> Result<Value, ReadError> {
    let read = read(text);
    let skipped = Reader::check(text);
    if let Err(fault) = skipped {
        assert_eq!(read, Err(fault.into()), "{text}");
    }
    let mut claims = Claims::new();
    let scanned = claims.scan(text);
    match (skipped, scanned) {
        (Ok(b'{'), scanned) => {
            assert_eq!(scanned, Ok(()), "{text}");
            let claims = claims.read::<Value>();
            // Whatever was skipped need not be finite.
            assert_eq!(claims.map_err(|(error, _)| error), read, "{text}");
        }
        (Ok(_), scanned) => assert_eq!(scanned, Err(JsonFault::NotObject), "{text}"),
        (Err(fault), scanned) => assert_eq!(scanned, Err(fault), "{text}"),
    }
    read
}

#[test]
fn json_test_suite() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/json/jsontestsuite.jsonl"
    );
    let mut counts = [0; 3];
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let raw = STANDARD.decode(case["raw_b64"].as_str().unwrap()).unwrap();
        let file = case["file"].as_str().unwrap();
        let accepted = std::str::from_utf8(&raw).is_ok_and(|text| both(text).is_ok());
        match file.as_bytes()[0] {
            // Names twice in one object are JSON, but not ours.
            b'y' if file.contains("duplicated_key") => assert!(!accepted, "{file}"),
            b'y' => assert!(accepted, "{file}"),
            b'n' => assert!(!accepted, "{file}"),
            _ => counts[2] += 1,
        }
        counts[usize::from(accepted)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 30), "{counts:?}");
}

#[test]
fn a_name_twice_is_refused_wherever_it_stands() {
    let duplicate = ReadError::Fault(JsonFault::Duplicate);
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"\u0061":1,"a":2}"#,
        r#"{"\u0061":1,"\u0061":2}"#,
        r#"{"x":{"y":[{"a":1,"b":2,"a":3}]}}"#,
        r#"{"":1,"":2}"#,
        "{\"\u{e9}\":1,\"\\u00e9\":2}",
    ] {
        assert_eq!(both(text), Err(duplicate), "{text}");
    }
    // Beyond the names that are kept inline, too.
    let names: Vec<String> = (0..40).map(|n| format!("\"n{n}\":{n}")).collect();
    let many = names.join(",");
    assert!(both(&format!("{{{many}}}")).is_ok());
    for n in 0..40 {
        assert_eq!(both(&format!("{{{many},\"n{n}\":0}}")), Err(duplicate));
    }
    // Case differs, normalization differs: other names.
    assert!(both(r#"{"exp":1,"EXP":2,"e\u0301":3,"\u00e9":4}"#).is_ok());
}

#[test]
fn depth_is_bounded_and_deep_text_does_not_overflow_the_stack() {
    let nest = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(both(&nest(usize::from(MAX_DEPTH))).is_ok());
    let deep = Err(ReadError::Fault(JsonFault::TooDeep));
    assert_eq!(both(&nest(usize::from(MAX_DEPTH) + 1)), deep);
    assert_eq!(both(&nest(1_000_000)), deep);
    assert_eq!(both(&"{\"a\":".repeat(1_000_000)), deep);
    // Beside each other is not inside each other.
    assert!(both(&format!("[{}1]", "[],{\"a\":[]},".repeat(1000))).is_ok());
}

#[test]
fn numbers_are_finite() {
    assert_eq!(both("1e400").unwrap_err(), JsonFault::Syntax.into());
    assert_eq!(both("18446744073709551615").unwrap(), u64::MAX);
    assert_eq!(both("-9223372036854775808").unwrap(), i64::MIN);
    assert!(both("123456789012345678901234567890").unwrap().is_f64());
    // What nobody reads only has to be well-formed.
    assert!(Reader::check("[1e400]").is_ok());
    for text in [
        "01", "+1", ".5", "1.", "1e", "1e+", "-", "0x10", "NaN", "Infinity", "1_0",
    ] {
        assert!(both(text).is_err(), "{text}");
    }
}

#[test]
fn strings_are_borrowed_unless_escaped() {
    fn string(text: &str) -> Cow<'_, str> {
        Reader::new(text).string().unwrap()
    }
    assert!(matches!(string(r#""plain é""#), Cow::Borrowed("plain é")));
    assert_eq!(
        string(r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#),
        "\"\\/\u{8}\u{c}\n\r\té😀"
    );
    // Quote, backslash and control characters at every offset of the eight-byte steps.
    for pad in 0..20 {
        let pad = "é".repeat(pad);
        assert_eq!(
            string(&format!("\"{pad}\\n{pad}\"")),
            format!("{pad}\n{pad}")
        );
        assert!(Reader::check(&format!("\"{pad}\n\"")).is_err());
        assert!(Reader::check(&format!("\"{pad}\u{1f}{pad}\"")).is_err());
        assert!(Reader::check(&format!("\"{pad}\u{7f}\u{80}{pad}\"")).is_ok());
    }
    for text in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800\u0061""#,
        r#""\u12g4""#,
        r#""\x""#,
    ] {
        assert!(both(text).is_err(), "{text}");
    }
}

#[test]
fn pretty_text_is_the_same_json_and_harmless_to_show() {
    let text = "{\"a\":[1,{\"b\":[]},\"{,}:\\\"\"],\"c\":{},\"d\":\"\u{9b}31m\u{202e}\"}";
    let shown = pretty(text);
    assert_eq!(read(&shown), read(text));
    assert!(!shown.contains(['\u{9b}', '\u{202e}']));
    assert_eq!(pretty("{}"), "{}");
    assert_eq!(pretty("{\"a\" : [ ]}"), "{\n  \"a\": []\n}");
}

#[test]
fn types_are_read_as_serde_json_reads_them() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Unit,
        One(u8),
        Two(u8, String),
        Named { x: Option<i64> },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapper(Vec<Kind>);
    #[derive(Debug, PartialEq, Deserialize)]
    struct Whole<'a> {
        #[serde(borrow)]
        text: &'a str,
        kinds: Wrapper,
        by_kind: std::collections::BTreeMap<Key, f64>,
        pair: (bool, char),
        nothing: (),
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, Value>,
    }
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    enum Key {
        A,
        B,
    }
    let text = r#"{"text":"t","kinds":["unit",{"one":1},{"two":[2,"x"]},{"named":{"x":null}}],
        "by_kind":{"A":1,"B":2.5},"pair":[true,"c"],"nothing":null,"more":[{}],"less":-1}"#;
    let mut reader = Reader::new(text);
    let ours = Whole::deserialize(&mut reader).unwrap();
    assert_eq!(ours, serde_json::from_str(text).unwrap());
    // A type that reads only the front of something must not hide the rest.
    assert_eq!(
        <(u8,)>::deserialize(&mut Reader::new("[1,2]")),
        Err(ReadError::Shape)
    );
}

/// JSON values without names twice, as `serde_json` makes them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..24)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What programs write: short names, plain strings, integers, and sometimes anything else.
fn object() -> impl Strategy<Value = String> {
    let name = prop_oneof!["(iss|aud|exp|a|b|c)", "[a-z]{1,9}", "(é|\\\\u0061|)"];
    let member = prop_oneof![
        "\"[ -!#-\\[\\]-~]{0,20}\"",
        "[0-9]{1,21}",
        "-?(0|1)(\\.5)?(e9)?",
        "(null|true|\\[\\]|\\{\\}|\"\\\\n\"|\"é\")",
    ];
    let separator = prop_oneof![9 => Just(","), 1 => Just(" , "), 1 => Just("")];
    prop::collection::vec((name, member, separator), 0..20).prop_map(|members| {
        let mut text = "{".to_owned();
        for (at, (name, member, separator)) in members.iter().enumerate() {
            if at > 0 {
                text.push_str(separator);
            }
            for part in ["\"", name, "\":", member] {
                text.push_str(part);
            }
        }
        text + "}"
    })
}

/// `serde_json` reads doubles fast and may miss their last bit; ours are exact.
fn coarse(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            format!("{:.10e}", number.as_f64().unwrap()).into()
        }
        Value::Array(items) => items.into_iter().map(coarse).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, coarse(value)))
            .collect(),
        other => other,
    }
}

proptest! {
    #[test]
    fn what_serde_json_writes_is_read_back(value in value()) {
        let text = value.to_string();
        prop_assert_eq!(&both(&text).unwrap(), &value);
        prop_assert_eq!(read(&pretty(&text)), read(&text));
    }

    #[test]
    fn the_fast_way_reads_what_the_careful_way_reads(text in object()) {
        let _ = both(&text);
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in r#"[\[\]{},:"a0-9\\u.eE+\- \ntrufalsn]{0,24}"#) {
        if serde_json::from_str::<Value>(&text).is_err() {
            prop_assert!(both(&text).is_err());
        }
    }

    #[test]
    fn damaged_text_is_read_like_serde_json_or_refused(
        value in value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = value.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = std::str::from_utf8(&bytes)
            && let Ok(read) = both(text)
        {
            prop_assert_eq!(coarse(read), coarse(serde_json::from_str(text).unwrap()));
        }
    }
}
