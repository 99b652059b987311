//! The price: its figures stand where they say, its arithmetic is sane from one person to ten billion.

use std::{collections::BTreeSet, fs};

use symbolon_adviser::{FIGURES, Facts, Price, Row, advise, human, price};

use crate::facts;

fn priced(facts: &Facts) -> Price {
    price(facts, &advise(facts))
}

fn row<'a>(price: &'a Price, id: &str) -> &'a Row {
    price.options.iter().find(|row| row.id == id).unwrap()
}

/// Within a share of what is expected.
fn close(found: f64, expected: f64) {
    assert!(
        (found / expected - 1.0).abs() < 0.01,
        "{found}, expected {expected}"
    );
}

#[test]
fn each_figure_stands_in_the_line_that_it_names() {
    let mut ids = BTreeSet::new();
    for figure in &FIGURES {
        assert!(ids.insert(figure.id), "{} twice", figure.id);
        let path = format!("{}/../../{}", env!("CARGO_MANIFEST_DIR"), figure.page);
        let page = fs::read_to_string(path).unwrap();
        assert_eq!(
            page.matches(figure.line).count(),
            1,
            "{}: {:?} has to stand in {} once",
            figure.id,
            figure.line,
            figure.page
        );
        let told = match figure.id {
            // In ns, a share and words: what the line says in another way.
            "seen_before" => "| 374 (".to_owned(),
            "renewed_at" => "nine tenths".to_owned(),
            "kept_verdict" => "about 600 bytes".to_owned(),
            "cut_off_kept" => "65 min".to_owned(),
            _ => thousands(figure.value),
        };
        assert!(
            figure.line.contains(&told),
            "{}: {told} is not in {:?}",
            figure.id,
            figure.line
        );
    }
}

/// As the pages write numbers: 50.12, 224,515.
fn thousands(value: f64) -> String {
    let text = value.to_string();
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let digits: Vec<char> = whole.chars().collect();
    let groups: Vec<String> = digits
        .rchunks(3)
        .rev()
        .map(|g| g.iter().collect())
        .collect();
    let dot = if rest.is_empty() { "" } else { "." };
    format!("{}{dot}{rest}", groups.join(","))
}

/// By hand: 1,000 requests a second, 100,000 logins of which 10,000 are in use, one guard, tokens of 300 s.
#[test]
fn a_load_worked_out_by_hand() {
    let facts = facts(&[
        ("requests_per_second", "1000"),
        ("people", "100000"),
        ("sign_outs_per_day", "86400"),
    ]);
    let price = priced(&facts);
    let (session, jwt) = (row(&price, "classic_session"), row(&price, "classic_jwt"));
    let (ours, token) = (
        row(&price, "session_within_10s"),
        row(&price, "jwt_within_10s"),
    );
    let live = row(&price, "session_live");

    close(session.store_reads.value, 1000.0);
    close(session.cores.value, 1000.0 * 2.0 / 224_515.0);
    close(session.network.value, 1000.0 * (97.0 + 178.0));
    close(session.memory.value, 100_000.0 * 178.0);
    close(session.store_writes.value, 2.0);
    close(jwt.tokens.value, 10_000.0 / (0.9 * 1800.0));
    close(
        jwt.cores.value,
        1000.0 * 3.08e-6 + 6.173 * (16.01e-6 + 0.5 / 23_163.0),
    );
    close(token.tokens.value, 10_000.0 / 270.0);
    close(token.store_writes.value, 37.04 + 2.0);
    // 300,000 requests at random over 10,000 logins: practically all of them are seen once.
    close(ours.questions.value, 10_000.0 / 300.0);
    close(live.cores.value, 1000.0 * (2.0 / 118_528.0 + 19.4e-6));
    close(
        ours.cores.value,
        1000.0 * 0.374e-6 + 33.33 * (2.0 / 118_528.0 + 19.4e-6),
    );
    close(
        ours.memory.value,
        100_000.0 * 178.0 + 10_000.0 * 600.0 + 3_900.0 * 40.0,
    );
    close(ours.network.value, 33.33 * 1116.0 + 4.0 * 592.0);
    assert_eq!(
        (
            session.bytes_per_request.value,
            token.bytes_per_request.value
        ),
        (97.0, 630.0)
    );
    assert_eq!(
        (session.window_worst_seconds, jwt.window_worst_seconds),
        (0.0, 1800.0)
    );
    close(ours.window_usual_seconds, 0.0133);
    close(ours.window_worst_seconds, 10.0);
    assert_eq!((live.machines, live.cells), (1, 1));
}

