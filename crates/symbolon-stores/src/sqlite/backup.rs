//! A copy of the file while it is in use, and what follows when such a copy takes the file's place.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
};
use symbolon_login::{Change, KeyId, Position, Scope, UnixMillis};

use super::{
    OpenError,
    columns::text,
    fault::Work,
    log,
    memory::Memory,
    open::{DATABASE, UNFINISHED, beside, flags, inspect, lock_directory, sync},
    writer::Transaction,
};

/// Pages copied before progress is told.
const BITE: i32 = 4_096;
/// What is added to the name of a backup until it is whole.
const DRAFT: &str = ".part";

/// What becomes of the logins that a backup holds. Those that ended after it was taken live in it:
/// it knows nothing of their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredLogins {
    /// They go on: nobody who was signed in when the backup was taken has to sign in again.
    Keep,
    /// All of them are ended: nothing that ended since comes back.
    End,
}

/// What a restore did.
#[derive(Debug, PartialEq, Eq)]
pub struct Restored {
    /// The head of the log in the backup.
    pub from: Position,
    /// The head now: the first entry of a new epoch.
    pub head: Position,
    /// What was ended: grants that may be younger than the backup's mark, and with
    /// [`RestoredLogins::End`] all logins.
    pub ended: u64,
    /// Signing keys of the backup that the database which was there had withdrawn since: they stay so.
    /// None: there was no database of that authority to compare with.
    pub withdrawn: Option<Vec<KeyId>>,
    /// Where the database that was there has gone, if one was.
    pub replaced: Option<PathBuf>,
}

/// What a restore has to know of the database that it replaces.
struct Known {
    head: Position,
    /// Its signing keys, if the backup is one of it.
    keys: Option<Vec<KeyId>>,
}

/// Copies the database of `dir` into the new file `to` (mode 0600), as of one moment after the call,
/// whether or not a server uses it. Call [`symbolon_authority::ports::Logins::mark_backup`] right before.
///
/// `tell` hears how many pages of how many are copied. The file gets its name once it is whole and
/// on disk; one that is there is never overwritten. Gives the head of the log that it holds: below the
/// mark it is the copy of another database. Blocks.
pub fn back_up(
    dir: &Path,
    to: &Path,
    mut tell: impl FnMut(u64, u64),
) -> Result<Position, OpenError> {
    let path = dir.join(DATABASE);
    let source = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let source = Connection::open_with_flags(&path, flags(source));
    let source = source.map_err(|error| OpenError::sqlite(&path, error))?;
    let refused = |error| OpenError::sqlite(&path, error);
    source
        .busy_timeout(Duration::from_secs(5))
        .map_err(refused)?;
    source
        .pragma_update(None, "query_only", true)
        .map_err(refused)?;
    // An open read transaction holds one moment still, whatever is written meanwhile.
    let moment = source.unchecked_transaction().map_err(refused)?;
    let head = log::head(&moment).map_err(|fault| OpenError::store(&path, fault.into()))?;
    if to.try_exists().map_err(|error| OpenError::io(to, error))? {
        return Err(OpenError::there(to));
    }
    let draft = beside(to, DRAFT);
    let copied = copy_pages(&moment, &draft, &mut tell).and_then(|()| {
        // A link is never laid over a file that is there.
        fs::hard_link(&draft, to).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => OpenError::there(to),
            _ => OpenError::io(to, error),
        })?;
        sync(to.parent().filter(|parent| *parent != Path::new("")))
            .map_err(|error| OpenError::io(to, error))
    });
    let removed = fs::remove_file(&draft);
    copied?;
    removed.map_err(|error| OpenError::io(&draft, error))?;
    Ok(head)
}

