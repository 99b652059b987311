//! From a path to open connections: nothing is changed before it is known that the directory and
//! its file are ours, whole and free.

pub(super) mod inspect;
mod refusal;

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io,
    num::NonZero,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use symbolon_login::Position;

pub use refusal::OpenError;

use self::inspect::Found;
use super::{log, memory::Memory, schema};
use crate::Migration;

/// The file that holds everything.
pub(super) const DATABASE: &str = "symbolon.db";
/// Locked by the process that has the directory open.
const LOCK: &str = "symbolon.lock";
/// Where a new file is made before it gets its name.
pub(super) const UNFINISHED: &str = "symbolon.db.new";

/// To what size the write-ahead log shrinks again when it was longer.
const JOURNAL_BYTES: u32 = 80 << 20;
/// The writer's page cache in KiB. A larger one is slower: SQLite walks all of it at the end of a
/// transaction that split a page.
const WRITER_CACHE: i32 = 16_384;
/// How much of the file the readers map into memory: as much as SQLite permits. The kernel keeps
/// the pages, and takes them back when it needs room.
const MAPPED_BYTES: u32 = 0x7fff_0000;
/// How long to wait for another program that looks into the file.
const BUSY: Duration = Duration::from_secs(5);
const STATEMENTS: usize = 128;

/// An open data directory.
pub(super) struct Opened {
    pub(super) lock: File,
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    /// For moving the write-ahead log into the main file.
    pub(super) checkpoints: Connection,
    /// For reading whose logins there are.
    pub(super) roll: Connection,
    pub(super) memory: Memory,
    pub(super) head: Position,
}

/// Opens `dir`, in the order that changes nothing before everything is checked.
pub(super) fn open(dir: &Path) -> Result<Opened, OpenError> {
    let path = dir.join(DATABASE);
    let (lock, found) = if inspect::is_directory(dir)? {
        let lock = existing_lock(dir)?;
        (lock, inspect::inspect(&path)?)
    } else {
        make_directory(dir)?;
        (None, Found::Nothing)
    };
    let (lock, found) = match lock {
        Some(lock) => (lock, found),
        // Another process may have been here between the look and the lock: look again.
        None => (new_lock(dir)?, inspect::inspect(&path)?),
    };
    let version = match found {
        Found::Ours { version } => version,
        Found::Nothing => create(dir, &path)?,
    };
    let refused = |error| OpenError::sqlite(&path, error);
    let writer = writer(&path, version).map_err(refused)?;
    if writer.is_readonly("main").map_err(refused)? {
        return Err(OpenError::no_access(&path, "it is write-protected"));
    }
    if let Some(number) = schema::changed(&writer).map_err(refused)? {
        return Err(OpenError::Changed { path, number });
    }
    let readers = readers(&path).map_err(refused)?;
    let checkpoints = mover(&path).map_err(refused)?;
    let roll = reader(&path).map_err(refused)?;
    let damaged = |fault: super::fault::Fault| OpenError::store(&path, fault.into());
    let head = log::head(&writer).map_err(damaged)?;
    let memory = Memory::load(&writer).map_err(damaged)?;
    Ok(Opened {
        lock,
        writer,
        readers,
        checkpoints,
        roll,
        memory,
        head,
    })
}

/// What [`open`] would apply to the database of `dir`, in order. Changes nothing.
pub(super) fn pending(dir: &Path) -> Result<Vec<Migration>, OpenError> {
    if !inspect::is_directory(dir)? {
        return Ok(schema::pending(0));
    }
    Ok(match inspect::inspect(&dir.join(DATABASE))? {
        Found::Nothing => schema::pending(0),
        Found::Ours { version } => schema::pending(version),
    })
}

fn make_directory(dir: &Path) -> Result<(), OpenError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(dir)
        .and_then(|()| sync(dir.parent().filter(|parent| *parent != Path::new(""))))
        .map_err(|error| OpenError::io(dir, error))
}

/// Puts the names in a directory on disk: a file that nothing leads to is lost. None: the working
/// directory.
pub(super) fn sync(dir: Option<&Path>) -> io::Result<()> {
    File::open(dir.unwrap_or(Path::new(".")))?.sync_all()
}

/// Locks a directory, which is made where there is none, without opening what is in it.
pub(super) fn lock_directory(dir: &Path) -> Result<File, OpenError> {
    if !inspect::is_directory(dir)? {
        make_directory(dir)?;
    }
    new_lock(dir)
}

/// Locks the lock file if there is one.
fn existing_lock(dir: &Path) -> Result<Option<File>, OpenError> {
    let path = dir.join(LOCK);
    match OpenOptions::new().read(true).write(true).open(&path) {
        Ok(file) => lock(dir, file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::io(&path, error)),
    }
}

fn new_lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let file = options.mode(0o600).open(&path);
    lock(dir, file.map_err(|error| OpenError::io(&path, error))?)
}

fn lock(dir: &Path, file: File) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: dir.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(OpenError::io(&dir.join(LOCK), error)),
    }
}

/// Makes the file under another name and renames it once it is whole and on disk: whenever the
/// process is killed there is either no file or a good one.
fn create(dir: &Path, path: &Path) -> Result<u32, OpenError> {
    let unfinished = dir.join(UNFINISHED);
    let io = |error| OpenError::io(path, error);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    drop(options.open(&unfinished).map_err(io)?);
    build(&unfinished).map_err(|error| OpenError::sqlite(path, error))?;
    fs::rename(&unfinished, path).map_err(io)?;
    sync(Some(dir)).map_err(io)?;
    Ok(schema::version())
}

fn build(path: &Path) -> rusqlite::Result<()> {
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    // Half a file is thrown away, so it needs no journal.
    conn.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    schema::migrate(&conn, 0)?;
    conn.close().map_err(|(_, error)| error)
}

fn writer(path: &Path, version: u32) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    configure(&conn)?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // FULL syncs the log after each transaction (NORMAL does not, and may lose the last ones).
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "journal_size_limit", JOURNAL_BYTES)?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE)?;
    if version < schema::version() {
        schema::migrate(&conn, version)?;
        // So that the version in the file's header is the true one, for whoever looks there.
        conn.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()))?;
    }
    Ok(conn)
}

fn mover(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    configure(&conn)?;
    // The log is synced before its pages are moved, and they before the log begins anew.
    conn.pragma_update(None, "synchronous", "FULL")?;
    // The writer decides when; and what this one closes is never the last connection.
    conn.pragma_update(None, "wal_autocheckpoint", 0)?;
    conn.pragma_update(None, "query_only", true)?;
    Ok(conn)
}

fn readers(path: &Path) -> rusqlite::Result<Vec<Connection>> {
    let threads = thread::available_parallelism().map_or(2, NonZero::get);
    (0..threads.clamp(2, 4)).map(|_| reader(path)).collect()
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    configure(&conn)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -8_192)?;
    // Among millions of logins a look-up finds little of its way in that cache: no copies then.
    conn.pragma_update_and_check(None, "mmap_size", MAPPED_BYTES, |_| Ok(()))?;
    Ok(conn)
}

fn configure(conn: &Connection) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // A file that someone else altered must not run code of theirs or corrupt itself by SQL.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

/// Each connection belongs to one thread: no mutex is needed. No path is ever taken as a URI.
pub(super) fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// The file that SQLite keeps beside the main file.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
