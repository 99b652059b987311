//! What is written and noted, against `serde_json` and against reading it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::json::Claims;

fn write(claims: &impl Serialize) -> Written {
    let mut written = Written::new();
    written.write(claims).unwrap();
    written
}

/// Gives whether everything was noted.
fn agree(claims: &impl Serialize) -> bool {
    let written = write(claims);
    assert_eq!(written.text(), serde_json::to_string(claims).unwrap());
    if !written.is_noted() {
        return false;
    }
    let mut read = Claims::new();
    read.scan(written.text()).unwrap();
    let (noted, read_registered) = (written.registered(), &read.registered);
    for (noted, read) in [
        (noted.iss, read_registered.iss),
        (noted.sub, read_registered.sub),
        (noted.aud, read_registered.aud),
        (noted.exp, read_registered.exp),
        (noted.nbf, read_registered.nbf),
        (noted.iat, read_registered.iat),
        (noted.jti, read_registered.jti),
    ] {
        assert_eq!(noted.map(shown), read.map(shown), "{}", written.text());
    }
    let members: Map<String, Value> = serde_json::from_str(written.text()).unwrap();
    for name in members.keys().map(String::as_str).chain(["", "absent"]) {
        let read = read.find(name).map(|raw| raw.text);
        assert_eq!(written.find(name), read, "{name}");
    }
    true
}

fn shown(raw: Raw<'_>) -> impl PartialEq + std::fmt::Debug {
    let string = raw.string().map(Cow::into_owned);
    (raw.text.to_owned(), string, raw.number())
}

#[derive(Serialize)]
struct Nested<T> {
    iss: &'static str,
    #[serde(flatten)]
    more: T,
}

/// As `serde` writes a struct whose field is renamed to another's name.
struct Twice;

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Twice", 2)?;
        object.serialize_field("iss", "a")?;
        object.serialize_field("iss", "b")?;
        SerializeStruct::end(object)
    }
}

#[test]
fn usual_claims_are_noted() {
    for claims in [
        json!({}),
        json!({"iss": "a", "sub": "", "aud": "é", "exp": 0, "nbf": -1, "iat": u64::MAX, "jti": null}),
        json!({"exp": true, "nbf": false, "iat": i64::MIN, "eight": "12345678", "nine": "123456789"}),
    ] {
        assert!(agree(&claims), "{claims}");
    }
    assert!(agree(&Nested {
        iss: "a",
        more: json!({"x": 1})
    }));
    assert!(agree(&Some(json!({"x": 1}))));
}

#[test]
fn unusual_claims_are_left_to_reading() {
    let many: Map<String, Value> = (0..17).map(|n| (n.to_string(), n.into())).collect();
    for claims in [
        json!({"aud": ["a"]}),
        json!({"x": {"a": 1}}),
        json!({"iss": "a\"b"}),
        json!({"iss": "123456789\n"}),
        json!({"a\\b": 1}),
        json!({"exp": 1.5}),
        json!({"long": "x".repeat(70_000)}),
        Value::Object(many),
        json!([1]),
        json!("text"),
        Value::Null,
    ] {
        assert!(!agree(&claims), "{claims}");
    }
    assert!(!agree(&BTreeMap::from([(1, 2)])));
    assert!(!agree(&BTreeMap::from([("exp", f64::NAN)])));
    assert!(!agree(&Nested {
        iss: "a",
        more: json!({"iss": "b"})
    }));
    assert!(!agree(&Twice));
    let read = |text: &str| Claims::new().scan(text).is_err();
    assert!(read(write(&Twice).text()));
}

proptest! {
    #[test]
    fn whatever_is_noted_is_what_is_read(
        claims in prop::collection::btree_map(
            "(iss|sub|aud|exp|nbf|iat|jti|.{0,12})",
            prop_oneof![
                any::<i64>().prop_map(Value::from),
                any::<u64>().prop_map(Value::from),
                any::<f64>().prop_map(Value::from),
                ".{0,40}".prop_map(Value::from),
                "[a-z é]{0,40}".prop_map(Value::from),
                any::<bool>().prop_map(Value::from),
                Just(Value::Null),
                Just(serde_json::json!(["a", {"b": 1}])),
            ],
            0..20,
        ),
    ) {
        agree(&claims);
    }
}