/// `docs/scale.md`, "To a billion people": the same arithmetic gives the same sizes.
#[test]
fn a_billion_people_as_the_page_about_scale_reckons() {
    let facts = facts(&[
        ("people", "1000000000"),
        ("devices_per_person", "2"),
        ("scale", "yes"),
    ]);
    let price = priced(&facts);
    let row = row(&price, "jwt_within_10s");
    // There: 100 million people with two apps each, 62,000 refreshes a second; here two devices each.
    close(row.tokens.value, 200_000_000.0 / 3240.0);
    close(price.load.logins, 2e9);
    // 20 cells there, for the sign-ins of five times the average; here the average.
    assert!((10..=20).contains(&row.cells), "{}", row.cells);
    // 1.8 GB of cut-offs in each guard that knows all cells.
    close(1e9 / 86_400.0 * 3_900.0 * 40.0, 1.8e9);
}

#[test]
fn arithmetic_stays_sane_from_one_person_to_ten_billion() {
    for people in ["1", "100", "1000000", "1000000000", "10000000000"] {
        for requests in ["0", "1", "1000000", "10000000000", "unknown"] {
            for services in ["1", "100000"] {
                let facts = facts(&[
                    ("people", people),
                    ("requests_per_second", requests),
                    ("services", services),
                ]);
                let price = priced(&facts);
                assert_eq!(price.options.len(), 8);
                for row in &price.options {
                    for amount in [
                        &row.store_reads,
                        &row.store_writes,
                        &row.questions,
                        &row.tokens,
                        &row.cores,
                        &row.memory,
                        &row.network,
                        &row.bytes_per_request,
                    ] {
                        let value = amount.value;
                        assert!(value.is_finite() && value >= 0.0, "{row:?}");
                        assert!(!amount.formula.is_empty());
                    }
                    assert!(row.machines >= 1 && row.cells >= 1);
                    assert!(row.window_usual_seconds <= row.window_worst_seconds);
                    // No way of asking asks more than once a request, and each costs something.
                    let asked = row.questions.value - row.tokens.value;
                    assert!(asked <= price.load.requests_per_second * 1.000_001);
                }
                let cores = |id| row(&price, id).cores.value;
                assert!(cores("session_within_10s") <= cores("session_live") * 1.02 + 1e-9);
            }
        }
    }
}

#[test]
fn more_load_costs_more() {
    let mut before = [0.0; 8];
    for requests in ["10", "1000", "100000", "10000000"] {
        let price = priced(&facts(&[
            ("requests_per_second", requests),
            ("scale", "yes"),
        ]));
        for (row, before) in price.options.iter().zip(&mut before) {
            assert!(row.cores.value > *before, "{}", row.id);
            *before = row.cores.value;
        }
    }
}

/// The two classics are the ends: the one asks most and forgets at once, the other asks least and is late.
#[test]
fn the_classics_are_the_two_ends() {
    let price = priced(&facts(&[
        ("requests_per_second", "2000"),
        ("platform", "web"),
    ]));
    let (session, jwt) = (row(&price, "classic_session"), row(&price, "classic_jwt"));
    for row in &price.options {
        assert!(row.window_worst_seconds >= session.window_worst_seconds);
        assert!(row.window_worst_seconds <= jwt.window_worst_seconds);
        assert!(row.questions.value >= jwt.questions.value, "{}", row.id);
        let asked = row.questions.value - row.tokens.value;
        assert!(asked <= session.questions.value);
    }
}

#[test]
fn what_the_verdict_says_is_marked_once() {
    for pairs in [
        &[("platform", "web")][..],
        &[("platform", "web"), ("end_within", "0s")],
        &[("platform", "mobile"), ("offline", "yes")],
        &[("platform", "intranet")],
    ] {
        let facts = facts(pairs);
        let price = priced(&facts);
        let chosen: Vec<_> = price.options.iter().filter(|row| row.chosen).collect();
        assert_eq!(chosen.len(), 1, "{pairs:?}");
    }
}

/// Somebody who hears nothing has no "usually".
#[test]
fn without_news_the_window_is_the_tokens_life() {
    let price = priced(&facts(&[("offline", "yes"), ("end_within", "2m")]));
    let row = row(&price, "jwt_until_expiry");
    assert_eq!(
        (row.window_usual_seconds, row.window_worst_seconds),
        (120.0, 120.0)
    );
}

#[test]
fn what_is_not_known_is_assumed_aloud() {
    let nothing = priced(&Facts::unknown());
    assert_eq!(nothing.load.assumed.len(), 5);
    let known = facts(&[
        ("requests_per_second", "5"),
        ("people", "50"),
        ("devices_per_person", "2"),
        ("services", "1"),
        ("sign_outs_per_day", "3"),
    ]);
    assert!(priced(&known).load.assumed.is_empty());
    let by_load = priced(&facts(&[("requests_per_second", "50")]));
    close(by_load.load.people, 5000.0);
}

#[test]
fn numbers_for_people() {
    for (value, text) in [
        (0.0, "0"),
        (0.5, "0.5"),
        (999.6, "1,000"),
        (1000.0, "1,000"),
        (1e9, "1,000,000,000"),
        (123_456.0, "123,000"),
        (1e18, "1.00e18"),
        (2.5e-9, "2.50e-9"),
    ] {
        assert_eq!(human(value), text);
    }
}
