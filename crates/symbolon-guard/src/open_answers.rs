//! Answers that stay open (server-sent events, `WebSockets`, long downloads) end when their login ends.
//!
//! A request is judged once, when it arrives; an answer that goes on for hours would otherwise outlive
//! every rule. Each is registered with the facts that its yes rested on. A cut-off that kills them
//! ends it as soon as the guard has applied it; where the guard cannot prove its knowledge fresh
//! enough for the route it asks the authority, and ends the answer when that does not vouch in time.
//! A refresh makes a new credential of the same login, and so ends nothing.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use symbolon_login::{Freshness, Introspection, Scope, Shape, Sid, UserId};
use tokio::{
    sync::{Notify, oneshot},
    time,
};

use crate::{
    check::{Known, Seen},
    clock::{Moment, Now},
    core::{Asked, Core},
    credential::Credential,
    identity::Identity,
    view::View,
};

/// How often the guard looks for answers whose proof gets old. Answers end this much before their bound.
const LOOK: Duration = Duration::from_millis(100);

/// The bound of an answer that stays open on a route that is `live`: it was asked for when it began,
/// and cannot be asked for at each byte.
const LIVE: Duration = Duration::from_secs(1);

/// All answers of one guard that are open.
#[derive(Default)]
pub(crate) struct OpenAnswers {
    board: Mutex<Board>,
    /// There is something to look after.
    opened: Notify,
}

#[derive(Default)]
struct Board {
    next: u64,
    answers: HashMap<u64, Answer>,
    of_login: HashMap<Sid, HashSet<u64>>,
    of_user: HashMap<UserId, HashSet<u64>>,
}

struct Answer {
    seen: Arc<Seen>,
    credential: Credential,
    /// The stretch of the log since which every cut-off that could kill it was known here: while it is the
    /// present one ([`View::missed`]), the guard's own knowledge proves something.
    watched_in: Option<u64>,
    /// None: until a cut-off is known.
    bound: Option<Duration>,
    /// When the authority was last asked about it.
    vouched_at: Moment,
    is_asking: bool,
    /// Dropped or sent: over.
    ends: oneshot::Sender<()>,
}

/// One open answer's place on the board. Dropping it takes it off.
pub(crate) struct Registration {
    core: Arc<Core>,
    number: u64,
    ended: oneshot::Receiver<()>,
}

impl Registration {
    /// Registers an answer to `identity` on a route of this freshness, judged just now.
    pub(crate) fn of(core: &Arc<Core>, identity: &Identity, freshness: Freshness) -> Self {
        let (ends, ended) = oneshot::channel();
        let now = core.clock.moment();
        let staleness = identity.proof().staleness;
        let answer = Answer {
            seen: Arc::clone(identity.seen()),
            watched_in: None,
            credential: identity.credential(),
            bound: match freshness {
                Freshness::Live => Some(LIVE),
                Freshness::Within(bound) => Some(bound),
                Freshness::UntilExpiry => None,
            },
            vouched_at: now.minus(staleness),
            is_asking: false,
            ends,
        };
        let number = core.open_answers.lock().add(answer);
        core.open_answers.opened.notify_one();
        let registration = Self {
            core: Arc::clone(core),
            number,
            ended,
        };
        // A cut-off that was applied between the judgement and this line found nothing to end.
        core.open_answers.lock().begin(number, &core.knowledge());
        registration
    }

    /// Ready once the answer must go no further.
    pub(crate) fn poll_ended(&mut self, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(context).map(|_| ())
    }

    /// Waits until the answer must go no further.
    pub(crate) async fn ended(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.core.open_answers.lock().remove(self.number);
    }
}

impl OpenAnswers {
    /// Ends what a cut-off that was just applied kills.
    pub(crate) fn strike(&self, scope: &Scope, view: &View) {
        let mut board = self.lock();
        if board.answers.is_empty() {
            return;
        }
        let covered: Vec<u64> = match scope {
            Scope::Login { sid } | Scope::Grant { sid, .. } => board.of_login(sid),
            Scope::User { user } => board.of_user(user),
            _ => board.answers.keys().copied().collect(),
        };
        board.end_dead(&covered, view);
    }

    /// Ends what is dead by all that is known now, after a snapshot.
    pub(crate) fn strike_all(&self, view: &View) {
        let mut board = self.lock();
        let all: Vec<u64> = board.answers.keys().copied().collect();
        board.end_dead(&all, view);
    }

    /// How many are open.
    pub(crate) fn len(&self) -> usize {
        self.lock().answers.len()
    }

    /// Ends those whose proof is too old; says about which the authority should be asked.
    fn look(&self, view: &View, now: Now) -> Vec<(u64, Credential)> {
        let mut board = self.lock();
        let wall = view.wall(now).as_secs();
        let absolute = view.app().map(|app| app.lifetimes.absolute());
        let (mut over, mut ask) = (Vec::new(), Vec::new());
        for (number, answer) in &mut board.answers {
            match answer.state(view, now.moment, wall, absolute) {
                State::Good => {}
                State::Over => over.push(*number),
                State::Ask if answer.is_asking => {}
                State::Ask => {
                    answer.is_asking = true;
                    ask.push((*number, answer.credential.clone()));
                }
            }
        }
        for number in over {
            board.remove(number);
        }
        ask
    }

