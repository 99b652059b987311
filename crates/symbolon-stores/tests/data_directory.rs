//! Opening a data directory: made when missing, refused when it is not ours, and then left as it is.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
    time::SystemTime,
};

use rusqlite::Connection;
use symbolon_authority::ports::{Directory, Logins};
use symbolon_login::{Position, Scope, UnixMillis};
use symbolon_stores::{OpenError, Sqlite};
use tempfile::TempDir;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const DATABASE: &str = "symbolon.db";

/// Everything about a place that a refusal must not change.
fn look(place: &Path) -> BTreeMap<PathBuf, (u32, SystemTime, Option<Vec<u8>>)> {
    let mut seen = BTreeMap::new();
    let mut places = vec![place.to_owned()];
    while let Some(place) = places.pop() {
        let found = fs::symlink_metadata(&place).unwrap();
        let content = found.is_file().then(|| fs::read(&place).unwrap());
        if found.is_dir() {
            places.extend(
                fs::read_dir(&place)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
        let (mode, changed) = (found.permissions().mode(), found.modified().unwrap());
        seen.insert(place, (mode, changed, content));
    }
    seen
}

/// The refusal of a place, after which everything is as it was.
fn refused(dir: &Path, around: &Path) -> OpenError {
    let before = look(around);
    let error = Sqlite::open(dir).err().expect("a refusal");
    assert_eq!(before, look(around), "changed by a refusal");
    let line = error.to_string();
    assert!(
        !line.contains('\n') && line.contains(dir.to_str().unwrap()),
        "{line}"
    );
    error
}

/// A directory with some data that was closed in order. The lock file is taken away: a refusal
/// must not bring it back.
async fn a_data_directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    fill(&store).await;
    store.close().unwrap();
    fs::remove_file(dir.path().join("symbolon.lock")).unwrap();
    assert_eq!(names(dir.path()), [DATABASE]);
    dir
}

async fn fill(store: &Sqlite) {
    for n in 0..200 {
        store.mark(&format!("mark {n}")).await.unwrap();
    }
    store.end(Scope::Everything {}, NOW).await.unwrap();
}

/// The same as if the process had been killed: the newest data is in the write-ahead log only.
async fn a_directory_after_a_hard_stop() -> TempDir {
    let running = tempfile::tempdir().unwrap();
    let store = Sqlite::open(running.path()).unwrap();
    fill(&store).await;
    let stopped = tempfile::tempdir().unwrap();
    for name in [DATABASE, "symbolon.db-wal", "symbolon.db-shm"] {
        fs::copy(running.path().join(name), stopped.path().join(name)).unwrap();
    }
    stopped
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut content = fs::read(path).unwrap();
    change(&mut content);
    fs::write(path, content).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_missing_directory_is_made_for_its_owner_alone() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("a/b");
    let store = Sqlite::open(&dir).unwrap();
    fill(&store).await;
    assert_eq!((mode(&dir), mode(&place.path().join("a"))), (0o700, 0o700));
    for name in names(&dir) {
        assert_eq!(mode(&dir.join(&name)), 0o600, "{name}");
    }
    store.close().unwrap();
    assert_eq!(names(&dir), [DATABASE, "symbolon.lock"]);
}

#[tokio::test]
async fn what_was_written_is_there_tomorrow() {
    for dir in [
        a_data_directory().await,
        a_directory_after_a_hard_stop().await,
    ] {
        for _ in 0..2 {
            let store = Sqlite::open(dir.path()).unwrap();
            assert!(store.is_marked("mark 199").await.unwrap());
            assert_eq!(store.head().await.unwrap(), Position::new(1, 1));
            assert_eq!(*store.wake().borrow(), Position::new(1, 1));
        }
    }
}

#[tokio::test]
async fn an_empty_file_and_an_unfinished_one_are_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join(DATABASE), b"").unwrap();
    fs::write(dir.path().join("symbolon.db-wal"), b"").unwrap();
    fs::write(dir.path().join("symbolon.db.new"), b"half of it").unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    fill(&store).await;
    assert!(!names(dir.path()).contains(&"symbolon.db.new".to_owned()));
}

#[tokio::test]
async fn any_path_will_do() {
    let place = tempfile::tempdir().unwrap();
    let odd = [
        OsStr::new("a b?c#d%41&immutable=0"),
        OsStr::new("자료"),
        OsStr::from_bytes(b"\xff\xfe"),
    ];
    for odd in odd {
        let dir = place.path().join(odd);
        for _ in 0..2 {
            let store = Sqlite::open(&dir).unwrap();
            store.mark("x").await.unwrap();
            store.close().unwrap();
        }
        assert!(dir.join(DATABASE).is_file());
    }
}

#[tokio::test]
async fn a_directory_in_use_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    fill(&store).await;
    let error = refused(dir.path(), dir.path());
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    assert!(store.is_marked("mark 1").await.unwrap());
    drop(store);
    Sqlite::open(dir.path()).expect("free again");
}

