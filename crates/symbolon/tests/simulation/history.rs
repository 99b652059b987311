//! What happened, in order: what the checker reads and what two runs of one seed have in common.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use symbolon_guard::Freshness;
use symbolon_server::login::{ClientId, CutOff, KeyId, Position, Shape, Sid, Subject, UserId};

use crate::world::Time;

/// The facts of one credential that decide whether it is dead.
#[derive(Clone)]
pub(crate) struct Facts {
    /// A number of its own.
    pub(crate) number: u64,
    pub(crate) user: UserId,
    pub(crate) sid: Sid,
    pub(crate) client_id: ClientId,
    pub(crate) shape: Shape,
    pub(crate) rev: Position,
    pub(crate) key: Option<KeyId>,
    /// Of a token: when it was issued and when it ends, in seconds.
    pub(crate) times: Option<(i64, i64)>,
    /// When the simulation got it.
    pub(crate) since: Duration,
}

impl Facts {
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            user: self.user,
            sid: self.sid,
            client_id: &self.client_id,
            key: self.key.as_ref(),
            rev: self.rev,
        }
    }
}

/// One request to an app.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) number: u64,
    pub(crate) guard: usize,
    /// How often this guard's process was started before.
    pub(crate) life: u32,
    pub(crate) freshness: Freshness,
    /// Whether the refresh token came along.
    pub(crate) renewable: bool,
    pub(crate) facts: Arc<Facts>,
}

/// What happened.
#[derive(Clone)]
pub(crate) enum Event {
    /// A cut-off is in the log of the store that is used now.
    Committed(CutOff),
    /// What was committed at this position is acknowledged.
    Acknowledged(Position),
    /// The store's log is that of a backup up to `from` now, and goes on from there.
    Restored { from: Position },
    /// A line moved to its next secret.
    Moved { sid: Sid, client_id: ClientId },
    /// A request arrived at a guard.
    Arrived(Request),
    /// The app's handler was reached: somebody said yes.
    Yes { number: u64 },
    /// The answer to a request. `skew`: how far any wall clock has been from the true time so far.
    Answered {
        number: u64,
        status: u16,
        skew: (i64, i64),
    },
    /// Everything is well again, and was left alone for a while.
    Calm,
    /// Something happened to the machines or between them.
    Weather(String),
}

/// When: the true time, and the order among what happened at the same time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp {
    pub(crate) at: Duration,
    pub(crate) order: usize,
}

/// All of it. Clones share it.
#[derive(Clone)]
pub(crate) struct History {
    time: Arc<Time>,
    events: Arc<Mutex<Vec<(Stamp, Event)>>>,
}

impl History {
    pub(crate) fn new(time: &Arc<Time>) -> Self {
        Self {
            time: Arc::clone(time),
            events: Arc::default(),
        }
    }

    pub(crate) fn note(&self, event: Event) {
        let mut events = self.events.lock().unwrap();
        let stamp = Stamp {
            at: self.time.now(),
            order: events.len(),
        };
        events.push((stamp, event));
    }

    pub(crate) fn weather(&self, what: impl Into<String>) {
        self.note(Event::Weather(what.into()));
    }

    /// Since when a credential that came of `before`, asked for at `asked_at`, is the newest of its line. Where
    /// the line did not move exactly once for it, it is an answer repeated, and may be old.
    pub(crate) fn newest_since(&self, before: &Facts, asked_at: Duration) -> Duration {
        let events = self.events.lock().unwrap();
        let meanwhile = events
            .iter()
            .rev()
            .take_while(|(stamp, _)| stamp.at >= asked_at);
        let moves: Vec<_> = meanwhile
            .filter(|(_, event)| {
                matches!(event, Event::Moved { sid, client_id }
                    if *sid == before.sid && *client_id == before.client_id)
            })
            .collect();
        match moves.as_slice() {
            [(stamp, _)] => stamp.at + Duration::from_nanos(1),
            _ => before.since,
        }
    }

    pub(crate) fn events(&self) -> Vec<(Stamp, Event)> {
        self.events.lock().unwrap().clone()
    }
}

/// Without what is random in every run: names of keys, texts of tokens.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Committed(CutOff { position, scope }) => {
                write!(f, "committed {position}: {scope:?}")
            }
            Self::Acknowledged(position) => write!(f, "acknowledged {position}"),
            Self::Restored { from } => write!(f, "restored from {from}"),
            Self::Moved { sid, client_id } => write!(f, "line of {client_id} in {sid} moved"),
            Self::Arrived(request) => {
                let Request {
                    number,
                    guard,
                    life,
                    freshness,
                    renewable,
                    facts,
                } = request;
                let with = if *renewable { " and refresh token" } else { "" };
                write!(
                    f,
                    "request {number} to guard {guard} (life {life}), {freshness}: {} {}{with} of {} in {} as of {}",
                    facts.shape, facts.number, facts.client_id, facts.sid, facts.rev
                )
            }
            Self::Yes { number } => write!(f, "request {number}: yes"),
            Self::Answered { number, status, .. } => write!(f, "request {number}: {status}"),
            Self::Calm => f.write_str("calm"),
            Self::Weather(what) => f.write_str(what),
        }
    }
}

/// One line for each event.
pub(crate) fn lines(events: &[(Stamp, Event)]) -> Vec<String> {
    events
        .iter()
        .map(|(stamp, event)| format!("{:>9.3} s  {event}", stamp.at.as_secs_f64()))
        .collect()
}
