//! Whose logins there are, and when they expire: in memory, because in a file each of these entries would
//! fall on a page of its own.
//!
//! The roll names every login of the file that has not ended, and perhaps some more: a login is put on it
//! before its transaction commits, and taken off after a transaction that ended or removed it has
//! committed. The rows decide about each. After a start the roll is read from the rows beside other work;
//! whoever needs it waits for that ([`Roll::whole`]).
//!
//! The writer only notes what changes; sorting that in takes longer, and is done by the thread that read
//! the roll, or at once by whoever asks.

use std::{
    collections::{BTreeMap, BTreeSet, btree_set::Range},
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
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
    memory::Memory,
};

/// After a reading that failed.
const PAUSE: Duration = Duration::from_millis(500);
/// How many rows are read between looks at whether anybody still wants them.
const STRETCH: usize = 4_096;
/// How many changes are sorted in at once, by the thread beside the writer.
const PLENTY: usize = if cfg!(test) { 4 } else { 1_024 };
/// So many wait only where that thread gets no time: then the writer does it.
const TOO_MANY: usize = if cfg!(test) { 16 } else { 65_536 };

/// One login on the roll.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) user: UserId,
    pub(super) sid: Sid,
    pub(super) expires_at: UnixMillis,
}

/// The roll.
pub(super) struct Roll {
    /// Taken before `noted` where both are.
    state: Mutex<State>,
    /// What the state does not have yet, in order.
    noted: Mutex<Vec<Change>>,
    /// Many are noted, or nobody is going to note more.
    plenty: Condvar,
    whole: watch::Sender<bool>,
}

/// One change of the roll.
enum Change {
    Add(Entry),
    End(UserId, Sid),
    Remove(Entry),
    Strike(Expiry),
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
            noted: Mutex::default(),
            plenty: Condvar::new(),
            whole: watch::Sender::new(false),
        }
    }

    /// The roll with all that is noted sorted in.
    fn settled(&self) -> MutexGuard<'_, State> {
        // Nothing under the locks panics half-way.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let noted = mem::take(&mut *self.noted());
        for change in noted {
            state.apply(&change);
        }
        state
    }

    fn noted(&self) -> MutexGuard<'_, Vec<Change>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, changes: impl ExactSizeIterator<Item = Change>) {
        if changes.len() == 0 {
            return;
        }
        let mut noted = self.noted();
        let before = noted.len();
        noted.extend(changes);
        let now = noted.len();
        drop(noted);
        if now >= TOO_MANY {
            drop(self.settled());
        } else if before < PLENTY && now >= PLENTY {
            self.plenty.notify_one();
        }
    }

    /// Sorts in what is noted whenever there is plenty, until `stop`.
    fn keep_settled(&self, stop: &AtomicBool) {
        loop {
            let noted = self.noted();
            let scarce =
                |noted: &mut Vec<Change>| noted.len() < PLENTY && !stop.load(Ordering::Relaxed);
            let noted = self.plenty.wait_while(noted, scarce);
            drop(noted.unwrap_or_else(PoisonError::into_inner));
            if stop.load(Ordering::Relaxed) {
                return;
            }
            drop(self.settled());
        }
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
        self.note(entries.iter().copied().map(Change::Add));
    }

    /// Takes off logins that ended, after their transaction was committed.
    pub(super) fn end(&self, ended: &[(UserId, Sid)]) {
        self.note(ended.iter().map(|(user, sid)| Change::End(*user, *sid)));
    }

    /// Takes off logins whose rows are gone, after that was committed.
    pub(super) fn remove(&self, gone: &[Entry]) {
        self.note(gone.iter().copied().map(Change::Remove));
    }

    /// Takes off expiries that no row has.
    pub(super) fn strike(&self, expiries: &[Expiry]) {
        self.note(expiries.iter().copied().map(Change::Strike));
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
        let state = self.settled();
        Ok(take(state.by_person.range((user, first)..=(user, last))))
    }

    /// Up to `limit` logins that may have expired before `before`, those first that expired first.
    pub(super) fn expired(&self, before: UnixMillis, limit: usize) -> Vec<Expiry> {
        let end = (second(before), Sid::from_bytes([0xff; 16]));
        let state = self.settled();
        let expired = state.by_expiry.range(..=end).take(limit);
        expired.copied().map(Expiry).collect()
    }
}

