//! The same verdicts as the rule of death itself, for histories in which everything collides.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use symbolon_login::{ClientId, CutOffs, KeyId, Sid, UnixMillis, UserId};

use super::*;

const ALL: usize = usize::MAX;

fn user(n: u16) -> UserId {
    let [a, b] = n.to_be_bytes();
    UserId::mint(UnixMillis::from_millis(0), [0, 0, 0, 0, 0, 0, 0, 0, a, b])
}

fn sid(n: u16) -> Sid {
    Sid::from_bytes(*user(n).as_bytes())
}

fn app(n: u16) -> ClientId {
    format!("app{n}").parse().unwrap()
}

fn kid(n: u16) -> KeyId {
    format!("key{n}").parse().unwrap()
}

fn position() -> impl Strategy<Value = Position> {
    (1..4_u32, 0..8_u64).prop_map(|(epoch, number)| Position::new(epoch, number))
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        1 => Just(Scope::Everything {}),
        2 => position().prop_map(|from| Scope::Restored { from }),
        2 => (0..3_u16).prop_map(|n| Scope::Key { kid: kid(n) }),
        2 => (0..3_u16).prop_map(|n| Scope::App { client_id: app(n) }),
        3 => (0..3_u16).prop_map(|n| Scope::User { user: user(n) }),
        3 => (0..3_u16).prop_map(|n| Scope::Login { sid: sid(n) }),
        3 => (0..3_u16, 0..3_u16).prop_map(|(n, m)| Scope::Grant { sid: sid(n), client_id: app(m) }),
    ]
}

#[derive(Clone, Debug)]
struct Facts {
    user: UserId,
    sid: Sid,
    app: ClientId,
    key: Option<KeyId>,
    rev: Position,
}

