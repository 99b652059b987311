//! The ports on one SQLite file in a data directory.
//!
//! Writes go through one thread that commits many at once ([`writer`]), reads through a few threads
//! beside it ([`readers`]). Acknowledged means that the transaction's write-ahead log was synced.

mod backup;
mod checkpoints;
mod columns;
mod directory;
mod fault;
mod limits;
mod living;
mod log;
mod logins;
mod memory;
mod once;
mod open;
mod readers;
mod roll;
mod rows;
mod schema;
mod sweep;
mod transfer;
mod unmarked;
mod writer;

use std::{
    fs::File,
    path::Path,
    sync::{Arc, Mutex, atomic::Ordering},
};

use rusqlite::Connection;
use symbolon_authority::ports::StoreError;
use symbolon_login::{GrantId, Position, UnixMillis};
use tokio::sync::watch;

pub use backup::{Restored, RestoredLogins, back_up, restore};
pub use open::OpenError;

use crate::Migration;
use crate::bounded_counters::BoundedCounters;
use crate::touches::Touches;
use checkpoints::Checkpoints;
use fault::Work;
use memory::Memory;
use readers::Readers;
use roll::Reading;
use unmarked::View;
use writer::{Transaction, Writer};

/// All ports on the file `symbolon.db` of a data directory, held by one process at a time.
///
/// Dropped, it finishes what was asked, moves everything into the main file and gives the directory
/// free; that blocks for as long as it takes.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use symbolon_authority::ports::Logins;
/// use symbolon_login::{Scope, UnixMillis};
/// use symbolon_stores::{OpenError, Sqlite};
///
/// # let temporary = tempfile::tempdir()?;
/// let data = temporary.path().join("symbolon-data");
/// let store = Sqlite::open(&data)?;
/// assert!(matches!(Sqlite::open(&data), Err(OpenError::InUse { .. })));
/// let ended = store.end(Scope::Everything {}, UnixMillis::from_secs(1_800_000_000)).await?;
/// store.close()?;
///
/// assert_eq!(Sqlite::open(&data)?.head().await?, ended.position);
/// # Ok(())
/// # }
/// ```
pub struct Sqlite {
    // In the order in which they go: the writer's connection is the last one on the file, and the
    // lock is given back when nothing is open any more.
    reading: Reading,
    readers: Readers,
    checkpoints: Checkpoints,
    writer: Writer,
    counters: Mutex<BoundedCounters>,
    memory: Arc<Memory>,
    _lock: File,
}

/// What a store did since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    /// Transactions committed.
    pub commits: u64,
    /// Requests that were in them: how well group commit works is `requests / commits`.
    pub requests: u64,
    /// Times of use written.
    pub touches: u64,
}

/// The migrations that [`Sqlite::open`] would apply to the database of `dir`, in order; changes nothing.
pub fn pending_migrations(dir: &Path) -> Result<Vec<Migration>, OpenError> {
    open::pending(dir)
}

impl Sqlite {
    /// Opens the store in `dir`; makes the directory (0700) and the file (0600) where there is none.
    ///
    /// Blocks for as long as the disk takes. What is refused is left as it was. A file below 64 MiB is checked in full
    /// (`PRAGMA quick_check`), of a larger one the header and the schema: reading it all would
    /// make the start wait.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let open::Opened {
            lock,
            mut writer,
            readers,
            checkpoints,
            roll,
            memory,
            head,
        } = open::open(dir)?;
        let memory = Arc::new(memory);
        let threads = |report| OpenError::Io {
            path: dir.to_owned(),
            report,
        };
        Ok(Self {
            checkpoints: Checkpoints::start(checkpoints, &mut writer).map_err(threads)?,
            reading: Reading::start(roll, Arc::clone(&memory)).map_err(threads)?,
            writer: Writer::start(writer, head, Arc::clone(&memory), writer::QUEUE)
                .map_err(threads)?,
            readers: Readers::start(readers).map_err(threads)?,
            counters: Mutex::default(),
            memory,
            _lock: lock,
        })
    }

    /// Finishes what was asked, moves everything into the main file, and tells whether that worked.
    /// Nothing acknowledged is lost if it did not. Blocks: not for an async task.
    pub fn close(self) -> Result<(), StoreError> {
        let Self {
            reading,
            readers,
            checkpoints,
            mut writer,
            counters: _,
            memory: _,
            _lock,
        } = self;
        drop(reading);
        drop(readers);
        drop(checkpoints);
        writer.close().map_err(StoreError::from)
    }

    /// What it did since it was opened.
    pub fn statistics(&self) -> Statistics {
        let counters = self.writer.counters();
        Statistics {
            commits: counters.commits.load(Ordering::Relaxed),
            requests: counters.requests.load(Ordering::Relaxed),
            touches: counters.touches.load(Ordering::Relaxed),
        }
    }

    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Transaction<'_>) -> Work<T> + Send + 'static,
    {
        self.writer.run(work).await
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Work<T> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Reads rows of logins and what is known of their ends.
    async fn read_logins<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&Connection, &View<'_>) -> Work<T> + Send + 'static,
    {
        let memory = Arc::clone(&self.memory);
        self.read(move |conn| memory.unmarked.read(|view| work(conn, view)))
            .await
    }

    /// Waits until it is known whose logins there are.
    async fn whole_roll(&self) -> Result<(), StoreError> {
        self.memory.roll.whole().await
    }

    fn note_use(&self, grant: GrantId, now: UnixMillis) {
        self.writer.touch(grant, now);
    }

    fn touches(&self) -> &Touches {
        self.writer.touches()
    }

    fn committed_head(&self) -> Position {
        self.writer.head()
    }

    fn follow_head(&self) -> watch::Receiver<Position> {
        self.writer.wake()
    }
}
