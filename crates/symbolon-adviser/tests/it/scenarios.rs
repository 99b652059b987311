//! The fifty applications of `scenarios.toml`.

use serde::Deserialize;
use symbolon_adviser::{Dial, Facts, advise};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scenario: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    name: String,
    facts: Facts,
    shape: String,
    carrier: String,
    freshness: String,
    because: String,
    fresh_because: String,
    #[serde(default = "none")]
    routes: String,
    #[serde(default)]
    contradictions: Vec<String>,
}

fn none() -> String {
    "none".to_owned()
}

#[test]
fn fifty_applications_get_their_verdict_for_its_reason() {
    let file: File = toml::from_str(include_str!("scenarios.toml")).unwrap();
    assert_eq!(file.scenario.len(), 50);
    let mut wrong = Vec::new();
    for one in &file.scenario {
        let verdict = advise(&one.facts);
        let first = |dial: Dial| verdict.reasons_for(dial).next().unwrap().id.to_owned();
        let conflicts: Vec<&str> = verdict.conflicts.iter().map(|one| one.id).collect();
        for (what, found, expected) in [
            ("shape", verdict.shape.to_string(), &one.shape),
            ("carrier", verdict.carrier.to_string(), &one.carrier),
            ("freshness", verdict.freshness.to_string(), &one.freshness),
            ("routes", verdict.position(Dial::Routes), &one.routes),
            ("because", first(Dial::Shape), &one.because),
            ("fresh_because", first(Dial::Freshness), &one.fresh_because),
            (
                "contradictions",
                conflicts.join(","),
                &one.contradictions.join(","),
            ),
        ] {
            if found != *expected {
                wrong.push(format!("{}: {what} {found}, expected {expected}", one.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_name_is_another_application() {
    let file: File = toml::from_str(include_str!("scenarios.toml")).unwrap();
    let mut facts: Vec<&Facts> = file.scenario.iter().map(|one| &one.facts).collect();
    facts.sort_by_key(|facts| format!("{facts:?}"));
    facts.dedup();
    assert_eq!(facts.len(), file.scenario.len(), "the same facts twice");
}
