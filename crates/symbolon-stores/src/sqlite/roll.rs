//! Whose logins there are, and when they expire: in memory, because in a file each of these entries would
//! fall on a page of its own.
//!
//! The roll names every login of the file that has not ended, and perhaps some more: a login is put on it
//! before its transaction commits, and taken off after a transaction that ended or removed it has
//! committed. The rows decide about each. After a start the roll is read from the rows beside other work;
//! whoever needs it waits for that ([`Roll::whole`]).

use std::{
    collections::{BTreeSet, btree_set::Range},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;
use symbolon_authority::ports::StoreError;
use symbolon_login::{Sid, UnixMillis, UserId};
use tokio::sync::watch;
use tracing::error;

use super::{
    columns::{bytes, time},
    fault::{Fault, Work},
};

/// After a reading that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// How many rows are read between looks at whether anybody still wants them.
const STRETCH: usize = 4_096;

/// One login on the roll.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) user: UserId,
    pub(super) sid: Sid,
    pub(super) expires_at: UnixMillis,
}

/// The roll.
pub(super) struct Roll {
    state: Mutex<State>,
    whole: watch::Sender<bool>,
}

#[derive(Default)]
struct State {
    by_person: BTreeSet<(UserId, Sid)>,
    by_expiry: BTreeSet<(Second, Sid)>,
}

/// When a login expires, to the second.
#[derive(Clone, Copy)]
pub(super) struct Expiry((Second, Sid));

impl Expiry {
    pub(super) fn sid(self) -> Sid {
        self.0.1
    }

    /// Whether this is what the roll has for a row with that time.
    pub(super) fn is_of(self, expires_at: UnixMillis) -> bool {
        self.0.0 == second(expires_at)
    }
}

/// A second since 1970, rounded down. What is beyond it is at its ends.
type Second = u32;

impl Roll {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            whole: watch::Sender::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Resolves when the roll names everything that the file holds.
    pub(super) async fn whole(&self) -> Result<(), StoreError> {
        let mut whole = self.whole.subscribe();
        let closed = |_| StoreError::Unavailable("the store is closed".to_owned());
        whole.wait_for(|whole| *whole).await.map_err(closed)?;
        Ok(())
    }

    /// Puts logins on it, before their transaction commits.
    pub(super) fn add(&self, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        let mut state = self.lock();
        for entry in entries {
            state.by_person.insert((entry.user, entry.sid));
            state
                .by_expiry
                .insert((second(entry.expires_at), entry.sid));
        }
    }

    /// Takes off logins that ended, after their transaction was committed.
    pub(super) fn end(&self, ended: &[(UserId, Sid)]) {
        if ended.is_empty() {
            return;
        }
        let mut state = self.lock();
        for ended in ended {
            state.by_person.remove(ended);
        }
    }

    /// Takes off logins whose rows are gone, after that was committed.
    pub(super) fn remove(&self, gone: &[Entry]) {
        if gone.is_empty() {
            return;
        }
        let mut state = self.lock();
        for gone in gone {
            state.by_person.remove(&(gone.user, gone.sid));
            state.by_expiry.remove(&(second(gone.expires_at), gone.sid));
        }
    }

    /// How many logins of a person may live.
    pub(super) fn number_of(&self, user: UserId) -> Work<usize> {
        self.theirs(user, |theirs| theirs.count())
    }

    /// The logins of a person that may live.
    pub(super) fn of(&self, user: UserId) -> Work<BTreeSet<Sid>> {
        self.theirs(user, |theirs| theirs.map(|(_, sid)| *sid).collect())
    }

    fn theirs<T>(&self, user: UserId, take: impl FnOnce(Range<'_, (UserId, Sid)>) -> T) -> Work<T> {
        if !*self.whole.borrow() {
            return Err(Fault::unavailable("the store is still being read"));
        }
        let (first, last) = (Sid::from_bytes([0; 16]), Sid::from_bytes([0xff; 16]));
        let state = self.lock();
        Ok(take(state.by_person.range((user, first)..=(user, last))))
    }

    /// Up to `limit` logins that may have expired before `before`, those first that expired first.
    pub(super) fn expired(&self, before: UnixMillis, limit: usize) -> Vec<Expiry> {
        let end = (second(before), Sid::from_bytes([0xff; 16]));
        let state = self.lock();
        let expired = state.by_expiry.range(..=end).take(limit);
        expired.copied().map(Expiry).collect()
    }

    /// Takes off expiries that no row has.
    pub(super) fn strike(&self, expiries: &[Expiry]) {
        if !expiries.is_empty() {
            let mut state = self.lock();
            for Expiry(expiry) in expiries {
                state.by_expiry.remove(expiry);
            }
        }
    }
}

fn second(at: UnixMillis) -> Second {
    Second::try_from(at.as_secs().max(0)).unwrap_or(Second::MAX)
}

/// Reads the roll from the rows, on a thread and a connection of its own.
pub(super) struct Reading {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reading {
    /// Starts it.
    pub(super) fn start(conn: Connection, roll: Arc<Roll>) -> std::io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let stopped = Arc::clone(&stop);
        let read = move || {
            while !stopped.load(Ordering::Relaxed) {
                match read(&conn, &roll, &stopped) {
                    Ok(()) => return,
                    Err(fault) => error!("reading all logins: {}", StoreError::from(fault)),
                }
                thread::sleep(PAUSE);
            }
        };
        let thread = thread::Builder::new().name("symbolon-roll".to_owned());
        Ok(Self {
            stop,
            thread: Some(thread.spawn(read)?),
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic of it was told by the panic itself.
            let _ = thread.join();
        }
    }
}

/// What is written beside it is put on the roll by the writer; what is ended beside it may stay on it.
fn read(conn: &Connection, roll: &Roll, stop: &AtomicBool) -> Work<()> {
    let (mut people, mut expiries) = (Vec::new(), Vec::new());
    let mut rows = conn.prepare("SELECT sid, user, expires_at, ended_at IS NULL FROM login")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let sid = Sid::from_bytes(bytes(row, 0)?);
        if row.get(3)? {
            people.push((UserId::from_bytes(bytes(row, 1)?), sid));
        }
        expiries.push((second(time(row, 2)?), sid));
        if expiries.len() % STRETCH == 0 && stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    // Sorted once and put together: much faster than one after the other.
    let mut by_person: BTreeSet<_> = people.into_iter().collect();
    let mut by_expiry: BTreeSet<_> = expiries.into_iter().collect();
    let mut state = roll.lock();
    by_person.append(&mut state.by_person);
    by_expiry.append(&mut state.by_expiry);
    *state = State {
        by_person,
        by_expiry,
    };
    drop(state);
    roll.whole.send_replace(true);
    Ok(())
}
