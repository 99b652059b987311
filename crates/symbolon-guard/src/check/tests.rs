//! The decision as tables.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use proptest::prelude::*;
use symbolon_login::{
    AppSettings, Change, KeyId, LogEntry, Position, Scope, Sid, Snapshot, UnixMillis, UserId,
};

use super::*;
use crate::{
    digest::Digests,
    fault::{Fault, Faults},
    knowledge::Knowledge,
};

mod missing;

const ISSUED: i64 = 1_800_000_000;
const MOST: usize = 5;
const SEC: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment::at(Duration::from_secs(seconds))
}

/// `seconds` after the credential was issued, by both clocks.
fn now(seconds: u32) -> Now {
    Now {
        moment: at(u64::from(seconds)),
        wall: UnixMillis::from_secs(ISSUED + i64::from(seconds)),
    }
}

/// A guard that applied up to 1.5 and proved it at second `fresh`.
fn knowing(fresh: Option<u64>) -> Knowledge {
    knowing_at_most(MOST, fresh)
}

/// The same, with room for so many cut-offs.
fn knowing_at_most(most: usize, fresh: Option<u64>) -> Knowledge {
    let issuer = "http://localhost:7300".to_owned();
    let mut knowledge = Knowledge::new(issuer, "app".parse().unwrap(), most);
    knowledge.restore(&snapshot(), at(0)).unwrap();
    if let Some(fresh) = fresh {
        let ticket = knowledge.view().ask(at(fresh)).unwrap();
        let _ = knowledge.answer(ticket, Position::new(1, 5));
    }
    knowledge
}

fn snapshot() -> Snapshot {
    let second = Duration::from_secs;
    Snapshot {
        head: Position::new(1, 5),
        issuer: "http://localhost:7300".to_owned(),
        complete_since: Some(Position::START),
        cut_offs: vec![],
        keys: vec![],
        apps: vec![AppSettings {
            client_id: "app".parse().unwrap(),
            shape: Shape::Session,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::new(second(3600), second(7200), second(300), second(10)).unwrap(),
        }],
    }
}

fn seen(shape: Shape, rev: Position, vouched_at: Option<u64>, knowledge: &Knowledge) -> Seen {
    seen_with(facts(shape, rev), vouched_at, knowledge)
}

fn seen_with(facts: ActiveCredential, vouched_at: Option<u64>, knowledge: &Knowledge) -> Seen {
    let shape = facts.shape;
    Seen::establish(
        Digests::known().of(b"a credential"),
        facts,
        vouched_at.map(at),
        knowledge.view().era(shape),
        at(0),
        knowledge.view().table(),
    )
}

/// A session that this text is.
pub(crate) fn seen_of(text: &str) -> Arc<Seen> {
    let (key, facts) = (
        Digests::known().of(text.as_bytes()),
        facts(Shape::Session, OLD),
    );
    let table = CutOffTable::default();
    Arc::new(Seen::establish(key, facts, None, 0, at(0), &table))
}

fn facts(shape: Shape, rev: Position) -> ActiveCredential {
    let start = UnixMillis::from_secs(ISSUED);
    let kid: Option<KeyId> = (shape == Shape::Jwt).then(|| "key".parse().unwrap());
    ActiveCredential {
        sub: UserId::mint(start, [1; 10]),
        username: "alice".to_owned(),
        sid: Sid::mint(start, [2; 10]),
        client_id: "app".parse().unwrap(),
        rev,
        as_of: None,
        kid,
        shape,
        iat: ISSUED,
        exp: ISSUED + 300,
        auth_time: ISSUED,
        amr: vec![],
        roles: vec![],
    }
}

fn cut(knowledge: &mut Knowledge, covers: Scope) {
    let position = knowledge.view().applied().unwrap().next();
    let change = Change::CutOff { covers };
    knowledge.apply(&LogEntry { position, change }, at(0));
}

const OLD: Position = Position::new(1, 3);
const AHEAD: Position = Position::new(1, 9);

fn local(staleness: Duration) -> Judgement {
    Judgement::Yes(Proof {
        ground: Ground::Local,
        staleness,
    })
}

