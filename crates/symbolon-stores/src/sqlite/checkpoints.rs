//! Moves the write-ahead log into the main file, on a thread beside the writer: what that writes and
//! syncs would hold up everyone.
//!
//! The log begins anew only when all of it is moved, and while others write it is never all. So the thread
//! moves what there is, and again what came meanwhile, until little is left; that the writer moves after
//! its next transaction.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, hooks::Wal};
use tracing::error;

/// How many pages the log holds before the thread moves them: 48 MiB. A page that changed many times since
/// is moved once.
const PAGES: i32 = if cfg!(test) { 64 } else { 12_288 };
/// How many more there are before it is asked again, if it could not: somebody reads an old moment, which
/// only the log has.
const AGAIN: i32 = if cfg!(test) { 16 } else { 4_096 };
/// So many are there only if the thread gets no time, or cannot: then the writer tries.
const TOO_MANY: i32 = if cfg!(test) { 512 } else { 20_480 };
/// How many are little enough for the writer.
const LITTLE: i64 = if cfg!(test) { 16 } else { 512 };
/// How often the thread moves what came meanwhile before it leaves the rest to the writer.
const ROUNDS: usize = 4;
/// How often the writer tries then: a look-up that is under way is in the way, for as long as it takes.
const TRIES: u32 = 8;

/// The thread. Dropped, it finishes what it is at.
pub(super) struct Checkpoints {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    asked: Mutex<Asked>,
    changed: Condvar,
    /// Little is left to be moved.
    is_little: AtomicBool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    Move,
    Stop,
}

impl Checkpoints {
    /// Starts the thread on its connection; it hears from the writer's how long the log is.
    pub(super) fn start(own: Connection, writer: &mut Connection) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let mut watch = Watch::new(Arc::clone(&shared));
        let hooked = writer.wal_hook(Some(move |log: &mut Wal, pages| {
            if watch.see(pages)
                && let Err(error) = log.checkpoint()
            {
                // Nothing is lost: the log only grows.
                error!("moving the write-ahead log: {error}");
            }
            Ok(())
        }));
        hooked.map_err(std::io::Error::other)?;
        let working = Arc::clone(&shared);
        let thread = thread::Builder::new().name("symbolon-log".to_owned());
        Ok(Self {
            shared,
            thread: Some(thread.spawn(move || working.work(&own))?),
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.shared.ask(Asked::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic of it was told by the panic itself.
            let _ = thread.join();
        }
    }
}

/// The writer's look at the log after each of its transactions.
struct Watch {
    shared: Arc<Shared>,
    /// How many pages there were the last time.
    before: i32,
    ask_at: i32,
    try_at: i32,
    tries: u32,
}

impl Watch {
    fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            before: 0,
            ask_at: PAGES,
            try_at: TOO_MANY,
            tries: 0,
        }
    }

    /// Whether the writer itself shall move what is left.
    fn see(&mut self, pages: i32) -> bool {
        if pages < self.before {
            // The log has begun anew.
            (self.ask_at, self.try_at, self.tries) = (PAGES, TOO_MANY, 0);
        }
        self.before = pages;
        if self.shared.is_little.swap(false, Ordering::Relaxed) {
            self.tries = TRIES;
        }
        if self.tries > 0 {
            self.tries -= 1;
            return true;
        }
        if pages >= self.ask_at {
            self.ask_at = pages.saturating_add(AGAIN);
            self.shared.ask(Asked::Move);
        }
        let too_many = pages >= self.try_at;
        if too_many {
            self.try_at = pages.saturating_add(AGAIN);
        }
        too_many
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Asked> {
        // Nothing under the lock panics half-way.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, what: Asked) {
        *self.lock() = what;
        self.changed.notify_one();
    }

    fn work(&self, conn: &Connection) {
        loop {
            let asked = self
                .changed
                .wait_while(self.lock(), |asked| *asked == Asked::Nothing);
            let mut asked = asked.unwrap_or_else(PoisonError::into_inner);
            if *asked == Asked::Stop {
                return;
            }
            *asked = Asked::Nothing;
            drop(asked);
            match checkpoint(conn) {
                Ok(is_little) => self.is_little.store(is_little, Ordering::Relaxed),
                Err(error) => error!("moving the write-ahead log: {error}"),
            }
        }
    }
}

/// Moves what there is until little is left. Whether it came to that.
fn checkpoint(conn: &Connection) -> rusqlite::Result<bool> {
    let mut before = 0;
    for _ in 0..ROUNDS {
        let mut checkpoint = conn.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
        // Whether another one was at it, the pages of the log, and how many of them are moved.
        let (is_busy, pages, moved): (bool, i64, i64) =
            checkpoint.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if is_busy || pages - moved > LITTLE {
            return Ok(false);
        }
        // So many came during the round before; during one as short, as few come again.
        if moved - before <= LITTLE {
            break;
        }
        before = moved;
    }
    Ok(true)
}
