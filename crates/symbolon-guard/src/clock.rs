//! The guard's own time, read at the edge and passed in everywhere else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use symbolon_login::UnixMillis;

/// A point on this machine's monotonic clock, of use only against another one of the same process.
///
/// The clock goes on while the machine sleeps (`CLOCK_BOOTTIME`; Rust's `Instant` stands still
/// then on Linux): a laptop or a virtual machine that wakes up after an hour must not take what it knew
/// before for fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// Reads both clocks. The only place of this crate that does.
pub(crate) fn now() -> Now {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        moment: moment(),
        wall: UnixMillis::from_millis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)),
    }
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
    Moment(
        Duration::from_secs(secs).saturating_add(Duration::from_nanos(
            u64::try_from(time.tv_nsec).unwrap_or(0),
        )),
    )
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
        let first = now();
        let second = now();
        assert!(second.moment >= first.moment);
        assert!(first.moment.since(second.moment) <= second.moment.since(first.moment));
    }
}
