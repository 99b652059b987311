//! Time that stands still until the test lets it pass.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use symbolon_login::UnixMillis;

use crate::{World, clock::Clock};

/// The clocks of a test authority and of all its guards.
///
/// Each look at the monotonic one moves it by a nanosecond, so that "before" and "after" are told apart
/// although no time passes.
pub(super) struct TestWorld {
    /// When the test began, on the machine's calendar.
    began: UnixMillis,
    nanos: AtomicU64,
}

impl Default for TestWorld {
    fn default() -> Self {
        Self {
            began: Clock::default().now().wall,
            nanos: AtomicU64::new(0),
        }
    }
}

impl TestWorld {
    pub(super) fn pass(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl World for TestWorld {
    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.nanos.fetch_add(1, Ordering::SeqCst))
    }

    fn wall(&self) -> UnixMillis {
        let passed = Duration::from_nanos(self.nanos.load(Ordering::SeqCst));
        self.began.plus(passed)
    }

    fn chance(&self) -> u8 {
        255
    }
}
