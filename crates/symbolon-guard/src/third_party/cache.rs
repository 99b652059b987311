//! The keys of an issuer: fetched again before they are old, kept while it is away, and never fetched
//! more often than that for whatever strangers send.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use symbolon_jose::KeySet;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{
    ThirdPartyStatus,
    fetch::{Fetched, NoKeys, Source},
};
use crate::clock::{Clock, Moment};

/// The least time between two fetches that worked, unless a key id is unknown.
const SOONEST: Duration = Duration::from_secs(5 * 60);

/// The most: a key that was withdrawn counts no longer than this.
const LATEST: Duration = Duration::from_secs(60 * 60);

/// Between them, where the issuer does not say.
const UNSAID: Duration = Duration::from_secs(15 * 60);

/// The least time between two fetches for key ids that are not known.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// The pauses after fetches that failed: doubled from one second up to a minute.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// How long a request waits for a fetch.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often the keeper looks at the clock. The timers of tokio stand still while a machine sleeps, and keys
/// must not be younger for that.
const LOOK: Duration = Duration::from_secs(1);

/// What is known of an issuer's keys.
pub(super) struct Cache {
    clock: Clock,
    keep: Duration,
    known: Mutex<Known>,
    /// Told when a fetch is due at once.
    wake: Notify,
    /// Counts finished fetches.
    done: watch::Sender<u64>,
}

struct Known {
    /// None before the first answer.
    keys: Option<Arc<KeySet>>,
    /// The moment before the issuer was asked for them.
    asked_at: Moment,
    /// When the next fetch is due.
    due: Moment,
    /// When the last fetch began, whatever came of it.
    tried_at: Option<Moment>,
    is_running: bool,
    failures: u32,
    trouble: Option<String>,
}

/// What a fetch for an unknown key id was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// The issuer was heard just now, or a moment ago: look at its keys again.
    Heard,
    /// The issuer does not answer: nothing can be said.
    Unheard,
}

impl Cache {
    pub(super) fn new(clock: Clock, keep: Duration) -> Self {
        let now = clock.moment();
        Self {
            clock,
            keep,
            known: Mutex::new(Known {
                keys: None,
                asked_at: now,
                due: now,
                tried_at: None,
                is_running: false,
                failures: 0,
                trouble: None,
            }),
            wake: Notify::new(),
            done: watch::Sender::new(0),
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The keys that count now; none when the issuer was not heard for too long.
    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        let now = self.clock.moment();
        let known = self.lock();
        if known.due <= now && !known.is_running {
            self.wake.notify_one();
        }
        let counts = now.since(known.asked_at) <= self.keep;
        known.keys.clone().filter(|_| counts)
    }

    /// Waits for the fetch under way, or for one more if the last is long enough ago.
    pub(super) async fn look_again(&self) -> Looked {
        let waits = {
            let now = self.clock.moment();
            let mut known = self.lock();
            let rested = known.tried_at.is_none_or(|at| now.since(at) >= COOL_DOWN);
            if rested && !known.is_running {
                known.due = now;
                self.wake.notify_one();
            }
            // Subscribed under the lock: the end of that very fetch cannot be missed.
            (rested || known.is_running).then(|| self.done.subscribe())
        };
        if let Some(mut done) = waits
            && timeout(PATIENCE, done.changed()).await.is_err()
        {
            return Looked::Unheard;
        }
        match self.lock().failures {
            0 => Looked::Heard,
            _ => Looked::Unheard,
        }
    }

    /// Waits for the first keys.
    pub(super) async fn wait_for_keys(&self, patience: Duration) -> bool {
        let mut done = self.done.subscribe();
        let arrived = done.wait_for(|_| self.lock().keys.is_some());
        matches!(timeout(patience, arrived).await, Ok(Ok(_)))
    }

    pub(super) fn status(&self) -> ThirdPartyStatus {
        let keys = self.keys();
        let now = self.clock.moment();
        let known = self.lock();
        ThirdPartyStatus {
            keys: keys.map_or(0, |keys| keys.len()),
            age: known.keys.as_ref().map(|_| now.since(known.asked_at)),
            trouble: known.trouble.clone(),
        }
    }

    /// Whether a fetch is due; if so it has begun.
    fn begin(&self) -> Option<Moment> {
        let now = self.clock.moment();
        let mut known = self.lock();
        if known.due > now {
            return None;
        }
        known.is_running = true;
        known.tried_at = Some(now);
        Some(now)
    }

    /// Takes what came of a fetch that began at `asked_at`.
    fn end(&self, asked_at: Moment, came: Result<Fetched, NoKeys>) {
        let now = self.clock.moment();
        let mut known = self.lock();
        known.is_running = false;
        match came {
            Ok(fetched) => {
                if fetched.keys.is_empty() {
                    tracing::warn!("a third party publishes no key that can be used");
                }
                known.keys = Some(Arc::new(fetched.keys));
                known.asked_at = asked_at;
                known.due = asked_at.plus(pause(fetched.max_age));
                known.failures = 0;
                known.trouble = None;
            }
            // What was known stays known: one failed fetch must not lock everybody out.
            Err(trouble) => {
                tracing::warn!(reason = %trouble, "the keys of a third party could not be fetched");
                known.due = now.plus(retry(known.failures));
                known.failures = known.failures.saturating_add(1);
                known.trouble = Some(trouble.to_string());
            }
        }
        drop(known);
        self.done.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing in the critical sections can panic half way.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fetches whenever it is due. The only one who does, so there is never more than one fetch at a time.
pub(super) async fn keep(cache: Arc<Cache>, mut source: Source) {
    loop {
        if let Some(asked_at) = cache.begin() {
            let came = source.fetch().await;
            cache.end(asked_at, came);
        }
        // Either of the two: a look at the clock, or somebody who needs it now.
        let _ = timeout(LOOK, cache.wake.notified()).await;
    }
}

/// How long after a fetch the next is due: a tenth before the answer is old, within sane bounds.
fn pause(max_age: Option<Duration>) -> Duration {
    let life = max_age.map_or(UNSAID, |life| life.saturating_sub(life / 10));
    life.clamp(SOONEST, LATEST)
}

fn retry(failures: u32) -> Duration {
    let (first, longest) = RETRY;
    first.saturating_mul(1 << failures.min(6)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuers_wish_is_followed_within_bounds() {
        let secs = |max_age: Option<u64>| pause(max_age.map(Duration::from_secs)).as_secs();
        assert_eq!(secs(None), 900);
        assert_eq!(secs(Some(0)), 300);
        assert_eq!(secs(Some(1000)), 900);
        assert_eq!(secs(Some(u64::MAX)), 3600);
    }

    #[test]
    fn failures_are_tried_again_ever_more_slowly() {
        let pauses: Vec<_> = (0..9).map(|turn| retry(turn).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
