//! Cut-offs that are not known here, or not any more.

use super::*;

/// A cut-off that is not known here may have killed it: known ones still do, and the authority's word counts.
#[test]
fn what_a_missing_cut_off_may_kill_only_the_authority_lets_in() {
    let missing = |fault| {
        let mut knowledge = knowing(Some(99)).with(Faults { fault });
        let snapshot = Snapshot {
            complete_since: Some(Position::new(1, 4)),
            ..snapshot()
        };
        knowledge.restore(&snapshot, at(0)).unwrap();
        knowledge
    };
    let within = Freshness::Within(10 * SEC);
    for shape in [Shape::Session, Shape::Jwt] {
        for (as_of, vouched, freshness, expected) in [
            (None, None, within, Judgement::Ask),
            (Some(3), None, within, Judgement::Ask),
            (Some(3), None, Freshness::UntilExpiry, Judgement::Ask),
            (Some(3), Some(95), within, local(5 * SEC)),
            (Some(4), None, within, local(SEC)),
            (Some(5), None, within, local(SEC)),
        ] {
            let mut knowledge = missing(None);
            let facts = ActiveCredential {
                as_of: as_of.map(|number| Position::new(1, number)),
                ..facts(shape, OLD)
            };
            let seen = seen_with(facts, vouched, &knowledge);
            // The second look is at what the first one left.
            for _ in 0..2 {
                let judgement = judge(&seen, freshness, knowledge.view(), now(100));
                assert_eq!(judgement, expected, "{shape} {as_of:?} {vouched:?}");
            }
            let answered = judge_answer(&seen, at(100), within, knowledge.view(), now(100));
            assert!(matches!(answered, Judgement::Yes(_)));
            cut(&mut knowledge, Scope::Everything {});
            let no = Judgement::No(Reason::Ended);
            assert_eq!(judge(&seen, freshness, knowledge.view(), now(100)), no);
        }
        // The rule is what refuses it.
        let broken = missing(Some(Fault::IgnoreCompleteSince));
        let seen = seen(shape, OLD, None, &broken);
        let judgement = judge(&seen, within, broken.view(), now(100));
        assert_eq!(judgement, local(SEC));
    }
}

/// Cut-offs are forgotten. Who was found alive by them is so still; who was not looked at since one of them
/// came, and is older than it, has to be asked about.
#[test]
fn a_verdict_outlasts_what_it_rests_on_and_none_is_made_without_it() {
    let mut knowledge = knowing(Some(99));
    let start = UnixMillis::from_secs(ISSUED);
    let away = seen(Shape::Jwt, OLD, None, &knowledge);
    let of_another = ActiveCredential {
        sub: UserId::mint(start, [7; 10]),
        sid: Sid::mint(start, [8; 10]),
        ..facts(Shape::Jwt, OLD)
    };
    let (kept, new) = (
        seen_with(of_another.clone(), None, &knowledge),
        seen_with(of_another.clone(), None, &knowledge),
    );
    let young = ActiveCredential {
        as_of: Some(Position::new(1, 7)),
        ..of_another
    };
    let young = seen_with(young, None, &knowledge);
    let judged = |seen: &Seen, knowledge: &Knowledge| {
        judge(seen, Freshness::DEFAULT, knowledge.view(), now(100))
    };
    assert_eq!(judged(&away, &knowledge), local(SEC));
    let user = UserId::mint(start, [9; 10]);
    cut(&mut knowledge, Scope::User { user });
    let sid = away.facts.sid;
    cut(&mut knowledge, Scope::Login { sid });
    assert_eq!(judged(&kept, &knowledge), local(SEC));
    let life = Lifetimes::LONGEST_ACCESS_TOKEN.as_secs();
    for second in 0..=2 * life {
        knowledge.forget(at(second + life));
    }
    assert_eq!(knowledge.view().cut_offs(), 0);
    for _ in 0..2 {
        assert_eq!(judged(&away, &knowledge), Judgement::Ask);
        assert_eq!(judged(&new, &knowledge), Judgement::Ask);
        assert_eq!(judged(&kept, &knowledge), local(SEC));
        assert_eq!(judged(&young, &knowledge), local(SEC));
    }
}
