//! Facts in: what is taken, what is refused, and how the refusal names the field.

use serde_json::json;
use symbolon_adviser::{Answers, Fact, Facts, Lang, advise};

fn read(value: serde_json::Value) -> Result<Facts, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

#[test]
fn json_and_toml_read_the_same() {
    let json = read(json!({
        "platform": "spa", "sensitive": false, "scale": "yes", "end_within": 10, "people": 1000,
        "theft": null, "critical": "unknown",
    }));
    let toml = "platform = \"spa\"\nsensitive = \"no\"\nscale = true\nend_within = \"10s\"\npeople = 1000\n";
    let facts = json.unwrap();
    assert_eq!(facts, toml::from_str(toml).unwrap());
    assert_eq!(facts.number(Fact::EndWithin), Some(10));
    assert_eq!(facts.get(Fact::Critical), None);
    let written = serde_json::to_value(&facts).unwrap();
    assert_eq!(read(written).unwrap(), facts);
}

#[test]
fn what_is_wrong_is_named_with_what_is_allowed() {
    for (value, field, allowed) in [
        (
            json!({"requests_per_second": -5}),
            "requests_per_second",
            "from 0 to 10000000000, found \"-5\"",
        ),
        (json!({"people": 0}), "people", "from 1 to 10000000000"),
        (json!({"people": 10_000_000_001_u64}), "people", "from 1 to"),
        (json!({"people": u64::MAX}), "people", "from 1 to"),
        (json!({"people": 1.5}), "people", "whole number"),
        (json!({"people": "many"}), "people", "whole number"),
        (
            json!({"people": "99999999999999999999999999"}),
            "people",
            "whole number",
        ),
        (json!({"people": true}), "people", "whole number"),
        (json!({"services": 100_001}), "services", "from 1 to 100000"),
        (json!({"domains": 0}), "domains", "from 1 to 10000"),
        (
            json!({"devices_per_person": 101}),
            "devices_per_person",
            "from 1 to 100",
        ),
        (
            json!({"sign_outs_per_day": -1}),
            "sign_outs_per_day",
            "from 0 to",
        ),
        (json!({"end_within": "31d"}), "end_within", "0s to 30d"),
        (json!({"end_within": "-1s"}), "end_within", "0s to 30d"),
        (
            json!({"end_within": "99999999999999999999d"}),
            "end_within",
            "0s to 30d",
        ),
        (json!({"end_within": "soon"}), "end_within", "0s to 30d"),
        (json!({"end_within": "s"}), "end_within", "0s to 30d"),
        (json!({"end_within": "5분"}), "end_within", "0s to 30d"),
        (
            json!({"platform": "desktop"}),
            "platform",
            "web, spa, mobile, api, intranet, or unknown",
        ),
        (json!({"platform": true}), "platform", "web, spa"),
        (
            json!({"sensitive": "maybe"}),
            "sensitive",
            "yes, no, or unknown",
        ),
        (json!({"sensitive": 1}), "sensitive", "yes, no"),
        (
            json!({"colour": "red"}),
            "\"colour\": no such fact",
            "platform, sensitive",
        ),
        (
            json!({"end-within": "1s"}),
            "\"end-within\": no such fact",
            "end_within",
        ),
    ] {
        let error = read(value.clone()).unwrap_err();
        assert!(error.starts_with(field), "{value}: {error}");
        assert!(error.contains(allowed), "{value}: {error}");
        assert!(error.len() < 400, "{error}");
    }
    let long = read(json!({"platform": "x".repeat(100_000)})).unwrap_err();
    assert!(long.len() < 200, "{long}");
    let twice: Result<Facts, _> = serde_json::from_str(r#"{"people": 1, "people": 2}"#);
    assert!(
        twice
            .unwrap_err()
            .to_string()
            .contains("people: answered twice")
    );
    assert!(read(json!(["platform"])).is_err());
    assert!(read(json!({"platform": ["spa"]})).is_err());
}

#[test]
fn every_answer_of_the_table_is_taken_and_advised_on() {
    let mut asked = 0;
    for fact in Fact::ALL {
        let about = fact.about();
        let answers: Vec<String> = match about.answers {
            Answers::Words(words) => words.iter().map(|word| (*word).to_owned()).collect(),
            Answers::Number { least, most } => vec![least.to_string(), most.to_string()],
            Answers::Time { most } => vec!["0s".to_owned(), "1m".to_owned(), most.to_string()],
        };
        for answer in answers.iter().chain([&"unknown".to_owned()]) {
            let mut facts = Facts::unknown();
            facts.answer(about.name, answer).unwrap();
            assert!(!advise(&facts).reasons.is_empty());
            asked += 1;
        }
        assert_eq!(about.flag, about.name.replace('_', "-"));
        let question = |lang| match lang {
            Lang::En => about.en,
            Lang::Ko => about.ko,
        };
        assert!(question(Lang::En).is_ascii());
        assert!(question(Lang::Ko).contains(|c: char| ('가'..='힣').contains(&c)));
    }
    assert!(asked > 60);
}
