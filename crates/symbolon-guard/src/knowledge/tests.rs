//! The state machine, one rule a test.

#![expect(clippy::unwrap_used, reason = "tests")]

use symbolon_login::{AppSettings, CutOff, Freshness, Scope, Shape, Sid, Subject, UserId};

use super::*;
use crate::{clock::Now, cut_offs::Scopes};

const ISSUER: &str = "http://localhost:7300";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn at(second: u64) -> Moment {
    Moment::at(secs(second))
}

fn app(name: &str, shape: Shape) -> AppSettings {
    AppSettings {
        client_id: name.parse().unwrap(),
        shape,
        freshness: Freshness::DEFAULT,
        lifetimes: Lifetimes::new(secs(3600), secs(7200), secs(300), secs(10)).unwrap(),
    }
}

fn snapshot(head: Position, cut_offs: Vec<CutOff>) -> Snapshot {
    Snapshot {
        head,
        issuer: ISSUER.to_owned(),
        complete_since: Some(Position::START),
        cut_offs,
        keys: Vec::new(),
        apps: vec![app("app", Shape::Session), app("other", Shape::Jwt)],
    }
}

fn knowing(head: Position) -> Knowledge {
    let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 1_000);
    knowledge
        .restore(&snapshot(head, Vec::new()), at(0))
        .unwrap();
    knowledge
}

fn user(n: u8) -> UserId {
    UserId::mint(UnixMillis::from_millis(0), [n; 10])
}

fn end_of(n: u8, position: Position) -> LogEntry {
    LogEntry {
        position,
        change: Change::CutOff {
            covers: Scope::User { user: user(n) },
        },
    }
}

fn scopes_of(knowledge: &Knowledge, n: u8) -> Scopes {
    knowledge.view().table().scopes(&Subject {
        user: user(n),
        sid: Sid::mint(UnixMillis::from_millis(0), [n; 10]),
        client_id: &"app".parse().unwrap(),
        key: Some(&"key".parse().unwrap()),
        rev: Position::START,
    })
}

fn is_dead(knowledge: &Knowledge, n: u8, rev: Position) -> bool {
    let scopes = scopes_of(knowledge, n);
    knowledge.view().table().kills(&scopes, rev).is_some()
}

const fn place(number: u64) -> Position {
    Position::new(1, number)
}

#[test]
fn before_the_first_snapshot_nothing_can_be_applied_or_proved() {
    let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 1_000);
    assert_eq!(knowledge.apply(&end_of(1, place(1)), at(1)), Applied::Gap);
    assert!(knowledge.view().ask(at(1)).is_none());
    assert_eq!(knowledge.view().staleness(at(1)), None);
}

#[test]
fn a_snapshot_proves_nothing_by_itself() {
    assert_eq!(knowing(place(5)).view().staleness(at(0)), None);
}

#[test]
fn entries_are_applied_in_order_and_only_once() {
    let mut knowledge = knowing(place(5));
    assert_eq!(knowledge.apply(&end_of(1, place(5)), at(1)), Applied::Known);
    assert_eq!(knowledge.apply(&end_of(1, place(7)), at(1)), Applied::Gap);
    assert!(!is_dead(&knowledge, 1, place(5)));
    assert_eq!(knowledge.apply(&end_of(1, place(6)), at(1)), Applied::New);
    assert!(is_dead(&knowledge, 1, place(5)));
    assert!(!is_dead(&knowledge, 1, place(6)));
    assert_eq!(
        knowledge.apply(&end_of(1, Position::new(2, 7)), at(1)),
        Applied::Gap
    );
    assert_eq!(knowledge.view().applied(), Some(place(6)));
}

#[test]
fn freshness_is_counted_from_the_question_once_the_stream_is_there() {
    let mut knowledge = knowing(place(5));
    let ticket = knowledge.view().ask(at(10)).unwrap();
    assert_eq!(knowledge.answer(ticket, place(6)), Answer::Behind);
    assert_eq!(knowledge.view().staleness(at(12)), None);
    knowledge.apply(&end_of(1, place(6)), at(12));
    assert_eq!(knowledge.view().staleness(at(12)), Some(secs(2)));
}

