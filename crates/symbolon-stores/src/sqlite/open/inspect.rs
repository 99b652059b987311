//! Whose file is it, and is it whole? Answered without changing a byte of it.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::{OpenError, beside, flags};
use crate::sqlite::schema::{self, APPLICATION_ID};

/// Up to this size a file is read and checked in full before it is opened.
const CHECKED_IN_FULL: u64 = 64 << 20;

/// What is in the place of the database.
#[derive(Clone, Copy)]
pub(in crate::sqlite) enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A whole file of ours.
    Ours {
        /// Its schema version, at most [`schema::version`].
        version: u32,
    },
}

/// Whether the directory is there. What is there and is no directory is refused.
pub(in crate::sqlite) fn is_directory(dir: &Path) -> Result<bool, OpenError> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => Err(OpenError::io(dir, io::ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OpenError::io(dir, error)),
    }
}

/// Looks at the file: its header first, byte by byte, then its content.
pub(in crate::sqlite) fn inspect(path: &Path) -> Result<Found, OpenError> {
    let pending = ["-wal", "-journal"]
        .into_iter()
        .find(|ending| fs::metadata(beside(path, ending)).is_ok_and(|file| file.len() > 0));
    let header = header(path)?;
    let Some((header, length)) = header else {
        // SQLite would apply the orphan to a new file: never, for it belongs to another one.
        return match pending {
            None => Ok(Found::Nothing),
            Some(ending) => Err(OpenError::damaged(
                path,
                format!("it is missing or empty, but its {ending} file is there"),
            )),
        };
    };
    let version = whose(path, &header)?;
    let whole = if pending.is_some() {
        after_a_hard_stop(path, length)
    } else if length < expected_length(&header) {
        return Err(OpenError::damaged(path, "its end is missing"));
    } else {
        untouched(path, length)
    };
    match whole {
        Ok(answer) if answer == "ok" => Ok(Found::Ours { version }),
        // The answer has a heading and a line for each finding.
        Ok(answer) => Err(OpenError::damaged(path, answer.replace('\n', " "))),
        Err(error) => Err(OpenError::sqlite(path, error)),
    }
}

/// The header of SQLite's file format (sqlite.org/fileformat2.html, section 1.3).
type Header = [u8; 100];

/// The first 100 bytes and the length. None: there is no file, or it is empty.
fn header(path: &Path) -> Result<Option<(Header, u64)>, OpenError> {
    let refused = |error| OpenError::io(path, error);
    // Under a second name the file could be opened twice, each time with a lock of its own, and
    // there would be two writers.
    if fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink()) {
        return Err(OpenError::no_access(path, "it is a symbolic link"));
    }
    // For writing too: what cannot be written is refused now, not at the first write.
    let file = OpenOptions::new().read(true).write(true).open(path);
    let mut file: File = match file {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(error)),
    };
    let found = file.metadata().map_err(refused)?;
    if !found.is_file() {
        return Err(OpenError::no_access(path, "it is not a regular file"));
    }
    if found.len() == 0 {
        return Ok(None);
    }
    let mut header = [0; 100];
    match file.read_exact(&mut header) {
        Ok(()) => Ok(Some((header, found.len()))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(OpenError::damaged(
            path,
            "it is shorter than the header of a database",
        )),
        Err(error) => Err(refused(error)),
    }
}

/// Checks the marks of the header. Gives the schema version.
fn whose(path: &Path, header: &Header) -> Result<u32, OpenError> {
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::damaged(path, "it is not a database"));
    }
    if field(header, 68) != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    let (found, ours) = (field(header, 60), schema::version());
    match found {
        0 => Err(OpenError::damaged(path, "its schema has no version")),
        _ if found > ours => Err(OpenError::Newer {
            path: path.to_owned(),
            found,
            ours,
        }),
        _ => Ok(found),
    }
}

/// The length of the whole file. SQLite itself takes a missing end of the last page for zeros.
fn expected_length(header: &Header) -> u64 {
    let page_size = match field(header, 16) >> 16 {
        1 => 65_536,
        size => size,
    };
    u64::from(page_size) * u64::from(field(header, 28))
}

/// A big-endian number of the header.
fn field(header: &Header, at: usize) -> u32 {
    let bytes = header.iter().skip(at).take(4);
    bytes.fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Checks a file that was closed in order, as one that nobody changes: no lock, no file beside it.
fn untouched(path: &Path, length: u64) -> rusqlite::Result<String> {
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let conn = Connection::open_with_flags(immutable_uri(path), flags(access))?;
    check(&conn, length)
}

/// Checks a file with changes pending beside it. Exclusive mode keeps the index of the write-ahead
/// log in memory, and without the checkpoint at the end all files stay as they were.
fn after_a_hard_stop(path: &Path, length: u64) -> rusqlite::Result<String> {
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    conn.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    check(&conn, length)
}

fn check(conn: &Connection, length: u64) -> rusqlite::Result<String> {
    if length < CHECKED_IN_FULL {
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
    } else {
        let schema = "SELECT count(*) FROM sqlite_schema";
        conn.query_row(schema, [], |_| Ok("ok".to_owned()))
    }
}

/// The URI of a file that is not changed by anyone (sqlite.org/uri.html, section 3.3).
fn immutable_uri(path: &Path) -> String {
    let absolute = path.is_absolute();
    let mut uri = String::from(if absolute { "file://" } else { "file:" });
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str("?immutable=1");
    uri
}
