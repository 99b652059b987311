//! The algebra of cut-offs, by properties over small worlds in which everything collides.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::UnixMillis;

fn user(n: u8) -> UserId {
    UserId::mint(UnixMillis::from_millis(0), [n; 10])
}

fn sid(n: u8) -> Sid {
    Sid::mint(UnixMillis::from_millis(0), [n; 10])
}

fn app(n: u8) -> ClientId {
    format!("app{n}").parse().unwrap()
}

fn kid(n: u8) -> KeyId {
    format!("key{n}").parse().unwrap()
}

fn position() -> impl Strategy<Value = Position> {
    (1..3_u32, 0..6_u64).prop_map(|(epoch, number)| Position::new(epoch, number))
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::Everything {}),
        2 => position().prop_map(|from| Scope::Restored { from }),
        2 => (0..3_u8).prop_map(|n| Scope::Key { kid: kid(n) }),
        2 => (0..3_u8).prop_map(|n| Scope::App { client_id: app(n) }),
        3 => (0..3_u8).prop_map(|n| Scope::User { user: user(n) }),
        3 => (0..3_u8).prop_map(|n| Scope::Login { sid: sid(n) }),
        3 => (0..3_u8, 0..3_u8).prop_map(|(n, m)| Scope::Grant { sid: sid(n), client_id: app(m) }),
    ]
}

fn cut_offs() -> impl Strategy<Value = Vec<CutOff>> {
    let one = (position(), scope()).prop_map(|(position, scope)| CutOff { position, scope });
    proptest::collection::vec(one, 0..12)
}

#[derive(Clone, Debug)]
struct Facts {
    user: UserId,
    sid: Sid,
    app: ClientId,
    key: Option<KeyId>,
    rev: Position,
}

impl Facts {
    fn subject(&self) -> Subject<'_> {
        Subject {
            user: self.user,
            sid: self.sid,
            client_id: &self.app,
            key: self.key.as_ref(),
            rev: self.rev,
        }
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    (
        0..3_u8,
        0..3_u8,
        0..3_u8,
        proptest::option::of(0..3_u8),
        position(),
    )
        .prop_map(|(u, s, a, k, rev)| Facts {
            user: user(u),
            sid: sid(s),
            app: app(a),
            key: k.map(kid),
            rev,
        })
}

fn set(entries: &[CutOff]) -> CutOffs {
    let mut known = CutOffs::default();
    for entry in entries {
        known.insert(entry);
    }
    known
}

fn joined(a: &CutOffs, b: &CutOffs) -> CutOffs {
    let mut both = a.clone();
    both.join(b);
    both
}

proptest! {
    /// The table of latest positions says what the list of entries says.
    #[test]
    fn the_set_kills_exactly_what_one_of_its_entries_kills(entries in cut_offs(), facts in facts()) {
        let by_rule = entries.iter().filter(|cut_off| cut_off.kills(&facts.subject())).map(|c| c.position).max();
        prop_assert_eq!(set(&entries).kills(&facts.subject()), by_rule);
    }

    #[test]
    fn join_is_commutative_associative_and_idempotent(a in cut_offs(), b in cut_offs(), c in cut_offs()) {
        let (a, b, c) = (set(&a), set(&b), set(&c));
        prop_assert_eq!(joined(&a, &b), joined(&b, &a));
        prop_assert_eq!(joined(&joined(&a, &b), &c), joined(&a, &joined(&b, &c)));
        prop_assert_eq!(joined(&a, &a), a);
    }

    #[test]
    fn join_is_the_same_as_inserting_both_lists(a in cut_offs(), b in cut_offs()) {
        let both: Vec<CutOff> = a.iter().chain(&b).cloned().collect();
        prop_assert_eq!(joined(&set(&a), &set(&b)), set(&both));
    }

    /// Monotone: what is dead stays dead, whatever is added.
    #[test]
    fn adding_never_revives(a in cut_offs(), b in cut_offs(), facts in facts()) {
        if set(&a).kills(&facts.subject()).is_some() {
            prop_assert!(joined(&set(&a), &set(&b)).kills(&facts.subject()).is_some());
        }
    }

    /// A grant made at or after the entry's position lives: signing in again works.
    #[test]
    fn a_cut_off_never_kills_what_came_after_it(entries in cut_offs(), facts in facts()) {
        let newest = entries.iter().map(|c| c.position).max().unwrap_or(Position::START);
        let later = Facts { rev: newest, ..facts };
        prop_assert_eq!(set(&entries).kills(&later.subject()), None);
    }

    /// Forgetting a prefix changes nothing for credentials that are younger than it.
    #[test]
    fn forgetting_a_prefix_is_invisible_to_younger_credentials(entries in cut_offs(), facts in facts(), at in position()) {
        prop_assume!(facts.rev >= at);
        let mut short = set(&entries);
        short.forget_through(at);
        prop_assert_eq!(short.kills(&facts.subject()), set(&entries).kills(&facts.subject()));
    }

    #[test]
    fn a_cut_off_survives_the_wire(entries in cut_offs()) {
        for entry in entries {
            let text = serde_json::to_string(&entry).unwrap();
            prop_assert_eq!(serde_json::from_str::<CutOff>(&text).unwrap(), entry);
        }
    }
}

#[test]
fn an_unknown_scope_is_an_error() {
    assert!(serde_json::from_str::<Scope>(r#"{"scope":"planet"}"#).is_err());
    assert!(serde_json::from_str::<Scope>(r#"{"scope":"everything","but":"alice"}"#).is_err());
}

#[test]
fn a_restored_backup_kills_what_it_knows_nothing_of_and_nothing_else() {
    let from = Position::new(1, 42);
    let cut_off = CutOff {
        position: Position::new(7, 1),
        scope: Scope::Restored { from },
    };
    for (rev, dead) in [
        (Position::new(1, 41), false),
        (Position::new(1, 42), true),
        (Position::new(1, 900), true),
        // An epoch that an earlier restore of the same backup began.
        (Position::new(5, 3), true),
        (Position::new(7, 0), true),
        (Position::new(7, 1), false),
    ] {
        let facts = Facts {
            user: user(1),
            sid: sid(1),
            app: app(1),
            key: None,
            rev,
        };
        assert_eq!(cut_off.kills(&facts.subject()), dead, "{rev}");
    }
}