#[test]
fn a_snapshot_joins_what_is_known_and_forgets_nothing() {
    let mut knowledge = knowing(place(5));
    knowledge.apply(&end_of(1, place(6)), at(1));
    let other = CutOff {
        position: place(8),
        scope: Scope::User { user: user(2) },
    };
    knowledge
        .restore(&snapshot(place(9), vec![other]), at(2))
        .unwrap();
    assert!(is_dead(&knowledge, 1, place(5)) && is_dead(&knowledge, 2, place(5)));
    assert_eq!(knowledge.view().applied(), Some(place(9)));
}

#[test]
fn another_log_takes_the_proofs_away_and_leaves_the_cut_offs() {
    for head in [place(4), Position::new(2, 0)] {
        let mut knowledge = knowing(place(5));
        knowledge.apply(&end_of(1, place(6)), at(1));
        let ticket = knowledge.view().ask(at(2)).unwrap();
        assert_eq!(knowledge.answer(ticket, place(6)), Answer::Proved);
        let era = knowledge.view().era(Shape::Jwt);
        knowledge
            .restore(&snapshot(head, Vec::new()), at(3))
            .unwrap();
        assert_eq!(knowledge.view().staleness(at(3)), None, "{head}");
        assert!(knowledge.view().era(Shape::Jwt) > era);
        assert!(is_dead(&knowledge, 1, place(5)));
    }
}

#[test]
fn a_log_that_went_back_is_never_taken_for_fresh() {
    let mut knowledge = knowing(place(5));
    let ticket = knowledge.view().ask(at(1)).unwrap();
    assert_eq!(knowledge.answer(ticket, place(4)), Answer::WentBack);
    assert_eq!(knowledge.view().staleness(at(1)), None);
}

#[test]
fn a_wrong_authority_and_an_unknown_app_are_named() {
    let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 1_000);
    let mut other = snapshot(place(1), Vec::new());
    other.issuer = "http://evil.example.test".to_owned();
    let error = knowledge.restore(&other, at(0)).unwrap_err().to_string();
    assert!(error.contains("evil.example.test") && error.contains(ISSUER));
    let mut empty = snapshot(place(1), Vec::new());
    empty.apps.clear();
    let error = knowledge.restore(&empty, at(0)).unwrap_err();
    assert_eq!(error, BadSnapshot::UnknownApp("app".parse().unwrap()));
    assert_eq!(knowledge.view().applied(), None);
}

#[test]
fn settings_of_this_app_are_followed_and_those_of_others_are_not() {
    let mut knowledge = knowing(place(5));
    for (number, name, shape) in [(6, "other", Shape::Jwt), (7, "app", Shape::Jwt)] {
        let before = knowledge.view().app().cloned();
        let settings = app(name, shape);
        let change = Change::App { settings };
        let position = place(number);
        knowledge.apply(&LogEntry { position, change }, at(1));
        assert_eq!(knowledge.view().app().cloned() != before, name == "app");
    }
}

#[test]
fn a_retired_key_starts_an_era_and_an_added_one_does_not() {
    let mut knowledge = knowing(place(5));
    let era = knowledge.view().era(Shape::Jwt);
    let jwk = serde_json::json!({ "kty": "unknown" });
    let change = Change::KeyAdded { jwk };
    knowledge.apply(
        &LogEntry {
            position: place(6),
            change,
        },
        at(1),
    );
    assert_eq!(knowledge.view().era(Shape::Jwt), era);
    let kid = "a".parse().unwrap();
    let change = Change::KeyRetired { kid };
    knowledge.apply(
        &LogEntry {
            position: place(7),
            change,
        },
        at(1),
    );
    assert!(knowledge.view().era(Shape::Jwt) > era);
    assert_eq!(knowledge.view().era(Shape::Session), 1);
}

/// A cut-off is remembered for the whole life of every token that it could kill, by the guard's own
/// clock, and not much longer.
#[test]
fn cut_offs_are_forgotten_late_and_surely() {
    let mut knowledge = knowing(place(0));
    for number in 1..=100 {
        knowledge.apply(&end_of(1, place(number)), at(number * 10));
    }
    let life = REMEMBERED.as_secs();
    for second in 0..(life + 3_000) {
        let now = at(second.max(1_000));
        knowledge.forget(now);
        // The last one was applied at second 1000.
        if now.since(at(1_000)) <= REMEMBERED {
            assert!(is_dead(&knowledge, 1, place(99)), "{second}");
        }
    }
    assert_eq!(knowledge.view().cut_offs(), 0);
    assert!(REMEMBERED > Lifetimes::LONGEST_ACCESS_TOKEN);
}

