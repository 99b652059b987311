//! The present settings beside the verdict.

use symbolon_adviser::{Carrier, Comparison, Dial, Freshness, Present, Shape, Verdict, advise};

use crate::facts;

fn as_advised(verdict: &Verdict) -> Present {
    Present {
        shape: verdict.shape,
        carrier: Some(verdict.carrier),
        freshness: verdict.freshness,
        token_seconds: verdict.token_seconds,
        idle_seconds: verdict.idle_seconds,
        absolute_seconds: verdict.absolute_seconds,
        guards: None,
    }
}

fn differing(comparison: &Comparison) -> Vec<Dial> {
    let dials = comparison.dials.iter();
    let elsewhere = dials.filter(|one| one.agrees == Some(false));
    elsewhere.map(|one| one.dial).collect()
}

#[test]
fn what_is_set_as_advised_agrees_and_costs_the_same() {
    for known in [
        &[][..],
        &[("platform", "spa"), ("scale", "yes")],
        &[("platform", "mobile"), ("requests_per_second", "0")],
        &[("platform", "intranet"), ("end_within", "0s")],
        &[("offline", "yes"), ("requests_per_second", "10000000000")],
    ] {
        let facts = facts(known);
        let verdict = advise(&facts);
        let comparison = Comparison::new(&facts, &verdict, &as_advised(&verdict));
        assert!(comparison.agrees, "{known:?}");
        assert_eq!(differing(&comparison), []);
        let (now, advised) = (&comparison.now, &comparison.advised);
        assert_eq!(now.id, advised.id);
        assert_eq!(now.cores.formula, advised.cores.formula);
        assert_eq!(now.questions.formula, advised.questions.formula);
        assert!(now.cores.value.is_finite() && now.memory.value.is_finite());
    }
}

#[test]
fn each_dial_that_stands_elsewhere_is_named() {
    let facts = facts(&[("platform", "spa"), ("requests_per_second", "2000")]);
    let verdict = advise(&facts);
    let advised = as_advised(&verdict);
    assert_eq!(verdict.shape, Shape::Jwt);
    for (present, dial) in [
        (
            Present {
                shape: Shape::Session,
                ..advised
            },
            Dial::Shape,
        ),
        (
            Present {
                carrier: Some(Carrier::Bearer),
                ..advised
            },
            Dial::Carrier,
        ),
        (
            Present {
                freshness: Freshness::Within(60),
                ..advised
            },
            Dial::Freshness,
        ),
        (
            Present {
                token_seconds: 3_600,
                ..advised
            },
            Dial::Token,
        ),
        (
            Present {
                idle_seconds: 60,
                ..advised
            },
            Dial::Lifetime,
        ),
    ] {
        let comparison = Comparison::new(&facts, &verdict, &present);
        assert!(!comparison.agrees);
        assert_eq!(differing(&comparison), [dial]);
    }
    // What nobody knows is no disagreement.
    let unknown = Present {
        carrier: None,
        ..advised
    };
    let comparison = Comparison::new(&facts, &verdict, &unknown);
    assert!(comparison.agrees);
    assert_eq!(comparison.dials[1].now, None);
}

#[test]
fn the_price_is_that_of_the_settings_and_of_the_guards_that_are_there() {
    let facts = facts(&[("requests_per_second", "2000")]);
    let verdict = advise(&facts);
    let set = |freshness, guards| {
        let present = Present {
            freshness,
            guards: Some(guards),
            ..as_advised(&verdict)
        };
        Comparison::new(&facts, &verdict, &present)
    };
    let live = set(Freshness::Live, 1);
    assert_eq!(live.now.id, "session_live");
    assert!(live.now.questions.value >= 2_000.0);
    assert!(live.now.cores.value > live.advised.cores.value);
    let minute = set(Freshness::Within(60), 1);
    assert_eq!(minute.now.id, "session_within_60s");
    assert!(minute.now.window_worst_seconds > minute.advised.window_worst_seconds);
    // Each guard keeps its own memory and asks for the head by itself.
    let many = set(Freshness::Within(60), 40);
    assert!(many.now.network.value > 20.0 * minute.now.network.value / 2.0);
    assert!(many.now.memory.value > minute.now.memory.value);
    // A token that lasts longer is refreshed less often.
    let short = Present {
        shape: Shape::Jwt,
        token_seconds: 60,
        ..as_advised(&verdict)
    };
    let long = Present {
        token_seconds: 3_600,
        ..short
    };
    let tokens = |present| Comparison::new(&facts, &verdict, present).now.tokens.value;
    assert!(tokens(&short) > 50.0 * tokens(&long));
}