#[test]
fn a_yes_rests_on_proved_freshness_or_the_authority_is_asked() {
    let within = Freshness::Within(10 * SEC);
    let table = [
        // (freshness, rev, knowledge proved at, authority asked at) at second 100
        (within, OLD, Some(99), None, local(SEC)),
        (within, OLD, Some(90), None, local(10 * SEC)),
        (within, OLD, Some(89), None, Judgement::Ask),
        (within, OLD, None, None, Judgement::Ask),
        // What the authority said is a proof of its own moment.
        (within, OLD, None, Some(95), local(5 * SEC)),
        (within, OLD, Some(20), Some(95), local(5 * SEC)),
        (within, OLD, Some(97), Some(95), local(3 * SEC)),
        (within, OLD, Some(20), Some(20), Judgement::Ask),
        (Freshness::Live, OLD, Some(100), Some(100), Judgement::Ask),
        (Freshness::UntilExpiry, OLD, Some(1), None, local(99 * SEC)),
        (Freshness::UntilExpiry, OLD, None, None, Judgement::Ask),
        // Ahead of the guard: it catches up before it says anything.
        (within, AHEAD, Some(99), None, Judgement::CatchUp),
        (within, AHEAD, Some(99), Some(95), local(5 * SEC)),
        (Freshness::Live, AHEAD, Some(99), None, Judgement::Ask),
        (Freshness::UntilExpiry, AHEAD, Some(99), None, local(SEC)),
    ];
    for shape in [Shape::Session, Shape::Jwt] {
        for (freshness, rev, fresh, vouched, expected) in table {
            let knowledge = knowing(fresh);
            let seen = seen(shape, rev, vouched, &knowledge);
            assert_eq!(
                judge(&seen, freshness, knowledge.view(), now(100)),
                expected,
                "{shape} {freshness} {rev} {fresh:?} {vouched:?}"
            );
        }
    }
}

#[test]
fn a_cut_off_refuses_whatever_the_freshness_and_whoever_vouched() {
    let sid = Sid::mint(UnixMillis::from_secs(ISSUED), [2; 10]);
    for freshness in [Freshness::Live, Freshness::DEFAULT, Freshness::UntilExpiry] {
        for shape in [Shape::Session, Shape::Jwt] {
            let mut knowledge = knowing(Some(100));
            cut(&mut knowledge, Scope::Login { sid });
            let seen = seen(shape, OLD, Some(100), &knowledge);
            let no = Judgement::No(Reason::Ended);
            assert_eq!(judge(&seen, freshness, knowledge.view(), now(100)), no);
            assert_eq!(
                judge_answer(&seen, at(100), Freshness::Live, knowledge.view(), now(100)),
                no
            );
        }
    }
}

#[test]
fn a_login_survives_its_signing_key() {
    let mut knowledge = knowing(Some(100));
    let kid = "key".parse().unwrap();
    cut(&mut knowledge, Scope::Key { kid });
    let jwt = seen(Shape::Jwt, OLD, None, &knowledge);
    assert_eq!(
        judge(&jwt, Freshness::DEFAULT, knowledge.view(), now(100)),
        Judgement::No(Reason::KeyEnded)
    );
    let session = seen(Shape::Session, OLD, None, &knowledge);
    assert_eq!(
        judge(&session, Freshness::DEFAULT, knowledge.view(), now(100)),
        local(Duration::ZERO)
    );
    cut(&mut knowledge, Scope::Everything {});
    assert_eq!(
        judge(&jwt, Freshness::DEFAULT, knowledge.view(), now(100)),
        Judgement::No(Reason::Ended)
    );
}

#[test]
fn at_its_end_a_token_is_over_and_a_session_is_asked_about() {
    for (second, jwt, session) in [
        (299, local(Duration::ZERO), local(Duration::ZERO)),
        (300, Judgement::No(Reason::Expired), Judgement::Ask),
        (301, Judgement::No(Reason::Expired), Judgement::Ask),
    ] {
        let knowledge = knowing(Some(u64::from(second)));
        let now = now(second);
        let token = seen(Shape::Jwt, OLD, None, &knowledge);
        assert_eq!(
            judge(&token, Freshness::DEFAULT, knowledge.view(), now),
            jwt
        );
        let opaque = seen(Shape::Session, OLD, None, &knowledge);
        assert_eq!(
            judge(&opaque, Freshness::DEFAULT, knowledge.view(), now),
            session
        );
    }
}