#[test]
fn the_wall_clock_is_never_behind_the_authoritys() {
    let mut knowledge = knowing(place(0));
    let now = |second, wall| Now {
        moment: at(second),
        wall: UnixMillis::from_secs(wall),
    };
    assert_eq!(knowledge.view().wall(now(1, 50)), UnixMillis::from_secs(50));
    knowledge.hear_time(UnixMillis::from_secs(1_000), at(10));
    // This machine's clock was set back; the authority's went on.
    assert_eq!(
        knowledge.view().wall(now(15, 50)),
        UnixMillis::from_secs(1_005)
    );
    assert_eq!(
        knowledge.view().wall(now(15, 2_000)),
        UnixMillis::from_secs(2_000)
    );
}

/// A backup was restored: the authority began a new epoch, and knows nothing of what was issued after
/// the backup.
#[test]
fn a_restored_backup_kills_what_it_does_not_know() {
    let mut knowledge = knowing(place(0));
    knowledge.apply(&end_of(2, place(1)), at(1));
    let backed_up = LogEntry {
        position: place(2),
        change: Change::BackedUp {},
    };
    assert_eq!(knowledge.apply(&backed_up, at(1)), Applied::New);
    assert_eq!(
        (knowledge.view().applied(), knowledge.view().cut_offs()),
        (Some(place(2)), 1)
    );
    knowledge.apply(&end_of(3, place(3)), at(2));

    // The log of the new epoch is no continuation; only a snapshot brings it.
    let restored = CutOff {
        position: Position::new(1_800_000_000, 1),
        scope: Scope::Restored { from: place(2) },
    };
    let entry = LogEntry {
        position: restored.position,
        change: Change::CutOff {
            covers: restored.scope.clone(),
        },
    };
    assert_eq!(knowledge.apply(&entry, at(3)), Applied::Gap);
    assert!(!is_dead(&knowledge, 1, place(2)));
    let head = restored.position;
    knowledge
        .restore(&snapshot(head, vec![restored]), at(3))
        .unwrap();
    assert_eq!(knowledge.view().applied(), Some(head));
    for (rev, dead) in [
        (place(0), false),
        (place(1), false),
        (place(2), true),
        (place(3), true),
        (head, false),
    ] {
        assert_eq!(is_dead(&knowledge, 1, rev), dead, "{rev}");
    }
    // What had ended before the backup, or after it, stays so.
    assert!(is_dead(&knowledge, 2, place(0)));
    assert!(is_dead(&knowledge, 3, place(1)));
}

/// Who was away for thousands of cut-offs is spared a look-up only if none of them concerns them.
#[test]
fn thousands_of_cut_offs_later_those_are_looked_up_whom_one_concerns() {
    let of_one = [
        Scope::User { user: user(1) },
        Scope::Login {
            sid: Sid::mint(UnixMillis::from_millis(0), [1; 10]),
        },
        Scope::Grant {
            sid: Sid::mint(UnixMillis::from_millis(0), [1; 10]),
            client_id: "app".parse().unwrap(),
        },
    ];
    let of_all = [
        Scope::App {
            client_id: "app".parse().unwrap(),
        },
        Scope::Key {
            kid: "key".parse().unwrap(),
        },
        Scope::Everything {},
    ];
    let scopes = of_one.map(|scope| (scope, true)).into_iter();
    for (covers, is_of_one) in scopes.chain(of_all.map(|scope| (scope, false))) {
        let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 10_000);
        let whole = snapshot(place(0), Vec::new());
        knowledge.restore(&whole, at(0)).unwrap();
        let mut cut = |covers: &Scope, number: u64| {
            let change = Change::CutOff {
                covers: covers.clone(),
            };
            let position = place(number);
            knowledge.apply(&LogEntry { position, change }, at(1));
            knowledge.view().version()
        };
        let other = |n: u64| Scope::Login {
            sid: Sid::from_bytes(u128::from(n).to_be_bytes()),
        };
        let alive_in = (1..50).map(|n| cut(&other(n), n)).max().unwrap();
        cut(&covers, 50);
        for number in 51..4_000 {
            cut(&other(number), number);
        }
        let spares = |n| knowledge.view().spares(&scopes_of(&knowledge, n), alive_in);
        assert!(
            is_dead(&knowledge, 1, Position::START) && !spares(1),
            "{covers:?}"
        );
        let strangers = (2..=101).filter(|n| spares(*n)).count();
        assert_eq!(strangers >= 90, is_of_one, "{covers:?}: {strangers}");
    }
}

