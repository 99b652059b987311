//! Nobody is spared who was cut off, and nearly everybody else is.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use symbolon_login::{ClientId, Position, Scope, Sid, Subject, UserId};

use super::*;
use crate::cut_offs::CutOffTable;

/// People whose credentials are asked about. All others are strangers.
const PEOPLE: usize = 4;

const ALL: std::ops::Range<usize> = 0..PEOPLE;

/// The last cut-offs of a guard, and what truly happened.
#[derive(Clone, Default)]
struct World {
    table: CutOffTable,
    recent: Recent,
    version: u64,
    /// For each of the people the last version that concerned them.
    concerned: [u64; PEOPLE],
    strangers: usize,
}

fn sid(n: usize) -> Sid {
    Sid::from_bytes((n as u128).to_be_bytes())
}

fn user(n: usize) -> UserId {
    UserId::from_bytes((n as u128).to_be_bytes())
}

fn app() -> ClientId {
    "app".parse().unwrap()
}

fn scope(kind: u8, n: usize) -> Scope {
    match kind {
        0 => Scope::User { user: user(n) },
        1 => Scope::Login { sid: sid(n) },
        _ => Scope::Grant {
            sid: sid(n),
            client_id: app(),
        },
    }
}

impl World {
    fn scopes(&self, n: usize) -> Scopes {
        self.table.scopes(&Subject {
            user: user(n),
            sid: sid(n),
            client_id: &app(),
            key: None,
            rev: Position::START,
        })
    }

    fn push(&mut self, scope: &Scope) {
        self.version += 1;
        let hash = self.table.hash_of_person(scope).unwrap();
        self.recent.push(self.version, hash);
    }

    fn end(&mut self, kind: u8, n: usize) {
        self.push(&scope(kind, n));
        self.concerned[n] = self.version;
    }

    /// Cut-offs of those whom nobody asks about.
    fn end_strangers(&mut self, count: u64) {
        for _ in 0..count {
            self.strangers += 1;
            self.push(&scope(1, 1_000_000 + self.strangers));
        }
    }

    fn restart(&mut self) {
        self.version += 1;
        self.recent.restart(self.version);
        self.concerned = [self.version; PEOPLE];
    }

    fn spares(&self, n: usize, from: u64) -> bool {
        self.recent.spares(&self.scopes(n), from, self.version)
    }

    /// Credentials of people who never end.
    fn living(&self, count: usize) -> Vec<Scopes> {
        let living = PEOPLE..PEOPLE + count;
        living.map(|n| self.scopes(n)).collect()
    }

    /// How many of these are spared that were away for so many cut-offs.
    fn spared(&self, living: &[Scopes], away: u64) -> usize {
        let from = self.version - away;
        let spares = |scopes: &&Scopes| self.recent.spares(scopes, from, self.version);
        living.iter().filter(spares).count()
    }
}

#[derive(Clone, Debug)]
enum Step {
    End(u8, usize),
    EndStrangers(u64),
    Restart,
    /// Readers hold it as it is now.
    Publish,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_u8, ALL).prop_map(|(kind, n)| Step::End(kind, n)),
        3 => (0..=2 * KEPT as u64).prop_map(Step::EndStrangers),
        3 => (0..FILTERED + FILTERED / 2).prop_map(Step::EndStrangers),
        1 => Just(Step::Restart),
        3 => Just(Step::Publish),
    ];
    proptest::collection::vec(step, 0..16)
}

/// Against the truth, for each of the people and for credentials found alive in each of these versions.
fn compare(world: &World, versions: &[u64]) -> Result<(), TestCaseError> {
    for n in ALL {
        for from in versions.iter().filter(|from| **from <= world.version) {
            let is_new = world.concerned[n] > *from;
            let is_spared = world.spares(n, *from);
            prop_assert!(!(is_new && is_spared), "{n} from {from}");
            if world.version - from <= KEPT as u64 {
                prop_assert_eq!(is_spared, !is_new, "{} from {}", n, from);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn nobody_is_spared_who_was_cut_off(steps in steps()) {
        let (mut world, mut versions, mut published) = (World::default(), vec![0], Vec::new());
        for step in steps {
            match step {
                Step::End(kind, n) => world.end(kind, n),
                Step::EndStrangers(count) => world.end_strangers(count),
                Step::Restart => world.restart(),
                Step::Publish => published.push(world.clone()),
            }
            versions.extend([world.version.saturating_sub(1), world.version]);
            compare(&world, &versions)?;
        }
        // Whoever still reads an earlier view is not misled by what was put in since.
        for earlier in &published {
            compare(earlier, &versions)?;
        }
    }
}

#[test]
fn strangers_are_spared_across_thousands_of_cut_offs() {
    let mut world = World::default();
    let living = world.living(20_000);
    for _ in 0..8 {
        world.end_strangers(FILTERED / 2);
        for away in [1, 16, 17, 1_000, FILTERED / 4, FILTERED / 2 - 16] {
            let spared = world.spared(&living, away);
            assert!(spared >= 19_800, "{spared} away for {away}");
        }
    }
    // Both filters are full: about 100 are looked up in vain.
    world.end_strangers(KEPT as u64);
    let spared = world.spared(&living, 2 * FILTERED);
    assert!((19_800..20_000).contains(&spared), "{spared}");
}

#[test]
fn an_own_cut_off_is_noticed_as_long_as_anything_is() {
    let full = KEPT as u64 + FILTERED;
    // Where the first filter begins, and where the second does.
    let begins = (14..20).chain(full - 3..full + 3);
    for (before, kind) in begins.zip((0..3).cycle()) {
        let mut world = World::default();
        world.end_strangers(before);
        world.end(kind, 1);
        let ended = world.version;
        for others in (0..20).chain([1_000; 40]) {
            assert!(!world.spares(1, ended - 1), "{ended} in {}", world.version);
            world.end_strangers(others);
        }
    }
}

#[test]
fn nobody_is_spared_who_was_away_for_longer_than_is_remembered() {
    let mut world = World::default();
    let living = world.living(1_000);
    world.end_strangers(KEPT as u64 + 3 * FILTERED);
    assert!(world.spared(&living, 2 * FILTERED) > 900);
    for away in [2 * FILTERED + 1, 3 * FILTERED, world.version] {
        assert_eq!(world.spared(&living, away), 0, "{away}");
    }
    // The next one begins a filter, and the oldest goes.
    world.end_strangers(1);
    assert!(world.spared(&living, FILTERED + 1) > 900);
    assert_eq!(world.spared(&living, FILTERED + 2), 0);
}

#[test]
fn what_concerns_everybody_spares_nobody_who_was_seen_before() {
    let mut world = World::default();
    let living = world.living(1_000);
    world.end_strangers(1_000);
    world.restart();
    world.end_strangers(100);
    assert!(world.spared(&living, 100) > 900);
    assert_eq!(world.spared(&living, 101), 0);
}

#[test]
fn a_guard_that_hears_of_few_cut_offs_has_no_filter() {
    let mut recent = Recent::default();
    let few = allocation_counter::measure(|| {
        for version in 1..=KEPT as u64 {
            recent.push(version, version);
        }
    });
    assert_eq!(few.count_total, 0);
    let more = allocation_counter::measure(|| recent.push(KEPT as u64 + 1, 1));
    assert_eq!(more.count_total, 1);
    assert!(more.bytes_current < 66_000, "{}", more.bytes_current);
    let shared = allocation_counter::measure(|| drop(recent.clone()));
    assert_eq!(shared.count_total, 0);
}
