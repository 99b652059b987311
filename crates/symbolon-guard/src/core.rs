//! What all handles and tasks of one guard share, and the small verbs on it.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use arc_swap::ArcSwap;
use quick_cache::sync::Cache;
use symbolon_login::{ClientId, Freshness, Introspection, Position};
use tokio::sync::{Notify, watch};

use crate::{
    authority::{Authority, Redeemed},
    cache::SeenCache,
    checked::Checked,
    clock::{Clock, Moment},
    cookies::CookieNames,
    credential::Credential,
    digest::{CacheKey, Digests},
    fault::Faults,
    flight::Flights,
    knowledge::Knowledge,
    metrics::Metrics,
    nodes::Unavailable,
    open_answers::OpenAnswers,
    refusal::OnRefusal,
    view::View,
};

/// Session secrets that the authority refused a moment ago.
const REFUSED: usize = 10_000;

/// What the app told its guard.
pub(crate) struct Settings {
    /// The app.
    pub(crate) client_id: ClientId,
    /// What the authority calls itself: the claim `iss`.
    pub(crate) issuer: String,
    /// The app's own origin, without a trailing slash.
    pub(crate) public_origin: Option<String>,
    /// What its cookies are called.
    pub(crate) cookies: CookieNames,
    /// Instead of the freshness that the feed gives.
    pub(crate) freshness: Option<Freshness>,
    /// Instead of the guard's own answers to refusals.
    pub(crate) on_refusal: Option<OnRefusal>,
    /// How many credentials are kept that were found authentic.
    pub(crate) most_seen: usize,
    /// How many cut-offs are kept.
    pub(crate) most_cut_offs: usize,
}

/// What the authority said about one credential.
#[derive(Clone)]
pub(crate) struct Asked {
    /// The moment before the question.
    pub(crate) at: Moment,
    /// The knowledge's era before the question.
    pub(crate) era: u64,
    /// The answer.
    pub(crate) answer: Result<Introspection, Unavailable>,
}

/// How the knowledge stands, for those who wait for it to grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    /// How far the log was applied.
    pub(crate) applied: Option<Position>,
    /// As of when that is proved complete.
    pub(crate) fresh_as_of: Option<Moment>,
}

/// How the follower fares, for the app's health page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// Whether the stream is open.
    pub(crate) connected: bool,
    /// What went wrong last, while it does.
    pub(crate) trouble: Option<String>,
}

/// The guard itself.
pub(crate) struct Core {
    pub(crate) settings: Settings,
    pub(crate) authority: Authority,
    pub(crate) clock: Clock,
    pub(crate) digests: Digests,
    pub(crate) metrics: Metrics,
    pub(crate) checked: Checked,
    pub(crate) open_answers: OpenAnswers,
    /// Written by the follower alone.
    knowledge: Mutex<Knowledge>,
    /// What checks read.
    view: ArcSwap<View>,
    pulse: watch::Sender<Pulse>,
    health: RwLock<Health>,
    /// Asks for the head at once, instead of at the next beat.
    pub(crate) ask_now: Notify,
    /// Asks for the head soon: there was news.
    pub(crate) ask_soon: Notify,
    /// Tells the stream that it is stuck.
    pub(crate) lagging: Notify,
    /// Tells the stream that the log is another one.
    pub(crate) resync: Notify,
    /// Credentials found authentic. Cut-offs are checked on every hit.
    pub(crate) seen: SeenCache,
    /// Sessions that were refused, and until when that needs no new question.
    pub(crate) refused: Cache<CacheKey, Moment>,
    /// Questions about credentials under way.
    pub(crate) questions: Arc<Flights<Asked>>,
    /// Redemptions under way and just done.
    pub(crate) redemptions: Arc<Flights<Result<Redeemed, Unavailable>>>,
}

