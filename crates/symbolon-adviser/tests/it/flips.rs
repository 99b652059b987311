//! What would change its mind.

use symbolon_adviser::{Dial, Facts, Shape, advise, flips};

use crate::facts;

/// The changes of the shape as texts.
fn shape_flips(facts: &Facts) -> Vec<Vec<String>> {
    let verdict = advise(facts);
    flips(facts, &verdict)
        .into_iter()
        .filter(|flip| flip.dial == Dial::Shape)
        .map(|flip| {
            let told = flip
                .changes
                .iter()
                .map(|change| format!("{}={}", change.fact.about().name, change.to));
            told.collect()
        })
        .collect()
}

#[test]
fn one_fact_is_smaller_than_two_and_known_ones_come_first() {
    let found = shape_flips(&facts(&[("platform", "spa"), ("scale", "yes")]));
    assert!(found.iter().all(|changes| changes.len() == 1), "{found:?}");
    assert_eq!(found[0], ["platform=intranet"]);
    assert!(found.contains(&vec!["sensitive=yes".to_owned()]));
    assert!(found.contains(&vec!["scale=no".to_owned()]));
}

#[test]
fn where_one_fact_is_not_enough_two_are_named() {
    let found = shape_flips(&facts(&[("platform", "web"), ("sensitive", "yes")]));
    assert!(!found.is_empty());
    assert!(found.iter().all(|changes| changes.len() > 1), "{found:?}");
}

/// What is promised of a flip holds: applied, the dial stands elsewhere; and no part of it would do without a contradiction.
#[test]
fn flips_flip_and_are_the_smallest() {
    let words = |name: &str| match name {
        "platform" => &["web", "spa", "mobile", "api", "intranet"][..],
        "end_by" => &["nobody", "person", "admin"],
        "existing" => &["session", "jwt"],
        _ => &["yes", "no"],
    };
    let names = [
        "platform",
        "sensitive",
        "scale",
        "end_by",
        "existing",
        "zero_downtime",
    ];
    let mut tried = 0;
    for first in names {
        for second in names.iter().filter(|name| **name != first) {
            for (one, other) in words(first)
                .iter()
                .flat_map(|one| words(second).iter().map(move |other| (one, other)))
            {
                let known = facts(&[(first, one), (second, other)]);
                let verdict = advise(&known);
                for flip in flips(&known, &verdict) {
                    tried += 1;
                    let changed = |skip: Option<usize>| {
                        let mut facts = known.clone();
                        for (at, change) in flip.changes.iter().enumerate() {
                            if Some(at) != skip {
                                let name = change.fact.about().name;
                                facts.answer(name, &change.to.to_string()).unwrap();
                            }
                        }
                        let then = advise(&facts);
                        (
                            then.position(flip.dial),
                            then.conflicts.len() > verdict.conflicts.len(),
                        )
                    };
                    let now = verdict.position(flip.dial);
                    assert_ne!(changed(None).0, now);
                    for skip in 0..flip.changes.len() {
                        let (then, contradicts) = changed(Some(skip));
                        assert!(then == now || contradicts, "{flip:?} is not the smallest");
                    }
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[test]
fn a_flip_brings_no_contradiction() {
    let facts = facts(&[("platform", "mobile"), ("offline", "yes")]);
    let verdict = advise(&facts);
    assert_eq!(verdict.shape, Shape::Jwt);
    for flip in flips(&facts, &verdict) {
        assert!(flip.verdict.conflicts.is_empty(), "{flip:?}");
    }
}