#[tokio::test]
async fn a_newer_file_is_refused() {
    for dir in [
        a_data_directory().await,
        a_directory_after_a_hard_stop().await,
    ] {
        change(&dir.path().join(DATABASE), |file| {
            file.splice(60..64, 99_u32.to_be_bytes());
        });
        let error = refused(dir.path(), dir.path());
        let newer = OpenError::Newer {
            path: dir.path().join(DATABASE),
            found: 99,
            ours: 3,
        };
        assert_eq!(error.to_string(), newer.to_string());
    }
}

#[test]
fn a_database_of_another_application_is_refused() {
    for setup in [
        "",
        "PRAGMA application_id = 1;",
        "PRAGMA journal_mode = WAL;",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let other = Connection::open(dir.path().join(DATABASE)).unwrap();
        other.execute_batch(setup).unwrap();
        other.execute_batch("CREATE TABLE t (a)").unwrap();
        other.close().unwrap();
        let error = refused(dir.path(), dir.path());
        assert!(matches!(error, OpenError::Foreign { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    type Damage = fn(&mut Vec<u8>);
    let damages: [(&str, Damage); 7] = [
        ("noise", |file| file.fill(0x5a)),
        ("another format", |file| {
            file.splice(0..6, *b"SQLITE");
        }),
        ("shorter than a header", |file| file.truncate(50)),
        ("cut in the middle", |file| file.truncate(file.len() / 2)),
        ("cut by a few bytes", |file| file.truncate(file.len() - 100)),
        ("a page overwritten", |file| {
            let page = 4096..8192;
            file.splice(page.clone(), page.map(|_| 0xff));
        }),
        ("no version", |file| {
            file.splice(60..64, [0; 4]);
        }),
    ];
    for (what, damage) in damages {
        let dir = a_data_directory().await;
        change(&dir.path().join(DATABASE), damage);
        let error = refused(dir.path(), dir.path());
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{what}: {error}"
        );
    }
}

#[tokio::test]
async fn a_file_damaged_before_a_hard_stop_is_refused() {
    let dir = a_directory_after_a_hard_stop().await;
    // The last pages are not in the write-ahead log: nothing has touched those tables.
    change(&dir.path().join(DATABASE), |file| {
        let page = file.len() - 8192..file.len();
        file.splice(page.clone(), page.map(|_| 0xff));
    });
    let error = refused(dir.path(), dir.path());
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn a_write_ahead_log_without_its_file_is_refused() {
    for empty in [false, true] {
        let dir = a_directory_after_a_hard_stop().await;
        let database = dir.path().join(DATABASE);
        fs::remove_file(&database).unwrap();
        if empty {
            fs::write(&database, b"").unwrap();
        }
        let error = refused(dir.path(), dir.path());
        assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    }
}

#[test]
fn what_is_no_directory_or_no_file_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, b"x").unwrap();
    for dir in [&file, &file.join("below")] {
        let error = refused(dir, place.path());
        assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
    }
    let linked = place.path().join("linked");
    fs::create_dir(&linked).unwrap();
    for target in [&file, Path::new("nowhere")] {
        symlink(target, linked.join(DATABASE)).unwrap();
        let error = refused(&linked, place.path());
        assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
        fs::remove_file(linked.join(DATABASE)).unwrap();
    }
    let dir = place.path().join("dir");
    fs::create_dir_all(dir.join(DATABASE)).unwrap();
    let error = refused(&dir, place.path());
    assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn what_may_not_be_read_or_written_is_refused() {
    let dir = a_data_directory().await;
    let database = dir.path().join(DATABASE);
    fs::set_permissions(&database, fs::Permissions::from_mode(0o400)).unwrap();
    // For the superuser there is no such thing.
    if fs::OpenOptions::new().write(true).open(&database).is_err() {
        let error = refused(dir.path(), dir.path());
        assert!(matches!(error, OpenError::Unreadable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_migration_that_another_build_applied_is_refused() {
    let dir = a_data_directory().await;
    let conn = Connection::open(dir.path().join(DATABASE)).unwrap();
    let changed = "UPDATE migration SET checksum = 'another' WHERE number = 1";
    assert_eq!(conn.execute(changed, []).unwrap(), 1);
    conn.close().unwrap();
    let error = Sqlite::open(dir.path()).err().expect("a refusal");
    assert!(
        matches!(error, OpenError::Changed { number: 1, .. }),
        "{error}"
    );
}

#[test]
fn what_would_be_applied_is_told_without_applying_it() {
    let around = tempfile::tempdir().unwrap();
    let dir = around.path().join("data");
    let pending = symbolon_stores::pending_migrations(&dir).unwrap();
    assert_eq!(pending[0].number, 1);
    assert!(!dir.exists());
    Sqlite::open(&dir).unwrap().close().unwrap();
    let before = look(&dir);
    assert!(
        symbolon_stores::pending_migrations(&dir)
            .unwrap()
            .is_empty()
    );
    assert_eq!(before, look(&dir));
}