#[test]
fn no_verdict_outlives_the_memory_of_cut_offs_or_its_era() {
    let knowledge = knowing(Some(3_600));
    // The wall clock stands still: only the guard's own clock says that an hour went by.
    let late = Now {
        moment: at(3_600),
        wall: UnixMillis::from_secs(ISSUED),
    };
    let old = seen(Shape::Jwt, OLD, None, &knowledge);
    assert_eq!(
        judge(&old, Freshness::DEFAULT, knowledge.view(), late),
        Judgement::Ask
    );
    let mut earlier = seen(Shape::Session, OLD, None, &knowledge);
    earlier.era += 1;
    assert_eq!(
        judge(&earlier, Freshness::DEFAULT, knowledge.view(), now(10)),
        Judgement::Ask
    );
}

#[test]
fn an_answer_is_as_old_as_its_question() {
    let knowledge = knowing(None);
    let session = seen(Shape::Session, OLD, None, &knowledge);
    assert_eq!(
        judge_answer(
            &session,
            at(98),
            Freshness::Live,
            knowledge.view(),
            now(100)
        ),
        Judgement::Yes(Proof {
            ground: Ground::Authority,
            staleness: 2 * SEC
        })
    );
}

/// The authority may have read it before an end that it acknowledged since.
#[test]
fn an_answer_that_took_longer_than_the_bound_is_too_old() {
    let knowledge = knowing(None);
    let session = seen(Shape::Session, OLD, None, &knowledge);
    let judged = |freshness| judge_answer(&session, at(98), freshness, knowledge.view(), now(100));
    assert_eq!(judged(Freshness::Within(SEC)), Judgement::Ask);
    for freshness in [
        Freshness::Live,
        Freshness::Within(2 * SEC),
        Freshness::UntilExpiry,
    ] {
        let yes = matches!(judged(freshness), Judgement::Yes(_));
        assert!(yes, "{freshness}");
    }
}

/// What was asked about a session just now counts, whatever the guard's own clock says: its `exp` says
/// until when the answer may be repeated. A token ends by the later of the two clocks.
#[test]
fn a_clock_that_is_ahead_throws_no_session_out() {
    let knowledge = knowing(None);
    for (shape, expected) in [
        (
            Shape::Session,
            Judgement::Yes(Proof {
                ground: Ground::Authority,
                staleness: Duration::ZERO,
            }),
        ),
        (Shape::Jwt, Judgement::No(Reason::Expired)),
    ] {
        let seen = seen(shape, OLD, None, &knowledge);
        let judgement = judge_answer(&seen, at(300), Freshness::Live, knowledge.view(), now(300));
        assert_eq!(judgement, expected, "{shape}");
    }
}

/// What was found alive stays alive only until there is another cut-off.
#[test]
fn a_verdict_that_is_remembered_ends_with_the_next_cut_off() {
    let mut knowledge = knowing(Some(100));
    let token = seen(Shape::Jwt, OLD, None, &knowledge);
    let yes = |knowledge: &Knowledge| {
        judge(&token, Freshness::DEFAULT, knowledge.view(), now(100)) == local(Duration::ZERO)
    };
    assert!(yes(&knowledge) && yes(&knowledge));
    let start = UnixMillis::from_secs(ISSUED);
    let other = UserId::mint(start, [9; 10]);
    cut(&mut knowledge, Scope::User { user: other });
    assert!(yes(&knowledge) && yes(&knowledge));
    let user = UserId::mint(start, [1; 10]);
    cut(&mut knowledge, Scope::User { user });
    assert!(!yes(&knowledge) && !yes(&knowledge));
}