impl Core {
    /// Knows nothing yet.
    pub(crate) fn new(
        settings: Settings,
        authority: Authority,
        clock: Clock,
        digests: Digests,
        faults: Faults,
    ) -> Self {
        let (issuer, client_id) = (settings.issuer.clone(), settings.client_id.clone());
        let knowledge = Knowledge::new(issuer, client_id, settings.most_cut_offs);
        let (knowledge, clock) = (knowledge.with(faults), clock.with(faults));
        Self {
            authority,
            digests,
            metrics: Metrics::default(),
            checked: Checked::default(),
            open_answers: OpenAnswers::default(),
            view: ArcSwap::from_pointee(knowledge.view().clone()),
            knowledge: Mutex::new(knowledge),
            pulse: watch::Sender::new(Pulse::default()),
            health: RwLock::default(),
            ask_now: Notify::new(),
            ask_soon: Notify::new(),
            lagging: Notify::new(),
            resync: Notify::new(),
            seen: SeenCache::new(settings.most_seen),
            refused: Cache::new(REFUSED),
            questions: Arc::new(Flights::new(clock.clone())),
            redemptions: Arc::new(Flights::new(clock.clone())),
            clock,
            settings,
        }
    }

    /// What is known, for one short look: not to be held across an await. No lock: a check reads it
    /// while the follower writes the next one.
    pub(crate) fn knowledge(&self) -> arc_swap::Guard<Arc<View>> {
        self.view.load()
    }

    /// Changes what is known, shows it to checks, and tells those who wait.
    pub(crate) fn learn<T>(&self, change: impl FnOnce(&mut Knowledge) -> T) -> T {
        // No verb of `Knowledge` panics half way, so a poisoned lock holds nothing broken.
        let mut knowledge = self
            .knowledge
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let outcome = change(&mut knowledge);
        let view = knowledge.view();
        let pulse = Pulse {
            applied: view.applied,
            fresh_as_of: view.fresh_as_of,
        };
        // Still under the lock: a later view never gives way to an earlier one.
        self.view.store(Arc::new(view.clone()));
        drop(knowledge);
        self.pulse.send_if_modified(|known| {
            let changed = *known != pulse;
            *known = pulse;
            changed
        });
        outcome
    }

    /// How fresh a yes has to be: the stricter of the app's wish and the route's.
    pub(crate) fn freshness(&self, view: &View, route: Option<Freshness>) -> Freshness {
        let app = self
            .settings
            .freshness
            .or_else(|| view.app().map(|app| app.freshness))
            .unwrap_or_default();
        route.map_or(app, |route| route.stricter(app))
    }

    /// Asks the authority about a credential, now and for this asker alone.
    pub(crate) async fn ask(&self, credential: &Credential) -> Asked {
        let era = self.knowledge().era(credential.shape);
        let at = self.clock.moment();
        let answer = self.authority.introspect(&credential.secret()).await;
        Asked { at, era, answer }
    }

    /// Asks the authority about a credential, or waits for the answer that somebody else asked for.
    pub(crate) async fn ask_shared(self: &Arc<Self>, credential: &Credential) -> Asked {
        let question = || {
            let (core, credential) = (Arc::clone(self), credential.clone());
            async move { core.ask(&credential).await }
        };
        let answer = self
            .questions
            .join(credential.key, question, |_| Duration::ZERO)
            .await;
        answer.unwrap_or_else(|| Asked {
            at: self.clock.moment(),
            era: 0,
            answer: Err(Unavailable::died()),
        })
    }

    /// Waits until `reached` or for `patience`; says whether it was reached.
    pub(crate) async fn wait_until(
        &self,
        patience: Duration,
        reached: impl FnMut(&Pulse) -> bool,
    ) -> bool {
        let mut pulse = self.pulse.subscribe();
        let reached = pulse.wait_for(reached);
        matches!(tokio::time::timeout(patience, reached).await, Ok(Ok(_)))
    }

    /// Waits until everything acknowledged before `arrival` is known here.
    pub(crate) async fn catch_up(&self, arrival: Moment, patience: Duration) -> bool {
        self.ask_now.notify_one();
        self.wait_until(patience, |pulse| {
            pulse.fresh_as_of.is_some_and(|moment| moment >= arrival)
        })
        .await
    }

    /// How the follower fares.
    pub(crate) fn health(&self) -> Health {
        self.health
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Notes how the follower fares.
    pub(crate) fn report(&self, change: impl FnOnce(&mut Health)) {
        change(&mut self.health.write().unwrap_or_else(PoisonError::into_inner));
    }
}