fn copy_pages(
    source: &Connection,
    draft: &Path,
    tell: &mut impl FnMut(u64, u64),
) -> Result<(), OpenError> {
    make_file(draft)?;
    let refused = |error| OpenError::sqlite(draft, error);
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let mut copy = Connection::open_with_flags(draft, flags(access)).map_err(refused)?;
    {
        let backup = Backup::new(source, &mut copy).map_err(refused)?;
        loop {
            let step = backup.step(BITE).map_err(refused)?;
            let at = backup.progress();
            let pages = |pages: i32| u64::try_from(pages).unwrap_or(0);
            tell(pages(at.pagecount - at.remaining), pages(at.pagecount));
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // The file being written is nobody else's, the source is held still.
                _ => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
    // One file: the copy needs no write-ahead log beside it.
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
        .map_err(refused)?;
    copy.close().map_err(|(_, error)| refused(error))?;
    File::open(draft)
        .and_then(|file| file.sync_all())
        .map_err(|error| OpenError::io(draft, error))
}

/// Puts the backup `file` in the place of the database of `dir`, in a new epoch: whatever was issued
/// after the backup was taken is dead, and positions never go back.
///
/// A signing key of the backup that the database which is there has no more does not come back: it may
/// have been revoked. A database that is there is kept under another name. Refused while a server uses the directory.
/// Until the last step nothing of `dir` has changed. Blocks.
pub fn restore(
    file: &Path,
    dir: &Path,
    logins: RestoredLogins,
    now: UnixMillis,
) -> Result<Restored, OpenError> {
    if let inspect::Found::Nothing = inspect::inspect(file)? {
        return Err(OpenError::damaged(file, "it is missing or empty"));
    }
    let _lock = lock_directory(dir)?;
    let path = dir.join(DATABASE);
    let known = known(&path, file)?;
    let draft = dir.join(UNFINISHED);
    let io = |error| OpenError::io(&draft, error);
    match fs::remove_file(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    make_file(&draft)?;
    fs::copy(file, &draft).map_err(io)?;
    let begun = begin_epoch(&draft, known.as_ref(), logins, now)?;
    File::open(&draft)
        .and_then(|file| file.sync_all())
        .map_err(io)?;
    let replaced = set_aside(&path, now)?;
    fs::rename(&draft, &path).map_err(io)?;
    sync(Some(dir)).map_err(io)?;
    Ok(Restored { replaced, ..begun })
}

/// What the database that is about to be replaced knows. None: there is none, or it cannot be read; a
/// damaged file is what restores are for.
fn known(path: &Path, backup: &Path) -> Result<Option<Known>, OpenError> {
    let there = path.try_exists();
    if !there.map_err(|error| OpenError::io(path, error))? {
        return Ok(None);
    }
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let known = Connection::open_with_flags(path, flags(access))
        .map_err(Into::into)
        .and_then(|conn| {
            let head = log::head(&conn)?;
            // That the keys cannot be compared must not make positions go back.
            let keys = keys_beside(&conn, backup).ok().flatten();
            Ok(Known { head, keys })
        });
    let known: Work<Known> = known;
    Ok(known.ok())
}

/// The signing keys of a database, if the backup is one of it: they share a person or a key.
fn keys_beside(conn: &Connection, backup: &Path) -> Work<Option<Vec<KeyId>>> {
    let Some(backup) = backup.to_str() else {
        return Ok(None);
    };
    conn.execute("ATTACH ?1 AS backup", [backup])?;
    let sql = "SELECT EXISTS (SELECT 1 FROM main.signing_key JOIN backup.signing_key USING (kid))
               OR EXISTS (SELECT 1 FROM main.user JOIN backup.user USING (id))";
    let is_same = conn.query_row(sql, [], |row| row.get(0))?;
    if is_same {
        keys(conn).map(Some)
    } else {
        Ok(None)
    }
}

fn keys(conn: &Connection) -> Work<Vec<KeyId>> {
    let mut keys = conn.prepare("SELECT kid FROM main.signing_key")?;
    let keys = keys.query_map([], |row| text(row, 0))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Begins the epoch in the draft.
fn begin_epoch(
    draft: &Path,
    known: Option<&Known>,
    logins: RestoredLogins,
    now: UnixMillis,
) -> Result<Restored, OpenError> {
    let refused = |error| OpenError::sqlite(draft, error);
    let access = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let conn = Connection::open_with_flags(draft, flags(access)).map_err(refused)?;
    conn.pragma_update(None, "synchronous", "FULL")
        .map_err(refused)?;
    let store = |fault: super::fault::Fault| OpenError::store(draft, fault.into());
    let open = conn.unchecked_transaction().map_err(refused)?;
    let from = log::head(&open).map_err(store)?;
    let memory = Memory::load(&open).map_err(store)?;
    let mut transaction = Transaction::on(&open, from, &memory);
    let known_head = known.map(|known| known.head);
    let mut ended = log::begin_epoch(&mut transaction, known_head, now).map_err(store)?;
    let kept = known.and_then(|known| known.keys.as_deref());
    let withdrawn = kept.map(|kept| withdraw(&mut transaction, kept, now));
    let withdrawn = withdrawn.transpose().map_err(store)?;
    ended.position = transaction.head();
    if logins == RestoredLogins::End {
        let all = log::end(&mut transaction, Scope::Everything {}, now).map_err(store)?;
        ended.position = all.position;
        ended.count += all.count;
    }
    drop(transaction);
    open.commit().map_err(refused)?;
    conn.close().map_err(|(_, error)| refused(error))?;
    Ok(Restored {
        from,
        head: ended.position,
        ended: ended.count,
        withdrawn,
        replaced: None,
    })
}

/// Removes and cuts off all keys but `kept`. Gives which.
fn withdraw(tx: &mut Transaction<'_>, kept: &[KeyId], now: UnixMillis) -> Work<Vec<KeyId>> {
    let mut keys = keys(tx.conn())?;
    keys.retain(|kid| !kept.contains(kid));
    for kid in &keys {
        let sql = "DELETE FROM signing_key WHERE kid = ?1";
        tx.conn().execute(sql, [kid.as_str()])?;
        log::end(tx, Scope::Key { kid: kid.clone() }, now)?;
        tx.append(&Change::KeyRetired { kid: kid.clone() }, now)?;
    }
    Ok(keys)
}

/// Gives the database another name, with what belongs to it. Gives the name, if there was one.
fn set_aside(path: &Path, now: UnixMillis) -> Result<Option<PathBuf>, OpenError> {
    let aside = beside(path, &format!(".replaced-{}", now.as_millis()));
    let mut replaced = None;
    // The main file first: a start refuses what is left without it. What an earlier restore that was
    // cut short has left goes, too: SQLite would take it for the new file's own.
    for ending in ["", "-wal", "-shm"] {
        let (from, to) = (beside(path, ending), beside(&aside, ending));
        match fs::rename(&from, &to) {
            Ok(()) if ending.is_empty() => replaced = Some(aside.clone()),
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(OpenError::io(&from, error)),
        }
    }
    Ok(replaced)
}

fn make_file(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(OpenError::there(path)),
        Err(error) => Err(OpenError::io(path, error)),
    }
}
