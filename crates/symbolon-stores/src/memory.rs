//! The ports in memory: the reference of the conformance suite, and a store for tests.
//!
//! Everything lies behind one mutex, so each verb is atomic by itself. Nothing survives the process:
//! here "acknowledged" means done, not on disk.

mod directory;
mod limits;
mod logins;
mod once;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use symbolon_authority::{
    App, PasswordHash, User,
    ports::{Purpose, StoredKey},
};
use symbolon_login::{
    Change, ClientId, Grant, GrantId, Identifier, LogEntry, Login, Position, Sid, UnixMillis,
    UserId,
};
use tokio::sync::watch;

use crate::bounded_counters::BoundedCounters;

/// All ports in memory.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use symbolon_authority::ports::Logins;
/// use symbolon_login::{Position, Scope, UnixMillis};
/// use symbolon_stores::Memory;
///
/// let store = Memory::new();
/// let ended = store.end(Scope::Everything {}, UnixMillis::from_secs(1_800_000_000)).await?;
/// assert_eq!(ended.position, Position::START.next());
/// assert_eq!(store.head().await?, ended.position);
/// # Ok(())
/// # }
/// ```
pub struct Memory {
    state: Mutex<State>,
    wake: watch::Sender<Position>,
}

#[derive(Default)]
struct State {
    users: BTreeMap<UserId, (User, PasswordHash)>,
    identifiers: BTreeMap<Identifier, UserId>,
    apps: BTreeMap<ClientId, App>,
    keys: Vec<StoredKey>,
    marks: BTreeSet<String>,
    /// The last end of all logins of a person.
    cut: HashMap<UserId, Position>,
    /// The start of the epoch, while its log is empty.
    start: Option<Position>,
    logins: BTreeMap<Sid, Login>,
    grants: BTreeMap<GrantId, Grant>,
    log: VecDeque<(UnixMillis, LogEntry)>,
    once: HashMap<(Purpose, [u8; 32]), OnceValue>,
    counters: BoundedCounters,
}

#[derive(Clone)]
struct OnceValue {
    value: String,
    expires_at: UnixMillis,
    taken: bool,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self {
            state: Mutex::default(),
            wake: watch::Sender::new(Position::START),
        }
    }

    /// A store of its own that holds what this one holds now, counters aside: what a backup would bring
    /// back.
    #[must_use]
    pub fn copied(&self) -> Self {
        let state = self.lock().copied();
        Self {
            wake: watch::Sender::new(state.head()),
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No verb panics half-way, so what a poisoned lock guards is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one verb and tells followers of the log, before anyone else gets the lock: the wake
    /// positions come in order.
    fn write<T>(&self, verb: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let answer = verb(&mut state);
        let head = state.head();
        self.wake.send_if_modified(|known| {
            let news = *known != head;
            *known = head;
            news
        });
        answer
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn copied(&self) -> Self {
        Self {
            users: self.users.clone(),
            identifiers: self.identifiers.clone(),
            apps: self.apps.clone(),
            keys: self.keys.clone(),
            marks: self.marks.clone(),
            cut: self.cut.clone(),
            start: self.start,
            logins: self.logins.clone(),
            grants: self.grants.clone(),
            log: self.log.clone(),
            once: self.once.clone(),
            counters: BoundedCounters::default(),
        }
    }

    fn head(&self) -> Position {
        self.log
            .back()
            .map(|(_, entry)| entry.position)
            .max(self.start)
            .unwrap_or(Position::START)
    }

    fn append(&mut self, change: Change, now: UnixMillis) -> Position {
        let position = self.head().next();
        self.log.push_back((now, LogEntry { position, change }));
        position
    }
}
