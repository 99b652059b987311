//! Time: one true time that the checker measures by, and the clocks of the machines.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use symbolon_server::{
    authority::ports::{self, NoRandomness},
    login::UnixMillis,
};
use tokio::time::Instant;

use crate::chance::{Chance, Dice};

/// What every calendar says at the beginning, in milliseconds.
const BEGINNING: i64 = 1_800_000_000_000;

/// The true time: tokio's, which is paused and jumps from timer to timer, and whole leaps in which every
/// machine sleeps.
pub(crate) struct Time {
    start: Instant,
    leapt: AtomicU64,
}

impl Time {
    pub(crate) fn begin() -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            leapt: AtomicU64::new(0),
        })
    }

    /// Since the beginning.
    pub(crate) fn now(&self) -> Duration {
        self.start.elapsed() + Duration::from_millis(self.leapt.load(Ordering::Relaxed))
    }

    /// The machines sleep: clocks go on, timers do not.
    pub(crate) fn leap(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.leapt.fetch_add(millis, Ordering::Relaxed);
    }
}

/// The clocks and the chance of one machine. Its wall clock is off by `skew`.
pub(crate) struct Machine {
    time: Arc<Time>,
    skew: AtomicI64,
    /// By how much the wall clock was ever ahead and behind.
    most: AtomicI64,
    least: AtomicI64,
    name: String,
    dice: Dice,
    chance: Chance,
    random: SystemRandom,
}

impl Machine {
    pub(crate) fn new(name: String, dice: &Dice, chance: Chance) -> Arc<Self> {
        Arc::new(Self {
            time: Arc::clone(&dice.time),
            name,
            dice: dice.clone(),
            skew: AtomicI64::new(0),
            most: AtomicI64::new(0),
            least: AtomicI64::new(0),
            chance,
            random: SystemRandom::new(),
        })
    }

    /// Sets the wall clock to `skew` milliseconds beside the true time.
    pub(crate) fn set(&self, skew: i64) {
        self.skew.store(skew, Ordering::Relaxed);
        self.most.fetch_max(skew, Ordering::Relaxed);
        self.least.fetch_min(skew, Ordering::Relaxed);
    }

    /// Time that passed while a question was under way counts twice in a guard's idea of the authority's
    /// clock, which must never be behind it: until the next answer it may take tokens for expired.
    pub(crate) fn slept(&self, span: Duration) {
        let millis = i64::try_from(span.as_millis()).unwrap();
        self.most.fetch_max(millis, Ordering::Relaxed);
    }

    /// What the calendar on the wall says.
    pub(crate) fn calendar(&self) -> UnixMillis {
        let skew = self.skew.load(Ordering::Relaxed);
        let true_time = i64::try_from(self.time.now().as_millis()).unwrap();
        UnixMillis::from_millis(BEGINNING + true_time + skew)
    }

    /// By how many milliseconds the wall clock was ever behind and ahead.
    pub(crate) fn range(&self) -> (i64, i64) {
        let (least, most) = (&self.least, &self.most);
        (least.load(Ordering::Relaxed), most.load(Ordering::Relaxed))
    }
}

/// The true time as a calendar has it.
pub(crate) fn calendar(at: Duration) -> UnixMillis {
    UnixMillis::from_millis(BEGINNING + i64::try_from(at.as_millis()).unwrap())
}

impl ports::World for Machine {
    fn now(&self) -> UnixMillis {
        self.calendar()
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        self.chance.fill(bytes);
        Ok(())
    }

    /// The crypto library's own: what it makes (keys, signatures) decides nothing that a history shows.
    fn signing_random(&self) -> &dyn SecureRandom {
        &self.random
    }
}

impl symbolon_guard::World for Machine {
    fn monotonic(&self) -> Duration {
        self.time.now()
    }

    fn wall(&self) -> UnixMillis {
        self.calendar()
    }

    fn chance(&self) -> u8 {
        self.dice.of(("chance", &self.name)).next().to_le_bytes()[0]
    }
}
