//! What holds for whatever is known.

use proptest::prelude::*;
use symbolon_adviser::{
    Answers, Dial, Fact, Facts, Freshness, Lang, Report, Rule, Says, Site, Strength, advise, price,
};

/// One fact's answers as texts, `unknown` in half of all cases.
fn answer(fact: Fact) -> BoxedStrategy<String> {
    let known = match fact.about().answers {
        Answers::Words(words) => proptest::sample::select(words.to_vec())
            .prop_map(str::to_owned)
            .boxed(),
        Answers::Number { least, most } => {
            prop_oneof![least..=most, least..=(least + 20), Just(10_000.min(most)),]
                .prop_map(|n| n.to_string())
                .boxed()
        }
        Answers::Time { most } => prop_oneof![0..=most, 0..=400_u64, 0..=12_u64]
            .prop_map(|n| n.to_string())
            .boxed(),
    };
    prop_oneof![Just("unknown".to_owned()), known].boxed()
}

fn any_facts() -> impl Strategy<Value = Facts> {
    Fact::ALL.map(answer).prop_map(|answers| {
        let mut facts = Facts::unknown();
        for (fact, answer) in Fact::ALL.iter().zip(&answers) {
            facts.answer(fact.about().name, answer).unwrap();
        }
        facts
    })
}

/// Whether those who check cannot hear of ends.
fn unheard(facts: &Facts) -> bool {
    facts.is(Fact::Offline, "yes") || facts.is(Fact::ThirdParty, "yes")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// The promise of the freshness dial: an ended login works no longer than was asked for, or a contradiction is named.
    #[test]
    fn an_ended_login_works_no_longer_than_was_asked_for(facts in any_facts()) {
        let verdict = advise(&facts);
        let chosen = price(&facts, &verdict).options.into_iter().find(|row| row.chosen).unwrap();
        if let Some(asked) = facts.number(Fact::EndWithin) {
            let named = verdict.conflicts.iter().any(|one| one.id.ends_with("-and-ended-soon"));
            let kept = chosen.window_worst_seconds <= f64::from(u32::try_from(asked).unwrap());
            prop_assert!(kept || named, "{asked} {verdict:?}");
        }
    }

    /// Sensitive data never makes a yes staler, whatever else is known.
    #[test]
    fn sensitive_data_never_loosens(mut facts in any_facts()) {
        facts.answer("sensitive", "unknown").unwrap();
        let before = advise(&facts).freshness;
        facts.answer("sensitive", "yes").unwrap();
        let after = advise(&facts);
        prop_assert!(after.freshness <= before);
        prop_assert!(unheard(&facts) || after.freshness <= Freshness::Within(1));
    }

    /// Every dial has a reason; each reason speaks, and for what was decided; a must is never overruled.
    #[test]
    fn reasons_are_rules_that_speak(facts in any_facts()) {
        let verdict = advise(&facts);
        for dial in [Dial::Shape, Dial::Carrier, Dial::Freshness, Dial::Token, Dial::Lifetime] {
            prop_assert!(verdict.reasons_for(dial).next().is_some(), "{dial}");
        }
        for rule in &verdict.reasons {
            prop_assert!(rule.speaks(&facts));
        }
        for rule in Rule::all().filter(|rule| rule.strength == Strength::Must && rule.speaks(&facts)) {
            if let Says::Shape(shape) = rule.says {
                prop_assert_eq!(shape, verdict.shape);
            }
        }
        let ids: Vec<_> = verdict.reasons.iter().map(|rule| rule.id).collect();
        prop_assert!(!ids.contains(&verdict.against.id()));
    }

    /// Whatever a stranger sends: facts or an error of one short line, never a panic.
    #[test]
    fn rubbish_is_refused_in_a_line(text in "\\PC{0,200}", name in "[a-z_]{0,20}") {
        for fact in Fact::ALL {
            if let Err(wrong) = fact.parse(&text) {
                let told = wrong.to_string();
                prop_assert!(told.starts_with(fact.about().name));
                prop_assert!(told.len() < 400 && !told.contains('\n'));
            }
        }
        let _ = Facts::unknown().answer(&name, &text).map_err(|wrong| wrong.to_string());
        let _ = Site::new(&text, &text, &text);
    }
}

proptest! {
    // Each case searches for flips four times, the largest work there is.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Facts survive being written, and equal facts give equal advice in every form.
    #[test]
    fn advice_is_a_function_of_the_facts(facts in any_facts()) {
        let json = serde_json::to_string(&facts).unwrap();
        let read: Facts = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(&read, &facts);
        let of = |facts: &Facts| Report::new(facts, &Site::default(), Lang::Ko);
        let (one, other) = (of(&facts), of(&read));
        prop_assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
        prop_assert!(!one.text().contains("NaN") && one.page().contains("</html>"));
    }
}
