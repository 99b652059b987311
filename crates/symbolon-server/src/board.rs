//! The board of guards: who follows the feed, how soon each had applied a cut-off, and what an app's guards check.
//!
//! Only for people to look at: nothing is decided here. Bounded, in memory, and gone with the
//! process.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use symbolon_login::{ClientId, Position};
use tokio::sync::Notify;
use uuid::Uuid;

mod traffic;

pub(crate) use traffic::{Checked, Traffic};

use traffic::Reports;

/// As many guards as are kept. When there are more, the app with the most of them goes short.
const MOST_GUARDS: usize = 1_024;
/// A guard asks every 250 ms: after this long without a word it is gone.
const GONE_AFTER: Duration = Duration::from_secs(10);
/// How many acknowledgements are remembered.
const ACKNOWLEDGEMENTS: usize = 1_024;
/// How many steps of a guard are remembered.
const STEPS: usize = 64;

/// What is known of the guards.
#[derive(Default)]
pub(crate) struct Board {
    inner: Mutex<Inner>,
    moved: Notify,
}

/// A guard as it was last heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuardSeen {
    /// What it calls itself.
    pub(crate) guard: Uuid,
    /// The app that it guards.
    pub(crate) client_id: ClientId,
    /// Up to where it has applied the log.
    pub(crate) applied: Position,
    /// How long ago it said so.
    pub(crate) seen_ago: Duration,
}

/// How soon a guard had applied one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GuardReport {
    /// What it calls itself.
    pub(crate) guard: Uuid,
    /// The app that it guards.
    pub(crate) client_id: ClientId,
    /// From the acknowledgement until its word arrived; none while it has not applied it, or where
    /// this process did not see both.
    pub(crate) applied_after: Option<Duration>,
}

#[derive(Default)]
struct Inner {
    guards: HashMap<(ClientId, Uuid), Guard>,
    acknowledged: VecDeque<(Position, Instant)>,
}

struct Guard {
    first_seen: Instant,
    last_seen: Instant,
    applied: Position,
    steps: VecDeque<(Position, Instant)>,
    reports: Reports,
}

impl Board {
    /// The store has acknowledged this position just now.
    pub(crate) fn acknowledged(&self, position: Position, now: Instant) {
        let mut inner = self.lock();
        if inner.acknowledged.len() == ACKNOWLEDGEMENTS {
            inner.acknowledged.pop_front();
        }
        inner.acknowledged.push_back((position, now));
    }

    /// A guard of the app says that it has applied everything up to a position, and what it has checked
    /// (guards of earlier versions do not).
    pub(crate) fn reported(
        &self,
        guard: Uuid,
        client_id: ClientId,
        applied: Position,
        checked: Option<Checked>,
        now: Instant,
    ) {
        let mut inner = self.lock();
        let key = (client_id, guard);
        if !inner.guards.contains_key(&key) && !inner.make_room(&key.0, now) {
            return;
        }
        let known = inner.guards.entry(key).or_insert_with(|| Guard {
            first_seen: now,
            last_seen: now,
            applied,
            steps: VecDeque::new(),
            reports: Reports::default(),
        });
        // Away for so long that it was gone: what it missed meanwhile is no measurement.
        if !known.is_live(now) {
            known.first_seen = now;
            known.steps.clear();
            known.reports.forget();
        }
        known.last_seen = now;
        match checked {
            Some(checked) => known.reports.heard(checked, now),
            None => known.reports.forget(),
        }
        let moved = known.applied != applied || known.steps.is_empty();
        if moved {
            if known.steps.len() == STEPS {
                known.steps.pop_front();
            }
            known.steps.push_back((applied, now));
            known.applied = applied;
        }
        drop(inner);
        if moved {
            self.moved.notify_waiters();
        }
    }

    /// The guards that were heard of lately, by app.
    pub(crate) fn guards(&self) -> Vec<GuardSeen> {
        self.guards_at(Instant::now())
    }

    fn guards_at(&self, now: Instant) -> Vec<GuardSeen> {
        let inner = self.lock();
        let mut seen: Vec<_> = inner
            .live(now)
            .map(|((client_id, guard), known)| GuardSeen {
                guard: *guard,
                client_id: client_id.clone(),
                applied: known.applied,
                seen_ago: now.saturating_duration_since(known.last_seen),
            })
            .collect();
        seen.sort_by(|a, b| (&a.client_id, a.guard).cmp(&(&b.client_id, b.guard)));
        seen
    }