/// A guard that runs for longer than it remembers forgets a minute's cut-offs each minute. Whoever was found
/// alive is not looked up again for that.
#[test]
fn forgetting_is_nothing_new_about_those_who_live() {
    let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 10_000);
    knowledge
        .restore(&snapshot(place(0), Vec::new()), at(0))
        .unwrap();
    let other = |n: u64| Scope::Login {
        sid: Sid::from_bytes(u128::from(n).to_be_bytes()),
    };
    let mut versions = vec![knowledge.view().version()];
    for second in 1..=5_000 {
        let (position, covers) = (place(second), other(second));
        let change = Change::CutOff { covers };
        knowledge.apply(&LogEntry { position, change }, at(second));
        versions.push(knowledge.view().version());
        if second % 500 == 0 && second >= 1_000 {
            let alive_in = *versions.iter().nth_back(900).unwrap();
            let spares = |n| knowledge.view().spares(&scopes_of(&knowledge, n), alive_in);
            let strangers = (2..=101).filter(|n| spares(*n)).count();
            assert!(strangers >= 90, "{strangers} at {second}");
        }
    }
    assert!(knowledge.view().misses_any_after(place(1_000)));
    assert!(knowledge.view().cut_offs() < 4_100);
}

#[test]
fn what_a_snapshot_left_out_is_not_known_until_a_fuller_one_comes() {
    let told = |complete_since, head| Snapshot {
        complete_since,
        ..snapshot(head, Vec::new())
    };
    let mut knowledge = knowing(place(5));
    let misses = |knowledge: &Knowledge, number| knowledge.view().misses_any_after(place(number));
    assert!(!misses(&knowledge, 0));
    // The stream goes on: nothing is missing.
    knowledge.apply(&end_of(1, place(6)), at(1));
    assert!(!misses(&knowledge, 0));
    let version = knowledge.view().version();
    knowledge
        .restore(&told(Some(place(8)), place(9)), at(2))
        .unwrap();
    assert!(misses(&knowledge, 7) && !misses(&knowledge, 8));
    assert!(knowledge.view().version() > version);
    assert_eq!(knowledge.view().missed(), 1);
    // What was watched up to 1.9 misses nothing by this one.
    knowledge
        .restore(&told(Some(place(3)), place(12)), at(3))
        .unwrap();
    assert!(misses(&knowledge, 2) && !misses(&knowledge, 3));
    assert_eq!(knowledge.view().missed(), 1);
    // An authority that does not say it.
    knowledge.restore(&told(None, place(20)), at(4)).unwrap();
    assert!(misses(&knowledge, 19) && !misses(&knowledge, 20));
    assert_eq!(knowledge.view().missed(), 2);
}

#[test]
fn what_was_forgotten_is_not_known_and_is_said_so() {
    let mut knowledge = knowing(place(0));
    for number in 1..=10 {
        knowledge.apply(&end_of(1, place(number)), at(number * 100));
    }
    let misses = |knowledge: &Knowledge, number| knowledge.view().misses_any_after(place(number));
    let life = REMEMBERED.as_secs();
    knowledge.forget(at(life + 550));
    assert!(misses(&knowledge, 4) && !misses(&knowledge, 5));
    // A snapshot that brings it again brings it to be forgotten again.
    let whole = Snapshot {
        complete_since: Some(Position::START),
        ..snapshot(place(10), Vec::new())
    };
    knowledge.restore(&whole, at(life + 551)).unwrap();
    assert!(misses(&knowledge, 4) && !misses(&knowledge, 5));
    knowledge.forget(at(life + 2_000));
    assert!(misses(&knowledge, 9) && !misses(&knowledge, 10));
    // Of another log nothing is to be forgotten yet.
    let other = Snapshot {
        head: Position::new(2, 1),
        ..whole
    };
    knowledge.restore(&other, at(life + 2_001)).unwrap();
    assert!(!misses(&knowledge, 0));
}

#[test]
fn what_found_no_room_is_not_known() {
    let mut knowledge = Knowledge::new(ISSUER.to_owned(), "app".parse().unwrap(), 2);
    knowledge
        .restore(&snapshot(place(0), Vec::new()), at(0))
        .unwrap();
    for n in 1..=4 {
        knowledge.apply(&end_of(n, place(n.into())), at(1));
    }
    let view = knowledge.view();
    assert!(view.misses_any_after(place(3)) && !view.misses_any_after(place(4)));
}
