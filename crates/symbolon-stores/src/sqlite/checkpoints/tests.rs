//! The log begins anew again and again while it is written to, and everything in it reaches the file.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{fs, path::Path, time::Duration};

use super::*;

fn open(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
        .unwrap();
    conn
}

fn create(path: &Path) -> Connection {
    let conn = open(path);
    conn.execute_batch("CREATE TABLE row (n INTEGER PRIMARY KEY, x BLOB)")
        .unwrap();
    conn
}

fn count(conn: &Connection) -> u32 {
    conn.query_row("SELECT count(*) FROM row", [], |row| row.get(0))
        .unwrap()
}

fn write(conn: &Connection, n: u32) {
    let row = "INSERT INTO row VALUES (?1, zeroblob(3000))";
    conn.execute(row, [n]).unwrap();
}

#[test]
fn the_log_begins_anew_while_it_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    let mut writer = create(&path);
    let checkpoints = Checkpoints::start(open(&path), &mut writer).unwrap();
    for n in 0..3_000 {
        write(&writer, n);
        if n % 16 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    // 3,000 rows are more than as many pages of 4 KiB.
    let log = fs::metadata(dir.path().join("x.db-wal")).unwrap().len();
    assert!(log < 3_000 * 4_096 / 2, "{log}");
    drop(checkpoints);
    writer.close().unwrap();
    assert_eq!(count(&open(&path)), 3_000);
}

#[test]
fn while_an_old_moment_is_read_the_log_grows_and_afterwards_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.db");
    let mut writer = create(&path);
    let _checkpoints = Checkpoints::start(open(&path), &mut writer).unwrap();
    let reader = open(&path);
    write(&writer, 0);
    let moment = reader.unchecked_transaction().unwrap();
    assert_eq!(count(&moment), 1);
    for n in 1..1_000 {
        write(&writer, n);
    }
    assert_eq!(count(&moment), 1);
    moment.rollback().unwrap();
    let log = dir.path().join("x.db-wal");
    let grown = fs::metadata(&log).unwrap().len();
    for n in 1_000..3_000 {
        write(&writer, n);
        if n % 16 == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    // Used again from its beginning, it does not grow by as much as was written.
    let now = fs::metadata(&log).unwrap().len();
    assert!(now < grown + 1_000 * 4_096, "{grown}, then {now}");
    assert_eq!(count(&reader), 3_000);
}

#[test]
fn the_thread_is_asked_once_and_the_writer_moves_what_is_left() {
    let shared = Arc::<Shared>::default();
    let mut watch = Watch::new(Arc::clone(&shared));
    let asked = |shared: &Shared| std::mem::take(&mut *shared.lock()) == Asked::Move;
    assert!(!watch.see(PAGES - 1) && !asked(&shared));
    assert!(!watch.see(PAGES) && asked(&shared));
    assert!(!watch.see(PAGES + 1) && !asked(&shared));
    shared.is_little.store(true, Ordering::Relaxed);
    // A look-up may be in the way.
    assert!(watch.see(PAGES + 2) && watch.see(PAGES + 3));
    // It has begun anew.
    assert!(!watch.see(1) && !watch.see(2));
    assert!(!watch.see(PAGES) && asked(&shared));
    assert!(!watch.see(PAGES + AGAIN) && asked(&shared));
    assert!(watch.see(TOO_MANY) && !watch.see(TOO_MANY + 1));
}
