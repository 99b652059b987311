//! Chance that a seed repeats: `SplitMix64`.
//!
//! Nothing that runs beside other things draws from a stream that they share: tokio wakes those who wait for
//! the same news in an order of its own, and who draws first would be no matter of the seed. Such parts
//! draw by what they do and when ([`Dice`]).

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::world::Time;

/// A seed's chance for everything that has a name and a moment.
#[derive(Clone)]
pub(crate) struct Dice {
    pub(crate) seed: u64,
    pub(crate) time: Arc<Time>,
}

impl Dice {
    /// The chance of `what` at this moment.
    pub(crate) fn of(&self, what: impl Hash) -> Chance {
        // The one hasher whose keys are the same in every run.
        let mut hasher = DefaultHasher::new();
        (self.seed, self.time.now().as_millis(), what).hash(&mut hasher);
        Chance::new(hasher.finish())
    }
}

/// A stream of random numbers. Clones share it.
#[derive(Clone)]
pub(crate) struct Chance(Arc<Mutex<u64>>);

impl Chance {
    /// The stream of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds must not begin alike.
        let chance = Self(Arc::new(Mutex::new(seed ^ 0x5DEE_CE66_D1CE_B00B)));
        chance.next();
        chance
    }

    /// A stream of its own, so that one part's draws do not shift another's.
    pub(crate) fn split(&self) -> Self {
        Self::new(self.next())
    }

    pub(crate) fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not zero.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A span of whole milliseconds.
    pub(crate) fn millis(&self, low: u64, high: u64) -> Duration {
        Duration::from_millis(self.between(low, high))
    }

    /// Whether it happens, `per_mille` times in a thousand.
    pub(crate) fn happens(&self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of them; none of none.
    pub(crate) fn pick<'s, T>(&self, from: &'s [T]) -> Option<&'s T> {
        let count = u64::try_from(from.len()).unwrap();
        (count > 0).then(|| &from[usize::try_from(self.below(count)).unwrap()])
    }

    /// An index below `count`, which is not zero.
    pub(crate) fn index(&self, count: usize) -> usize {
        usize::try_from(self.below(u64::try_from(count).unwrap())).unwrap()
    }

    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.next().to_le_bytes()[0];
        }
    }
}
