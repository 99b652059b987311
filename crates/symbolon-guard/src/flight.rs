//! Single flight: many who want the same answer from the authority cause one question.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    clock::{Clock, Moment},
    digest::CacheKey,
};

/// Questions under way and answers kept a little, by the credential that they are about.
pub(crate) struct Flights<V> {
    board: Mutex<Board<V>>,
    clock: Clock,
}

struct Board<V> {
    flights: HashMap<CacheKey, Flight<V>>,
    swept_at: Option<Moment>,
}

struct Flight<V> {
    answer: watch::Receiver<Option<V>>,
    /// None while the question is under way.
    kept_until: Option<Moment>,
}

/// Answers that are kept. Beyond it nothing more is kept: askers then ask for themselves.
const MOST: usize = 10_000;

const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl<V: Clone + Send + Sync + 'static> Flights<V> {
    /// None yet.
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            board: Mutex::new(Board {
                flights: HashMap::new(),
                swept_at: None,
            }),
        }
    }

    /// The answer about `key`: from a question under way, from one answered just before, or from a
    /// new one. `keep` says how long others may have the same answer. None when the question died.
    ///
    /// The question runs in its own task: whoever asked first may hang up without taking the answer
    /// from everybody else.
    pub(crate) async fn join<F>(
        self: &Arc<Self>,
        key: CacheKey,
        question: impl FnOnce() -> F,
        keep: impl FnOnce(&V) -> Duration + Send + 'static,
    ) -> Option<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let now = self.clock.moment();
        let mut answer = {
            let mut board = self.lock();
            board.sweep(now);
            let known = board.flights.get(&key).filter(|flight| flight.counts(now));
            if let Some(flight) = known {
                flight.answer.clone()
            } else {
                let (send, answer) = watch::channel(None);
                if board.flights.len() < MOST {
                    board.flights.insert(
                        key,
                        Flight {
                            answer: answer.clone(),
                            kept_until: None,
                        },
                    );
                }
                let landing = Landing {
                    flights: Arc::clone(self),
                    key,
                    kept_for: Duration::ZERO,
                };
                tokio::spawn(take_off(question(), keep, send, landing));
                answer
            }
        };
        // Cloned out of the guard before it goes: it must not be held across anything.
        let arrived = answer.wait_for(Option::is_some).await.ok()?;
        arrived.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Board<V>> {
        // Nothing in the critical sections can panic half way.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Board<V> {
    /// Drops answers past their time, at most once a second: they may hold secrets.
    fn sweep(&mut self, now: Moment) {
        if self.swept_at.is_none_or(|at| now.since(at) >= SWEEP_EVERY) {
            self.swept_at = Some(now);
            self.flights.retain(|_, flight| flight.counts(now));
        }
    }
}

impl<V> Flight<V> {
    fn counts(&self, now: Moment) -> bool {
        self.kept_until.is_none_or(|until| until > now)
    }
}

async fn take_off<V: Clone + Send + Sync + 'static>(
    question: impl Future<Output = V>,
    keep: impl FnOnce(&V) -> Duration,
    send: watch::Sender<Option<V>>,
    mut landing: Landing<V>,
) {
    let value = question.await;
    landing.kept_for = keep(&value);
    send.send_replace(Some(value));
    drop(landing);
}

/// Takes the flight off the board, also when its task panicked or was cancelled.
struct Landing<V: Clone + Send + Sync + 'static> {
    flights: Arc<Flights<V>>,
    key: CacheKey,
    kept_for: Duration,
}

impl<V: Clone + Send + Sync + 'static> Drop for Landing<V> {
    fn drop(&mut self) {
        let mut board = self.flights.lock();
        if self.kept_for.is_zero() {
            board.flights.remove(&self.key);
        } else if let Some(flight) = board.flights.get_mut(&self.key) {
            flight.kept_until = Some(self.flights.clock.moment().plus(self.kept_for));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::digest::Digests;

    fn key(text: &str) -> CacheKey {
        Digests::known().of(text.as_bytes())
    }

    #[tokio::test]
    async fn many_askers_cause_one_question() {
        let flights = Arc::new(Flights::new(Clock::default()));
        let asked = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..50)
            .map(|_| {
                let (flights, asked) = (Arc::clone(&flights), Arc::clone(&asked));
                tokio::spawn(async move {
                    let question = || async move {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        asked.fetch_add(1, Ordering::Relaxed)
                    };
                    flights.join(key("a"), question, |_| Duration::ZERO).await
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.ok().flatten(), Some(0));
        }
        // Nothing was kept: the next one asks again.
        let next = flights.join(key("a"), || async { 7 }, |_| Duration::ZERO);
        assert_eq!(next.await, Some(7));
    }

    #[tokio::test]
    async fn an_answer_is_kept_as_long_as_it_says() {
        let flights = Arc::new(Flights::new(Clock::default()));
        let keep = |_: &i32| Duration::from_millis(80);
        assert_eq!(flights.join(key("a"), || async { 1 }, keep).await, Some(1));
        tokio::task::yield_now().await;
        assert_eq!(flights.join(key("a"), || async { 2 }, keep).await, Some(1));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(flights.join(key("a"), || async { 3 }, keep).await, Some(3));
    }

    #[tokio::test]
    async fn a_question_that_dies_leaves_nothing_behind() {
        let flights = Arc::new(Flights::<i32>::new(Clock::default()));
        let dies = || async { std::future::pending().await };
        let waiting = flights.join(key("a"), dies, |_| Duration::ZERO);
        let gone = tokio::time::timeout(Duration::from_millis(20), waiting).await;
        assert!(gone.is_err());
        assert_eq!(flights.lock().flights.len(), 1);
        drop(Landing {
            flights: Arc::clone(&flights),
            key: key("a"),
            kept_for: Duration::ZERO,
        });
        assert_eq!(
            flights
                .join(key("a"), || async { 1 }, |_| Duration::ZERO)
                .await,
            Some(1)
        );
    }
}
