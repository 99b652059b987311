//! Uses that were only seen: kept here until a store takes them along in a write.
//!
//! Noting one is a look-up in memory; at most one write a minute and grant reaches the database.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use symbolon_authority::ports::{LoginWithGrants, Standpoint};
use symbolon_login::{Grant, GrantId, Login, SEEN_EVERY, UnixMillis};

/// How many grants are remembered or wait. Beyond it a use costs a look in the database, or is not
/// noted: it may be lost.
const REMEMBERED: usize = 65_536;
/// How many go along in one transaction.
const TAKEN_AT_ONCE: usize = 1024;

/// The uses that wait for the writer, and those that it wrote lately.
#[derive(Default)]
pub(crate) struct Touches(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: HashMap<GrantId, UnixMillis>,
    /// Taken by the writer, not on disk yet.
    writing: HashMap<GrantId, UnixMillis>,
    /// A lower bound of the time of use that the database holds.
    written: HashMap<GrantId, UnixMillis>,
}

impl Touches {
    /// Notes a use. True if it is the first that waits: the writer has to hear of it.
    pub(crate) fn note(&self, grant: GrantId, now: UnixMillis) -> bool {
        let mut state = self.lock();
        let soon = |known: &UnixMillis| now < known.plus(SEEN_EVERY);
        if state.written.get(&grant).is_some_and(soon) || state.waiting.len() >= REMEMBERED {
            return false;
        }
        let first = state.waiting.is_empty();
        let at = state.waiting.entry(grant).or_insert(now);
        *at = now.max(*at);
        first
    }

    /// Whether some wait.
    pub(crate) fn any(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// Gives the writer what waits, up to a number that does not hold up the others.
    pub(crate) fn take(&self) -> Vec<(GrantId, UnixMillis)> {
        let mut state = self.lock();
        if state.waiting.len() <= TAKEN_AT_ONCE {
            state.writing = mem::take(&mut state.waiting);
        } else {
            let taken = state.waiting.keys().take(TAKEN_AT_ONCE).copied();
            for grant in taken.collect::<Vec<_>>() {
                if let Some(at) = state.waiting.remove(&grant) {
                    state.writing.insert(grant, at);
                }
            }
        }
        state.writing.iter().map(|(id, at)| (*id, *at)).collect()
    }

    /// Notes which times of use the database holds now. What was taken and is not among them is
    /// forgotten.
    pub(crate) fn written(&self, times: Vec<(GrantId, UnixMillis)>) {
        let mut state = self.lock();
        if state.written.len() + times.len() > REMEMBERED {
            state.written.clear();
        }
        state.written.extend(times);
        state.writing.clear();
    }

    /// Adds to what a reader saw the uses that the database does not hold yet.
    pub(crate) fn overlay(&self, found: &mut Standpoint) {
        self.lock().overlay(&found.login, &mut found.grant);
    }

    /// The same for all grants of a login.
    pub(crate) fn overlay_all(&self, found: &mut LoginWithGrants) {
        let state = self.lock();
        for grant in &mut found.grants {
            state.overlay(&found.login, grant);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn overlay(&self, login: &Login, grant: &mut Grant) {
        let seen = [&self.waiting, &self.writing, &self.written]
            .into_iter()
            .filter_map(|uses| uses.get(&grant.id))
            .max();
        if let Some(used_at) = seen.and_then(|seen| grant.seen(login, *seen)) {
            grant.used_at = used_at;
        }
    }
}