impl State {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Add(entry) => {
                self.by_person.insert((entry.user, entry.sid));
                self.by_expiry.insert((second(entry.expires_at), entry.sid));
            }
            Change::End(user, sid) => {
                self.by_person.remove(&(*user, *sid));
            }
            Change::Remove(gone) => {
                self.by_person.remove(&(gone.user, gone.sid));
                self.by_expiry.remove(&(second(gone.expires_at), gone.sid));
            }
            Change::Strike(Expiry(expiry)) => {
                self.by_expiry.remove(expiry);
            }
        }
    }
}

fn second(at: UnixMillis) -> Second {
    Second::try_from(at.as_secs().max(0)).unwrap_or(Second::MAX)
}

/// Reads the roll from the rows, on a thread and a connection of its own, and keeps it settled afterwards.
pub(super) struct Reading {
    memory: Arc<Memory>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reading {
    /// Starts it.
    pub(super) fn start(conn: Connection, memory: Arc<Memory>) -> std::io::Result<Self> {
        let stop = Arc::<AtomicBool>::default();
        let (stopped, read_for) = (Arc::clone(&stop), Arc::clone(&memory));
        let read = move || {
            while !stopped.load(Ordering::Relaxed) {
                match read(&conn, &read_for, &stopped) {
                    Ok(()) => break,
                    Err(fault) => error!("reading all logins: {}", StoreError::from(fault)),
                }
                thread::sleep(PAUSE);
            }
            // A connection that stays open is one more that holds the file.
            drop(conn);
            read_for.roll.keep_settled(&stopped);
        };
        let thread = thread::Builder::new().name("symbolon-roll".to_owned());
        Ok(Self {
            memory,
            stop,
            thread: Some(thread.spawn(read)?),
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        {
            // Under the lock, so that it is not between its look at `stop` and its sleep.
            let _noted = self.memory.roll.noted();
            self.stop.store(true, Ordering::Relaxed);
        }
        self.memory.roll.plenty.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of it was told by the panic itself.
            let _ = thread.join();
        }
    }
}

/// What is written beside it is put on the roll by the writer; what is ended beside it may stay on it.
fn read(conn: &Connection, memory: &Memory, stop: &AtomicBool) -> Work<()> {
    // Before the rows: an end that is marked in between is in them.
    let unmarked = memory.unmarked.all();
    let (mut people, mut expiries, mut living) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = conn.prepare("SELECT sid, user, expires_at, ended_at IS NULL FROM login")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let sid = Sid::from_bytes(bytes(row, 0)?);
        if row.get(3)? {
            let user = UserId::from_bytes(bytes(row, 1)?);
            people.push((user, sid));
            living.push((sid, user));
        }
        expiries.push((second(time(row, 2)?), sid));
        if expiries.len() % STRETCH == 0 && stop.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    // Sorted once and put together: much faster than one after the other.
    let mut living: BTreeMap<_, _> = living.into_iter().collect();
    for (sid, _) in unmarked.keys() {
        living.remove(sid);
    }
    memory.living.take_over(living);
    let mut by_person: BTreeSet<_> = people.into_iter().collect();
    let mut by_expiry: BTreeSet<_> = expiries.into_iter().collect();
    let mut state = memory.roll.settled();
    by_person.append(&mut state.by_person);
    by_expiry.append(&mut state.by_expiry);
    *state = State {
        by_person,
        by_expiry,
    };
    drop(state);
    memory.roll.whole.send_replace(true);
    Ok(())
}