fn facts() -> impl Strategy<Value = Facts> {
    let key = proptest::option::of((0..3_u16).prop_map(kid));
    (0..3_u16, 0..3_u16, 0..3_u16, key, position()).prop_map(|(u, s, a, key, rev)| Facts {
        user: user(u),
        sid: sid(s),
        app: app(a),
        key,
        rev,
    })
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

#[derive(Clone, Debug)]
enum Step {
    /// A cut-off, from the stream or from a snapshot: in any order, any number of times.
    Insert(CutOff),
    Forget(Position),
    /// Readers hold the table as it is now.
    Publish,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let insert = (position(), scope())
        .prop_map(|(position, scope)| Step::Insert(CutOff { position, scope }));
    let step = prop_oneof![
        8 => insert,
        1 => position().prop_map(Step::Forget),
        1 => Just(Step::Publish),
    ];
    proptest::collection::vec(step, 0..40)
}

/// What the rule says: dead with its login, or only by its key.
fn by_rule(known: &CutOffs, facts: &Facts) -> Option<Killed> {
    known.kills(&facts.subject())?;
    let without_key = Subject {
        key: None,
        ..facts.subject()
    };
    Some(match known.kills(&without_key) {
        Some(_) => Killed::Login,
        None => Killed::Key,
    })
}

fn by_table(table: &CutOffTable, facts: &Facts) -> Option<Killed> {
    table.kills(&table.scopes(&facts.subject()), facts.rev)
}

proptest! {
    #[test]
    fn the_table_says_what_the_rule_says(steps in steps(), subjects in proptest::collection::vec(facts(), 8)) {
        let (mut writer, mut known) = (Writer::default(), CutOffs::default());
        let (mut through, mut published) = (None, Vec::new());
        for step in steps {
            match step {
                // What may be forgotten is not told again: it was applied an hour ago.
                Step::Insert(cut_off) if Some(cut_off.position) <= through => {}
                Step::Insert(cut_off) => {
                    prop_assert!(writer.insert(&cut_off, ALL));
                    known.insert(&cut_off);
                }
                Step::Forget(position) => {
                    through = through.max(Some(position));
                    writer.forget_through(position);
                    known.forget_through(position);
                    while writer.forget_some() {}
                }
                Step::Publish => {
                    let dead: Vec<_> = subjects.iter().map(|facts| by_rule(&known, facts)).collect();
                    published.push((Arc::clone(writer.table()), dead, through));
                }
            }
            // A scope that was cut off in two epochs stands in both.
            prop_assert!(writer.len() >= known.len());
            prop_assert_eq!(writer.len() == 0, known.is_empty());
            for facts in &subjects {
                prop_assert_eq!(by_table(writer.table(), facts), by_rule(&known, facts));
            }
        }
        // Whoever still reads an earlier table finds all that was in it then, and may find more.
        for (table, dead, _) in published {
            for (facts, dead) in subjects.iter().zip(dead) {
                prop_assert!(by_table(&table, facts).is_some() || dead.is_none());
            }
        }
    }

    /// While a table is half way through forgetting, it knows all that must be known and nothing that
    /// never was.
    #[test]
    fn half_way_through_forgetting_nothing_that_counts_is_lost(
        before in proptest::collection::vec((position(), scope()), 0..40),
        through in position(),
        bites in 0..80_usize,
        subjects in proptest::collection::vec(facts(), 8),
    ) {
        let (mut writer, mut all) = (Writer::default(), CutOffs::default());
        for (position, scope) in before {
            let cut_off = CutOff { position, scope };
            prop_assert!(writer.insert(&cut_off, ALL));
            all.insert(&cut_off);
        }
        writer.forget_through(through);
        for _ in 0..bites {
            writer.forget_some();
        }
        let mut rest = all.clone();
        rest.forget_through(through);
        for facts in &subjects {
            let dead = by_table(writer.table(), facts).is_some();
            prop_assert!(dead || rest.kills(&facts.subject()).is_none());
            prop_assert!(!dead || all.kills(&facts.subject()).is_some());
        }
    }
}

fn end_of(n: u16, number: u64) -> CutOff {
    CutOff {
        position: Position::new(1, number),
        scope: Scope::User { user: user(n) },
    }
}

fn is_dead(table: &CutOffTable, n: u16, rev: u64) -> bool {
    let (client_id, rev) = (app(0), Position::new(1, rev));
    let subject = Subject {
        user: user(n),
        sid: sid(60_000),
        client_id: &client_id,
        key: None,
        rev,
    };
    table.kills(&table.scopes(&subject), rev).is_some()
}

#[test]
fn a_table_that_grew_many_times_lost_nobody_and_forgets_all() {
    let mut writer = Writer::default();
    for n in 0..50_000_u16 {
        assert!(writer.insert(&end_of(n, u64::from(n) + 1), ALL));
    }
    assert_eq!(writer.len(), 50_000);
    for n in 0..50_000 {
        let number = u64::from(n) + 1;
        assert!(is_dead(writer.table(), n, number - 1));
        assert!(!is_dead(writer.table(), n, number));
    }
    assert!(!is_dead(writer.table(), 50_000, 0));
    writer.forget_through(Position::new(1, 49_999));
    while writer.forget_some() {}
    assert_eq!(writer.len(), 1);
    assert!(is_dead(writer.table(), 49_999, 0) && !is_dead(writer.table(), 49_998, 0));
    writer.forget_through(Position::new(1, 50_000));
    while writer.forget_some() {}
    assert_eq!(writer.len(), 0);
    let shards = writer.table.epochs.iter().flat_map(|epoch| &epoch.shards);
    assert_eq!(shards.map(|shard| shard.slots.len()).sum::<usize>(), 0);
}

#[test]
fn past_its_bound_nothing_new_is_kept_and_what_is_known_still_grows() {
    let mut writer = Writer::default();
    for n in 0..10 {
        assert!(writer.insert(&end_of(n, 1), 10));
    }
    assert!(!writer.insert(&end_of(10, 2), 10));
    assert!(writer.insert(&end_of(3, 5), 10));
    assert!(is_dead(writer.table(), 3, 4) && !is_dead(writer.table(), 10, 0));
    let everything = CutOff {
        position: Position::new(1, 6),
        scope: Scope::Everything {},
    };
    assert!(writer.insert(&everything, 10));
    assert!(is_dead(writer.table(), 10, 5));
}

/// Readers never wait and never miss what was published, while the writer puts in, grows and forgets.
#[test]
fn readers_beside_the_writer_find_all_that_was_published() {
    use std::sync::atomic::AtomicBool;

    let view = arc_swap::ArcSwap::from_pointee((0_u16, Arc::new(CutOffTable::default())));
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut looked = 0;
                    while !is_done.load(Ordering::Acquire) {
                        let view = view.load();
                        let (through, table) = &**view;
                        for n in through.saturating_sub(50)..*through {
                            assert!(is_dead(table, n, u64::from(n)), "{n} of {through}");
                            looked += 1;
                        }
                    }
                    looked
                })
            })
            .collect();
        let mut writer = Writer::default();
        for n in 0..20_000_u16 {
            assert!(writer.insert(&end_of(n, u64::from(n) + 1), ALL));
            if n % 100 == 99 {
                writer.forget_through(Position::new(1, u64::from(n) - 60));
            }
            writer.forget_some();
            view.store(Arc::new((n + 1, Arc::clone(writer.table()))));
        }
        is_done.store(true, Ordering::Release);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
}
