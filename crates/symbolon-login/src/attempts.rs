//! How often a wrong password may be tried.

use std::time::Duration;

use crate::UnixMillis;

/// A limit on failed attempts. A window begins with its first failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptLimit {
    /// Failures in a window; after them nothing is tried until it ends.
    pub most: u32,
    /// How long a window lasts.
    pub window: Duration,
}

impl AttemptLimit {
    /// 100 in an hour for one name (NIST SP 800-63B-4 section 3.2.2: no more than 100).
    pub const PASSWORD: Self = Self {
        most: 100,
        window: Duration::from_secs(3600),
    };

    /// How long to wait after this many failures in a window that ends at `until`. None: one more may
    /// be tried.
    pub fn wait(&self, failed: u32, until: UnixMillis, now: UnixMillis) -> Option<Duration> {
        (failed >= self.most && now < until).then(|| until.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

    #[test]
    fn the_hundred_and_first_waits_for_the_end_of_the_window() {
        let limit = AttemptLimit::PASSWORD;
        let millis = Duration::from_millis;
        for (failed, left, wait) in [
            (0, limit.window, None),
            (99, limit.window, None),
            (100, limit.window, Some(limit.window)),
            (101, limit.window, Some(limit.window)),
            (u32::MAX, millis(1), Some(millis(1))),
            (100, millis(0), None),
        ] {
            let found = limit.wait(failed, NOW.plus(left), NOW);
            assert_eq!(found, wait, "{failed} {left:?}");
        }
        let over = NOW.plus(millis(1));
        assert_eq!(limit.wait(100, NOW, over), None);
    }
}
