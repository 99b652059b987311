//! How many requests showed a credential, and how it travelled: what the authority's console knows of an
//! app's traffic. Counted in lanes, so that threads do not take one cache line from each other on the way of a yes.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::credential::Carrier;

/// As many threads as count undisturbed by each other.
const LANES: usize = 16;

/// The counters of one guard. They only grow, and begin at zero with the process.
#[derive(Default)]
pub(crate) struct Checked([Lane; LANES]);

/// Two cache lines: processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Lane {
    cookies: AtomicU64,
    bearers: AtomicU64,
}

/// What was counted up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that showed a credential, whatever became of them.
    pub(crate) checked: u64,
    /// Those of them that showed it in a cookie.
    pub(crate) cookies: u64,
}

impl Checked {
    /// A request showed a credential.
    pub(crate) fn count(&self, carrier: Carrier) {
        if let Some(lane) = self.0.get(lane()) {
            lane.of(carrier).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted up to now.
    pub(crate) fn counts(&self) -> Counts {
        let sum = |carrier| {
            let lanes = self.0.iter().map(|lane| lane.of(carrier));
            lanes.fold(0, |sum: u64, counter| {
                sum.saturating_add(counter.load(Ordering::Relaxed))
            })
        };
        let cookies = sum(Carrier::Cookie);
        Counts {
            checked: cookies.saturating_add(sum(Carrier::Bearer)),
            cookies,
        }
    }
}

impl Lane {
    const fn of(&self, carrier: Carrier) -> &AtomicU64 {
        match carrier {
            Carrier::Cookie => &self.cookies,
            Carrier::Bearer => &self.bearers,
        }
    }
}

/// The lane of this thread.
fn lane() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static LANE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % LANES;
    }
    // Past a thread's end there is nobody whose line could be taken.
    LANE.try_with(|lane| *lane).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn no_thread_loses_a_count_to_another() {
        let checked = Checked::default();
        thread::scope(|scope| {
            for _ in 0..2 * LANES {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        checked.count(Carrier::Cookie);
                    }
                    checked.count(Carrier::Bearer);
                });
            }
        });
        let counts = Counts {
            checked: 32_032,
            cookies: 32_000,
        };
        assert_eq!(checked.counts(), counts);
    }
}