/// More cut-offs than the guard may keep: what it knows proves nothing until all that it did not keep
/// is of no use any more. What it does know still kills.
#[test]
fn past_the_bound_of_cut_offs_only_the_authority_can_say_yes() {
    let start = UnixMillis::from_secs(ISSUED);
    let end = |n| Scope::User {
        user: UserId::mint(start, [n; 10]),
    };
    let mut knowledge = knowing(Some(100));
    for n in 10..15 {
        cut(&mut knowledge, end(n));
    }
    let judged = |knowledge: &Knowledge, vouched, freshness| {
        let session = seen(Shape::Session, OLD, vouched, knowledge);
        judge(&session, freshness, knowledge.view(), now(100))
    };
    let yes = local(Duration::ZERO);
    assert_eq!(judged(&knowledge, None, Freshness::DEFAULT), yes);
    assert!(!knowledge.view().is_careful());

    // The sixth, and it is the one that kills.
    cut(&mut knowledge, end(1));
    assert!(knowledge.view().is_careful());
    assert_eq!(knowledge.view().cut_offs(), MOST);
    for freshness in [Freshness::DEFAULT, Freshness::UntilExpiry, Freshness::Live] {
        assert_eq!(judged(&knowledge, None, freshness), Judgement::Ask);
    }
    // What the authority said is a proof of its own moment, as ever.
    let said = judged(&knowledge, Some(95), Freshness::DEFAULT);
    assert_eq!(said, local(5 * SEC));
    cut(&mut knowledge, Scope::Everything {});
    let ended = Judgement::No(Reason::Ended);
    assert_eq!(judged(&knowledge, Some(95), Freshness::DEFAULT), ended);

    // Everything was dropped or cut at second 0 by the guard's clock.
    let life = Lifetimes::LONGEST_ACCESS_TOKEN.as_secs();
    knowledge.forget(at(life));
    assert!(knowledge.view().is_careful());
    for second in 0..200 {
        knowledge.forget(at(life + 301 + second));
    }
    assert!(!knowledge.view().is_careful());
}

/// What the credential of [`facts`] may be covered by, and much that concerns others.
fn scope() -> impl Strategy<Value = Scope> {
    let start = UnixMillis::from_secs(ISSUED);
    let (user, sid) = (UserId::mint(start, [1; 10]), Sid::mint(start, [2; 10]));
    let others = (3..60_u8).prop_map(move |n| Scope::Login {
        sid: Sid::mint(start, [n; 10]),
    });
    let client_id = || "app".parse().unwrap();
    prop_oneof![
        60 => others,
        1 => Just(Scope::User { user }),
        1 => Just(Scope::Login { sid }),
        1 => Just(Scope::Grant { sid, client_id: client_id() }),
        1 => Just(Scope::App { client_id: client_id() }),
        1 => Just(Scope::Key { kid: "key".parse().unwrap() }),
        1 => Just(Scope::Everything {}),
        1 => Just(Scope::Restored { from: Position::new(1, 2) }),
    ]
}

proptest! {
    /// A credential that was looked at before, at any time, and one that never was are the same to the rule.
    #[test]
    fn what_was_found_before_changes_no_verdict(
        stretches in proptest::collection::vec(proptest::collection::vec(scope(), 0..20), 1..8),
        is_jwt: bool,
        most in prop_oneof![Just(MOST), Just(1_000)],
    ) {
        let shape = if is_jwt { Shape::Jwt } else { Shape::Session };
        let mut knowledge = knowing_at_most(most, Some(100));
        let old = seen(shape, OLD, None, &knowledge);
        for stretch in stretches {
            for covers in stretch {
                cut(&mut knowledge, covers);
            }
            let new = seen(shape, OLD, None, &knowledge);
            prop_assert_eq!(old.known(knowledge.view()), new.known(knowledge.view()));
        }
    }
}

#[test]
fn an_older_view_is_not_spared_by_a_newer_one() {
    let knowledge = knowing_at_most(1_000, Some(100));
    let (old, mut newer) = (knowledge.view().clone(), knowledge.clone());
    let sid = Sid::mint(UnixMillis::from_secs(ISSUED), [9; 10]);
    cut(&mut newer, Scope::Login { sid });
    let seen = seen(Shape::Session, OLD, None, &knowledge);
    assert_eq!(seen.known(newer.view()), Known::Alive);
    let (from, to) = (newer.view().version(), old.version());
    assert!(!old.recent.spares(&seen.scopes, from, to));
    assert_eq!(seen.known(&old), Known::Alive);
}
