//! Whose each living login is, in memory: to end one, the writer need not read its row, which lies
//! somewhere in the file.
//!
//! What is here is so: such a login has a row, no end, and that owner. What is not here has to be looked
//! up in the rows. It is right because there is one writer, who changes this after each transaction that
//! changed rows of logins. After a start it is filled from the rows beside other work, like the
//! [roll](super::roll).

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use symbolon_login::{Sid, UserId};

/// How many ends are remembered while rows are read. Beyond it these rows are not taken over: then an end
/// costs a look at its row until the next start, and no memory is lost to a reading that never succeeds.
const ENDED: usize = if cfg!(test) { 8 } else { 1 << 20 };

/// Living logins and their owners.
#[derive(Default)]
pub(super) struct Living(Mutex<State>);

#[derive(Default)]
struct State {
    /// As the rows had them after the start.
    read: BTreeMap<Sid, UserId>,
    /// Opened since: new logins lie side by side in it.
    opened: BTreeMap<Sid, UserId>,
    reading: Reading,
}

/// What may not be taken over from rows that are being read.
enum Reading {
    /// What ended meanwhile.
    Before { ended: Vec<Sid> },
    /// They are taken over, or nothing can be.
    Over,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Before { ended: Vec::new() }
    }
}

impl Living {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose login it is. None: not known here.
    pub(super) fn whose(&self, sid: Sid) -> Option<UserId> {
        let state = self.lock();
        let found = state.opened.get(&sid).or_else(|| state.read.get(&sid));
        found.copied()
    }

    /// Takes out logins that are over, and puts in those that were opened; their transaction is
    /// committed.
    pub(super) fn change(
        &self,
        over: impl ExactSizeIterator<Item = Sid>,
        opened: impl ExactSizeIterator<Item = (Sid, UserId)>,
    ) {
        if over.len() == 0 && opened.len() == 0 {
            return;
        }
        let mut state = self.lock();
        let state = &mut *state;
        for sid in over {
            if state.opened.remove(&sid).is_none() {
                state.read.remove(&sid);
            }
            if let Reading::Before { ended } = &mut state.reading {
                ended.push(sid);
                if ended.len() > ENDED {
                    state.reading = Reading::Over;
                }
            }
        }
        state.opened.extend(opened);
    }

    /// Takes out all.
    pub(super) fn clear(&self) {
        *self.lock() = State {
            reading: Reading::Over,
            ..State::default()
        };
    }

    /// Takes over what the rows had at one moment since the store was opened.
    pub(super) fn take_over(&self, mut read: BTreeMap<Sid, UserId>) {
        let mut state = self.lock();
        if let Reading::Before { ended } = &state.reading {
            // Each login is in one of the two, so that it is taken out of one.
            for sid in ended.iter().chain(state.opened.keys()) {
                read.remove(sid);
            }
            state.read = read;
            state.reading = Reading::Over;
        }
    }
}
