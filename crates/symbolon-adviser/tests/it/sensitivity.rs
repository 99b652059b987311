//! One fact changes, and the named reason changes with it.

use symbolon_adviser::{Dial, advise};

use crate::facts;

type Answer = (&'static str, &'static str);
/// A position of the dial and its first reason.
type Stand = [&'static str; 2];

/// What is known; the fact that changes; the dial; its position and first reason before and after.
const CHANGES: &[(&[Answer], Answer, Dial, Stand, Stand)] = &[
    (
        &[("platform", "spa"), ("scale", "yes")],
        ("sensitive", "yes"),
        Dial::Shape,
        ["jwt", "spa-jwt"],
        ["session", "sensitive-session"],
    ),
    (
        &[("platform", "spa"), ("scale", "yes")],
        ("scale", "no"),
        Dial::Shape,
        ["jwt", "spa-jwt"],
        ["session", "no-scale-session"],
    ),
    (
        &[("platform", "web")],
        ("third_party", "yes"),
        Dial::Shape,
        ["session", "web-session"],
        ["jwt", "third-party-jwt"],
    ),
    (
        &[("platform", "web")],
        ("third_party", "yes"),
        Dial::Freshness,
        ["within(10s)", "default-10s"],
        ["until_expiry", "third-party-expiry"],
    ),
    (
        &[("platform", "mobile"), ("scale", "no")],
        ("offline", "yes"),
        Dial::Shape,
        ["session", "no-scale-session"],
        ["jwt", "offline-jwt"],
    ),
    (
        &[("platform", "web")],
        ("platform", "spa"),
        Dial::Shape,
        ["session", "web-session"],
        ["jwt", "spa-jwt"],
    ),
    (
        &[("platform", "spa")],
        ("platform", "mobile"),
        Dial::Carrier,
        ["cookie", "spa-cookie"],
        ["bearer", "mobile-bearer"],
    ),
    (
        &[("platform", "spa")],
        ("domains", "2"),
        Dial::Carrier,
        ["cookie", "spa-cookie"],
        ["bearer", "spa-domains-bearer"],
    ),
    (
        &[("platform", "spa"), ("domains", "2")],
        ("theft", "yes"),
        Dial::Carrier,
        ["bearer", "spa-domains-bearer"],
        ["cookie", "theft-cookie"],
    ),
    (
        &[("platform", "web"), ("end_within", "1m")],
        ("end_within", "9s"),
        Dial::Freshness,
        ["within(10s)", "end-later-10s"],
        ["within(9s)", "end-in-seconds"],
    ),
    (
        &[("platform", "web"), ("end_within", "1s")],
        ("end_within", "0s"),
        Dial::Freshness,
        ["within(1s)", "end-in-seconds"],
        ["live", "end-at-once-live"],
    ),
    (
        &[("platform", "intranet"), ("sensitive", "no")],
        ("sensitive", "unknown"),
        Dial::Freshness,
        ["within(10s)", "default-10s"],
        ["within(1s)", "intranet-1s"],
    ),
    (
        &[("zero_downtime", "yes")],
        ("end_within", "59s"),
        Dial::Freshness,
        ["within(60s)", "zero-downtime-60s"],
        ["within(10s)", "end-later-10s"],
    ),
    (
        &[("zero_downtime", "yes")],
        ("end_by", "admin"),
        Dial::Freshness,
        ["within(60s)", "zero-downtime-60s"],
        ["within(10s)", "end-by-admin-10s"],
    ),
    (
        &[
            ("zero_downtime", "yes"),
            ("sensitive", "no"),
            ("end_by", "nobody"),
        ],
        ("end_by", "person"),
        Dial::Freshness,
        ["until_expiry", "nobody-until-expiry"],
        ["within(60s)", "zero-downtime-60s"],
    ),
    (
        &[("requests_per_second", "100")],
        ("requests_per_second", "10000"),
        Dial::Shape,
        ["session", "small-load-session"],
        ["jwt", "large-load-jwt"],
    ),
    (
        &[("existing", "session")],
        ("existing", "jwt"),
        Dial::Shape,
        ["session", "existing-session"],
        ["jwt", "existing-jwt"],
    ),
    (
        &[("services", "2")],
        ("services", "3"),
        Dial::Shape,
        ["session", "default-session"],
        ["jwt", "services-jwt"],
    ),
    (
        &[("people", "999999")],
        ("people", "1000000"),
        Dial::Shape,
        ["session", "default-session"],
        ["jwt", "many-people-jwt"],
    ),
    (
        &[("scale", "yes")],
        ("offline", "yes"),
        Dial::Token,
        ["3600", "scale-token"],
        ["300", "default-token"],
    ),
    (
        &[("offline", "yes")],
        ("end_within", "2m"),
        Dial::Token,
        ["300", "default-token"],
        ["120", "offline-token"],
    ),
    (
        &[("platform", "spa"), ("theft", "yes")],
        ("theft", "no"),
        Dial::Shape,
        ["session", "theft-session"],
        ["jwt", "spa-jwt"],
    ),
    (
        &[("platform", "mobile")],
        ("sensitive", "yes"),
        Dial::Lifetime,
        ["604800/2592000", "default-lifetime"],
        ["3600/86400", "sensitive-lifetime"],
    ),
];

#[test]
fn one_fact_changes_and_so_does_the_reason() {
    for (known, (fact, answer), dial, before, after) in CHANGES {
        let mut facts = facts(known);
        for expected in [before, after] {
            let verdict = advise(&facts);
            let first = verdict.reasons_for(*dial).next().unwrap().id;
            assert_eq!(
                [&*verdict.position(*dial), first],
                *expected,
                "{known:?}, {fact} = {answer}"
            );
            facts.answer(fact, answer).unwrap();
        }
    }
}

/// What lost is what is said against it.
#[test]
fn the_counter_argument_is_the_strongest_that_lost() {
    for (known, expected) in [
        (&[("platform", "spa"), ("sensitive", "yes")][..], "spa-jwt"),
        (
            &[("platform", "spa"), ("scale", "yes"), ("end_by", "admin")],
            "end-by-admin-session",
        ),
        (
            &[("offline", "yes"), ("sensitive", "yes")],
            // The data asks for a second that nobody can give.
            "sensitive-1s",
        ),
        (&[("platform", "web"), ("scale", "yes")], "scale-jwt"),
        // No fact speaks against these.
        (&[("platform", "web")], "against-session"),
        (&[("platform", "mobile")], "against-jwt"),
        (
            &[("platform", "mobile"), ("offline", "yes")],
            "against-until-expiry",
        ),
        (&[("platform", "web"), ("end_within", "0s")], "against-live"),
    ] {
        assert_eq!(advise(&facts(known)).against.id(), expected, "{known:?}");
    }
}