    /// What the app's guards that were heard of lately say they check.
    pub(crate) fn traffic(&self, client_id: &ClientId) -> Traffic {
        self.traffic_at(client_id, Instant::now())
    }

    fn traffic_at(&self, client_id: &ClientId, now: Instant) -> Traffic {
        let inner = self.lock();
        let own = inner.live(now).filter(|((app, _), _)| app == client_id);
        Traffic::of(own.map(|(_, guard)| guard.reports.rate()))
    }

    /// How soon each guard that was heard of lately had applied a position.
    pub(crate) fn reports(&self, position: Position) -> Vec<GuardReport> {
        self.reports_at(position, Instant::now())
    }

    fn reports_at(&self, position: Position, now: Instant) -> Vec<GuardReport> {
        let inner = self.lock();
        let acknowledged = inner.acknowledged_at(position);
        let mut reports: Vec<_> = inner
            .live(now)
            .map(|((client_id, guard), known)| GuardReport {
                guard: *guard,
                client_id: client_id.clone(),
                applied_after: acknowledged.and_then(|since| known.applied_after(position, since)),
            })
            .collect();
        reports.sort_by(|a, b| (&a.client_id, a.guard).cmp(&(&b.client_id, b.guard)));
        reports
    }

    /// Waits until every guard that was heard of lately has applied the position, or `limit` has
    /// passed.
    pub(crate) async fn wait_for(&self, position: Position, limit: Duration) -> Vec<GuardReport> {
        let all = async {
            loop {
                // Listening begins before looking, so that no report slips in between.
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if self.lock().all_applied(position, Instant::now()) {
                    return;
                }
                moved.await;
            }
        };
        // Passing the limit is an answer, too: the guards that are late have none.
        let _ = tokio::time::timeout(limit, all).await;
        self.reports(position)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether there is a place for one more guard of the app. When the board is full, it is taken from an app
    /// that has more of them: one app's guards, or what pretends to be some, cannot push out all others.
    fn make_room(&mut self, app: &ClientId, now: Instant) -> bool {
        if self.guards.len() < MOST_GUARDS {
            return true;
        }
        self.guards.retain(|_, guard| guard.is_live(now));
        if self.guards.len() < MOST_GUARDS {
            return true;
        }
        let mut of_app: HashMap<&ClientId, usize> = HashMap::new();
        for (app, _) in self.guards.keys() {
            *of_app.entry(app).or_default() += 1;
        }
        let own = of_app.get(app).copied().unwrap_or_default();
        let most = of_app.into_iter().max_by_key(|(app, count)| (*count, *app));
        let Some((crowded, _)) = most.filter(|(_, count)| *count > own + 1) else {
            return false;
        };
        let of_crowded = self.guards.iter().filter(|((app, _), _)| app == crowded);
        let longest_unseen = of_crowded.min_by_key(|(_, guard)| guard.last_seen);
        let given_up = longest_unseen.map(|(key, _)| key.clone());
        given_up.is_some_and(|key| self.guards.remove(&key).is_some())
    }

    fn live(&self, now: Instant) -> impl Iterator<Item = (&(ClientId, Uuid), &Guard)> {
        self.guards
            .iter()
            .filter(move |(_, guard)| guard.is_live(now))
    }

    fn all_applied(&self, position: Position, now: Instant) -> bool {
        self.live(now).all(|(_, guard)| guard.applied >= position)
    }

    fn acknowledged_at(&self, position: Position) -> Option<Instant> {
        let newest_first = self.acknowledged.iter().rev();
        newest_first
            .filter(|(at, _)| *at == position)
            .map(|(_, when)| *when)
            .next()
    }
}

impl Guard {
    fn is_live(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_seen) < GONE_AFTER
    }

    fn applied_after(&self, position: Position, since: Instant) -> Option<Duration> {
        let (at, (_, when)) = self
            .steps
            .iter()
            .enumerate()
            .find(|(_, (applied, _))| *applied >= position)?;
        // Came later than the acknowledgement, or its first step after it is forgotten.
        let unseen = self.first_seen > since || (at == 0 && self.steps.len() == STEPS);
        // A guard may be faster than the handler that notes the acknowledgement: that is zero.
        (!unseen).then(|| when.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests;
