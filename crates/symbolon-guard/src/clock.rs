//! The guard's own time, read at the edge and passed in everywhere else.

use std::{fmt, sync::Arc, time::Duration};

use aws_lc_rs::rand;
use symbolon_login::UnixMillis;

use crate::fault::Faults;

/// A point on this machine's monotonic clock, of use only against another one of the same process.
///
/// The clock goes on while the machine sleeps (`CLOCK_BOOTTIME`; Rust's `Instant` stands still
/// then on Linux): a laptop or a virtual machine that wakes up after an hour must not take what it knew
/// before for fresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// The point `span` after the clock's start.
    #[cfg(test)]
    pub(crate) const fn at(span: Duration) -> Self {
        Self(span)
    }

    /// This point and `span` more.
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// This point less `span`; not before the clock's start.
    pub(crate) fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

/// Both clocks, read together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// For freshness: how old is what the guard knows?
    pub(crate) moment: Moment,
    /// For expiry, and for nothing else.
    pub(crate) wall: UnixMillis,
}

/// Where a guard gets time and chance from, when not from this machine: tests and simulations.
pub trait World: Send + Sync + 'static {
    /// Time since some fixed point. Never goes back.
    fn monotonic(&self) -> Duration;
    /// What the calendar says. May jump.
    fn wall(&self) -> UnixMillis;
    /// A random byte, by which pauses are spread.
    fn chance(&self) -> u8;
}

/// The clocks of one guard.
#[derive(Clone, Default)]
pub(crate) struct Clock {
    world: Option<Arc<dyn World>>,
    faults: Faults,
}

impl Clock {
    /// Time as `world` tells it, instead of this machine's.
    pub(crate) fn of(world: Arc<dyn World>) -> Self {
        Self {
            world: Some(world),
            faults: Faults::default(),
        }
    }

    /// The same, with a rule broken.
    pub(crate) fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Reads both clocks.
    pub(crate) fn now(&self) -> Now {
        Now {
            moment: self.moment(),
            wall: self.wall(),
        }
    }

    /// A random byte, for spreading pauses and for nothing that must not be guessed.
    pub(crate) fn chance(&self) -> u8 {
        if let Some(world) = &self.world {
            return world.chance();
        }
        let mut byte = [0];
        // Without randomness pauses are only less spread.
        let _ = rand::fill(&mut byte);
        let [byte] = byte;
        byte
    }

    /// Reads the monotonic clock alone.
    pub(crate) fn moment(&self) -> Moment {
        if self.faults.trusts_the_wall_clock() {
            let millis = u64::try_from(self.wall().as_millis()).unwrap_or(0);
            return Moment(Duration::from_millis(millis));
        }
        match &self.world {
            Some(world) => Moment(world.monotonic()),
            None => moment(),
        }
    }

    fn wall(&self) -> UnixMillis {
        match &self.world {
            Some(world) => world.wall(),
            None => wall(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.world.is_some() {
            "Clock(given)"
        } else {
            "Clock"
        })
    }
}

/// With [`moment`] the only place of this crate that reads a clock of the machine.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn wall() -> UnixMillis {
    use std::time::{SystemTime, UNIX_EPOCH};

    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    UnixMillis::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// As of the kernel's last tick, up to 10 ms ago: a fifth of the price, and what is judged by it ends at
/// a whole second of another machine's clock. A check reads two clocks, and they are a tenth of it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn wall() -> UnixMillis {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::RealtimeCoarse);
    let millis = time.tv_sec.saturating_mul(1_000);
    UnixMillis::from_millis(millis.saturating_add(time.tv_nsec / 1_000_000))
}

#[cfg(unix)]
fn moment() -> Moment {
    use rustix::time::{ClockId, clock_gettime};

    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    let secs = u64::try_from(time.tv_sec).unwrap_or(0);
    // Always below a second.
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Moment(Duration::new(secs, nanos))
}

#[cfg(not(unix))]
fn moment() -> Moment {
    use std::{sync::OnceLock, time::Instant};

    static START: OnceLock<Instant> = OnceLock::new();
    Moment(START.get_or_init(Instant::now).elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back() {
        let clock = Clock::default();
        let (first, second) = (clock.now(), clock.now());
        assert!(second.moment >= first.moment);
        assert!(first.moment.since(second.moment) <= second.moment.since(first.moment));
    }
}
