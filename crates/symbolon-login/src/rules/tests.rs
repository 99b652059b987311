//! Tables for the two decisions, and the refresh line by properties.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::{GrantId, Position, SecretKeys, SecretKind, Sid, UserId};

const START: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const SEC: Duration = Duration::from_secs(1);

fn login() -> Login {
    Login {
        sid: Sid::mint(START, [1; 10]),
        user: UserId::mint(START, [2; 10]),
        authenticated_at: START,
        methods: vec!["pwd".to_owned()],
        device: None,
        expires_at: START.plus(1_000 * SEC),
        idle: None,
        remembered: true,
        ended_at: None,
    }
}

fn grant() -> Grant {
    Grant {
        id: GrantId::mint(START, [3; 10]),
        sid: login().sid,
        client_id: "app".parse().unwrap(),
        rev: Position::START,
        opened_at: START,
        used_at: START,
        line: Line {
            generation: 0,
            digest: Digest::of("t", b"0"),
            moved_at: START,
        },
        ended_at: None,
    }
}

fn lifetimes() -> Lifetimes {
    Lifetimes::new(100 * SEC, 500 * SEC, 60 * SEC, 10 * SEC).unwrap()
}

#[test]
fn a_grant_stands_until_the_first_of_its_ends() {
    let at = |secs| START.plus(Duration::from_secs(secs));
    let judge = |login: &Login, grant: &Grant, now| standing(login, grant, &lifetimes(), now);
    let used_at = |secs| Grant {
        used_at: at(secs),
        ..grant()
    };

    assert_eq!(
        judge(&login(), &grant(), START),
        Standing::Alive { until: at(100) }
    );
    assert_eq!(
        judge(&login(), &grant(), at(99)),
        Standing::Alive { until: at(100) }
    );
    assert_eq!(judge(&login(), &grant(), at(100)), Standing::Idle);
    assert_eq!(
        judge(&login(), &used_at(90), at(150)),
        Standing::Alive { until: at(190) }
    );
    assert_eq!(
        judge(&login(), &used_at(450), at(499)),
        Standing::Alive { until: at(500) }
    );
    assert_eq!(judge(&login(), &used_at(499), at(500)), Standing::Expired);

    let short = Login {
        expires_at: at(50),
        ..login()
    };
    assert_eq!(
        judge(&short, &grant(), at(49)),
        Standing::Alive { until: at(50) }
    );
    assert_eq!(judge(&short, &grant(), at(50)), Standing::Expired);

    // The person's own idle lifetime counts where it is the shorter one.
    for (idle, until) in [(30, 30), (99, 99), (101, 100)] {
        let restless = Login {
            idle: Some(Duration::from_secs(idle)),
            ..login()
        };
        let alive = Standing::Alive { until: at(until) };
        assert_eq!(judge(&restless, &grant(), at(until - 1)), alive);
        assert_eq!(judge(&restless, &grant(), at(until)), Standing::Idle);
    }

    let ended = Login {
        ended_at: Some(at(1)),
        ..login()
    };
    assert_eq!(judge(&ended, &grant(), at(2)), Standing::Ended);
    let alone = Grant {
        ended_at: Some(at(1)),
        ..grant()
    };
    assert_eq!(judge(&login(), &alone, at(2)), Standing::Ended);
}

#[test]
fn lifetimes_that_contradict_are_refused_by_name() {
    let secs = Duration::from_secs;
    let table = [
        (
            Lifetimes::new(secs(2), secs(1), secs(1), secs(0)),
            BadLifetimes::Idle,
        ),
        (
            Lifetimes::new(secs(1), secs(0), secs(1), secs(0)),
            BadLifetimes::Absolute,
        ),
        (
            Lifetimes::new(secs(1), secs(401 * 86_400), secs(1), secs(0)),
            BadLifetimes::Absolute,
        ),
        (
            Lifetimes::new(secs(1), secs(1), secs(3601), secs(0)),
            BadLifetimes::AccessToken,
        ),
        (
            Lifetimes::new(secs(1), secs(1), secs(0), secs(0)),
            BadLifetimes::AccessToken,
        ),
        (
            Lifetimes::new(secs(1), secs(1), secs(1), secs(61)),
            BadLifetimes::Grace,
        ),
    ];
    for (made, expected) in table {
        assert_eq!(made, Err(expected));
    }
    let wire = serde_json::to_string(&Lifetimes::default()).unwrap();
    assert_eq!(
        wire,
        r#"{"idle_seconds":604800,"absolute_seconds":2592000,"access_token_seconds":300,"refresh_grace_seconds":10}"#
    );
    assert_eq!(
        serde_json::from_str::<Lifetimes>(&wire).unwrap(),
        Lifetimes::default()
    );
}

/// One line of secrets as a client and a thief see it: `secrets[n]` is generation n.
struct World {
    keys: SecretKeys,
    secrets: Vec<crate::OpaqueSecret>,
    line: Line,
}

impl World {
    fn new() -> Self {
        let keys = SecretKeys::derive(&[1; 32]);
        let first = keys.first(SecretKind::Refresh, GrantId::mint(START, [3; 10]), [5; 32]);
        let line = Line {
            generation: 0,
            digest: first.digest(),
            moved_at: START,
        };
        Self {
            keys,
            secrets: vec![first],
            line,
        }
    }

    fn present(&mut self, generation: usize, now: UnixMillis, grace: Duration) -> Redemption {
        let presented = self.secrets.get(generation).unwrap();
        let successor = self.keys.successor(presented, SecretKind::Refresh);
        let verdict = redeem(
            &self.line,
            presented.generation(),
            &presented.digest(),
            &successor.digest(),
            now,
            grace,
        );
        if verdict == Redemption::Current {
            self.line = Line {
                generation: successor.generation(),
                digest: successor.digest(),
                moved_at: now,
            };
            self.secrets.push(successor);
        }
        verdict
    }
}

proptest! {
    /// Whatever is presented when: only the newest moves the line, only the one before it is
    /// replayed and only within the grace, everything older is theft.
    #[test]
    fn a_line_moves_only_forward(steps in proptest::collection::vec((0..6_usize, 0..20_u64), 1..40)) {
        let mut world = World::new();
        let mut now = START;
        let grace = 10 * SEC;
        for (back, wait) in steps {
            now = now.plus(Duration::from_secs(wait));
            let newest = world.secrets.len() - 1;
            let generation = newest.saturating_sub(back);
            let moved_at = world.line.moved_at;
            let expected = match newest - generation {
                0 => Redemption::Current,
                1 if now < moved_at.plus(grace) => Redemption::Replay,
                _ => Redemption::Reuse,
            };
            prop_assert_eq!(world.present(generation, now, grace), expected);
        }
    }
}

#[test]
fn a_secret_that_the_line_never_issued_is_foreign() {
    let world = World::new();
    let (a, b) = (Digest::of("t", b"a"), Digest::of("t", b"b"));
    assert_eq!(
        redeem(&world.line, 0, &a, &b, START, SEC),
        Redemption::Foreign
    );
    assert_eq!(
        redeem(&world.line, 7, &a, &b, START, SEC),
        Redemption::Foreign
    );
}