    /// Takes what the authority said about one of them, asked at `asked_at`.
    fn hear(&self, number: u64, asked: Asked, view: &View) {
        let mut board = self.lock();
        let Some(open) = board.answers.get_mut(&number) else {
            return;
        };
        open.is_asking = false;
        match asked.answer {
            Ok(Introspection::Active(facts)) => {
                open.vouched_at = asked.at;
                // Only how long the answer may be repeated is news: the login is the same one.
                let key = open.credential.key;
                let vouched = Some(asked.at);
                let seen = Seen::establish(key, *facts, vouched, asked.era, asked.at, view.table());
                open.watched_in = watched_in(&seen, view).or(open.watched_in);
                open.seen = Arc::new(seen);
            }
            Ok(Introspection::Inactive) => board.remove(number),
            Err(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        // Nothing in the critical sections can panic half way.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum State {
    Good,
    Ask,
    Over,
}

impl Answer {
    fn state(&self, view: &View, now: Moment, wall: i64, absolute: Option<Duration>) -> State {
        // A token's own end is not the login's. The longest life that the app's logins have is.
        let lasts = absolute.map_or(i64::MAX, |span| {
            i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
        });
        if wall >= self.seen.facts.auth_time.saturating_add(lasts) {
            return State::Over;
        }
        let vouched = now.since(self.vouched_at);
        let is_watched = self.watched_in == Some(view.missed());
        let proved = view.proves(now).filter(|_| is_watched);
        let age = proved.map_or(vouched, |age| age.min(vouched));
        if let Some(bound) = self.bound {
            if age.saturating_add(LOOK) > bound {
                return State::Over;
            }
            if age.saturating_mul(2) > bound && age > 4 * LOOK {
                return State::Ask;
            }
        }
        // A session's `exp` says until when the authority's answer may be repeated.
        let is_due = self.seen.facts.shape == Shape::Session && self.seen.facts.exp <= wall;
        if is_due { State::Ask } else { State::Good }
    }
}

impl Board {
    fn add(&mut self, answer: Answer) -> u64 {
        self.next += 1;
        let number = self.next;
        self.of_login
            .entry(answer.seen.facts.sid)
            .or_default()
            .insert(number);
        self.of_user
            .entry(answer.seen.facts.sub)
            .or_default()
            .insert(number);
        self.answers.insert(number, answer);
        number
    }

    /// Watches it from now on, unless it is dead.
    fn begin(&mut self, number: u64, view: &View) {
        if let Some(answer) = self.answers.get_mut(&number) {
            answer.watched_in = watched_in(&answer.seen, view);
        }
        self.end_dead(&[number], view);
    }

    /// Takes it off the board, which ends it.
    fn remove(&mut self, number: u64) {
        let Some(answer) = self.answers.remove(&number) else {
            return;
        };
        leave(&mut self.of_login, answer.seen.facts.sid, number);
        leave(&mut self.of_user, answer.seen.facts.sub, number);
        let _ = answer.ends.send(());
    }

    fn end_dead(&mut self, numbers: &[u64], view: &View) {
        for number in numbers {
            let is_dead = self
                .answers
                .get(number)
                .is_some_and(|answer| matches!(answer.seen.known(view), Known::Dead(_)));
            if is_dead {
                self.remove(*number);
            }
        }
    }

    fn of_login(&self, sid: &Sid) -> Vec<u64> {
        self.of_login
            .get(sid)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }

    fn of_user(&self, user: &UserId) -> Vec<u64> {
        self.of_user
            .get(user)
            .into_iter()
            .flatten()
            .copied()
            .collect()
    }
}

/// The present stretch of the log, if every cut-off is known that could kill this.
fn watched_in(seen: &Seen, view: &View) -> Option<u64> {
    (seen.known(view) == Known::Alive).then(|| view.missed())
}

fn leave<K: Copy + Eq + std::hash::Hash>(
    index: &mut HashMap<K, HashSet<u64>>,
    key: K,
    number: u64,
) {
    if let Some(numbers) = index.get_mut(&key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            index.remove(&key);
        }
    }
}

/// Looks after the open answers until the guard is dropped.
pub(crate) async fn look_after(core: Arc<Core>) {
    let mut beat = time::interval(LOOK);
    beat.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    loop {
        if core.open_answers.len() == 0 {
            core.open_answers.opened.notified().await;
        }
        beat.tick().await;
        let now = core.clock.now();
        let ask = core.open_answers.look(&core.knowledge(), now);
        for (number, credential) in ask {
            let core = Arc::clone(&core);
            tokio::spawn(async move {
                let asked = core.ask_shared(&credential).await;
                core.open_answers.hear(number, asked, &core.knowledge());
            });
        }
    }
}
