//! A backup while the store is used, its restore, and what is dead afterwards.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, KeyChange, Logins, NewGrant, Open, StoredKey, Tail, Terms},
};
use symbolon_login::{
    Change, Digest, Grant, GrantId, KeyId, Login, LoginPolicy, Position, Scope, Sid, UnixMillis,
    UserId,
};
use symbolon_stores::{
    OpenError, RestoredLogins, Sqlite, back_up, restore,
    transfer::{Kind, Record, Source},
};

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

fn alice() -> UserId {
    UserId::mint(NOW, [1; 10])
}

async fn with_alice(dir: &Path) -> Sqlite {
    let store = Sqlite::open(dir).unwrap();
    let user = User {
        id: alice(),
        identifier: "alice".parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let hash = PasswordHash::from_phc("x".to_owned());
    store.add_user(user, hash).await.unwrap();
    store
}

fn random(n: u32) -> [u8; 10] {
    let mut random = [7; 10];
    random[..4].copy_from_slice(&n.to_be_bytes());
    random
}

async fn open(store: &Sqlite, n: u32) -> Grant {
    let login = Login {
        sid: Sid::mint(NOW, random(n)),
        user: alice(),
        authenticated_at: NOW,
        methods: Vec::new(),
        device: None,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, random(n)),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("test", &n.to_be_bytes()),
    };
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    match opened.unwrap() {
        Open::Opened(at) => at.grant,
        other => panic!("{other:?}"),
    }
}

/// Neither the grant nor its login has ended. None: the store does not know it.
async fn stands(store: &Sqlite, grant: &Grant) -> Option<bool> {
    let found = store.find(grant.id).await.unwrap()?;
    Some(found.login.ended_at.is_none() && found.grant.ended_at.is_none())
}

#[tokio::test]
async fn what_was_issued_after_the_backup_is_dead_and_nothing_else() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("symbolon.backup");
    let store = with_alice(dir.path()).await;
    let (before, ended) = (open(&store, 1).await, open(&store, 2).await);
    store
        .end(Scope::Login { sid: ended.sid }, NOW)
        .await
        .unwrap();
    let mark = store.mark_backup(NOW).await.unwrap();
    // The server goes on: nothing is locked.
    back_up(dir.path(), &file, |_, _| {}).unwrap();
    let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let after = open(&store, 3).await;
    store
        .end(Scope::Login { sid: before.sid }, NOW)
        .await
        .unwrap();
    // While it is in use, nobody puts another file in its place.
    let refused = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    let last = store.head().await.unwrap();
    store.close().unwrap();

    let later = NOW.plus(Duration::from_secs(60));
    let restored = restore(&file, dir.path(), RestoredLogins::Keep, later).unwrap();
    assert_eq!((restored.from, restored.ended), (mark, 0));
    assert!(restored.head > last, "positions never go back");
    let kept = restored.replaced.unwrap();
    assert!(kept.is_file(), "what was there is kept");

    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(store.head().await.unwrap(), restored.head);
    assert_eq!(stands(&store, &before).await, Some(true));
    assert_eq!(stands(&store, &ended).await, Some(false));
    assert_eq!(stands(&store, &after).await, None);
    // Guards that hold a verdict about the lost one learn that it is dead, and only that one.
    let cut_offs = store.snapshot(NOW).await.unwrap().cut_offs;
    let killed = |grant: &Grant| {
        cut_offs
            .iter()
            .any(|cut_off| cut_off.kills(&grant.subject(alice())))
    };
    assert!(killed(&after) && killed(&ended) && !killed(&before));
    store.close().unwrap();

    // The same backup once more: again a later epoch, whatever the clock says.
    let again = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap();
    assert!(again.head > restored.head);
    assert_eq!(again.head.number(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backup_under_load_is_one_moment() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Arc::new(with_alice(dir.path()).await);
    let over = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..8_u32)
        .map(|task| {
            let (store, over) = (Arc::clone(&store), Arc::clone(&over));
            tokio::spawn(async move {
                let mut n = task;
                while !over.load(Ordering::SeqCst) {
                    let grant = open(&store, n).await;
                    if n.is_multiple_of(3) {
                        store
                            .end(Scope::Login { sid: grant.sid }, NOW)
                            .await
                            .unwrap();
                    }
                    n += 8;
                }
                n / 8
            })
        })
        .collect();
    for round in 0..5 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let opened = open(&store, 1_000_000 + round).await;
        let mark = store.mark_backup(NOW).await.unwrap();
        let file = elsewhere.path().join(format!("{round}"));
        let (from, to) = (dir.path().to_owned(), file.clone());
        tokio::task::spawn_blocking(move || back_up(&from, &to, |_, _| {}).unwrap())
            .await
            .unwrap();
        let copy = tempfile::tempdir().unwrap();
        let restored = restore(&file, copy.path(), RestoredLogins::Keep, NOW).unwrap();
        assert!(restored.from >= mark);
        let copy = Sqlite::open(copy.path()).unwrap();
        // What was acknowledged before the call is in it.
        assert_eq!(stands(&copy, &opened).await, Some(true));
        // Its log is whole up to the head of that moment, and what it ended is ended.
        let log = copy.records(Kind::LogEntry, None, u32::MAX).await.unwrap();
        let mut expected = Position::START;
        for record in &log[..log.len() - 1] {
            let Record::LogEntry { entry, .. } = record else {
                panic!("asked for entries");
            };
            expected = expected.next();
            assert_eq!(entry.position, expected);
            if let Change::CutOff {
                covers: Scope::Login { sid },
            } = entry.change
            {
                let found = copy.login(sid).await.unwrap().unwrap();
                assert!(found.login.ended_at.is_some());
            }
        }
        assert_eq!(expected, restored.from);
    }
    over.store(true, Ordering::SeqCst);
    let mut rounds = 0;
    for task in load {
        rounds += task.await.unwrap();
    }
    assert!(rounds > 50, "hardly any load: {rounds}");
}

#[tokio::test]
async fn a_file_that_is_there_is_never_overwritten() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = with_alice(dir.path()).await;
    let file = elsewhere.path().join("b");
    fs::write(&file, "precious").unwrap();
    let refused = back_up(dir.path(), &file, |_, _| {}).unwrap_err();
    assert!(
        refused.to_string().contains("never overwritten"),
        "{refused}"
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
    drop(store);
}

#[tokio::test]
async fn what_is_no_backup_changes_nothing() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = with_alice(dir.path()).await;
    let grant = open(&store, 1).await;
    store.close().unwrap();
    let before = fs::read(dir.path().join("symbolon.db")).unwrap();
    let file = elsewhere.path().join("b");
    let refusals = [
        ("missing", None),
        (
            "text",
            Some(b"hello, this is no database at all".repeat(10)),
        ),
        ("cut short", Some(before[..before.len() / 2].to_vec())),
        ("empty", Some(Vec::new())),
    ];
    for (what, content) in refusals {
        if let Some(content) = content {
            fs::write(&file, content).unwrap();
        }
        let refused = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap_err();
        assert!(
            matches!(refused, OpenError::Damaged { .. }),
            "{what}: {refused}"
        );
        assert_eq!(
            fs::read(dir.path().join("symbolon.db")).unwrap(),
            before,
            "{what}"
        );
    }
    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(stands(&store, &grant).await, Some(true));
}

#[tokio::test]
async fn a_restore_takes_nothing_of_the_replaced_files_along() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("b");
    let store = with_alice(dir.path()).await;
    store.mark_backup(NOW).await.unwrap();
    back_up(dir.path(), &file, |_, _| {}).unwrap();
    let lost = open(&store, 1).await;
    // As after a kill: the newest data is in the write-ahead log, beside a main file without it.
    let killed = tempfile::tempdir().unwrap();
    for name in ["symbolon.db", "symbolon.db-wal"] {
        fs::copy(dir.path().join(name), killed.path().join(name)).unwrap();
    }
    restore(&file, killed.path(), RestoredLogins::Keep, NOW).unwrap();
    let restored = Sqlite::open(killed.path()).unwrap();
    assert_eq!(stands(&restored, &lost).await, None);
    let cut_offs = restored.snapshot(NOW).await.unwrap().cut_offs;
    assert_eq!(cut_offs.len(), 1);
    let Tail::Entries(log) = store.tail(Position::START, 9).await.unwrap() else {
        panic!("the log of the original is as it was");
    };
    assert_eq!(log[0].change, Change::BackedUp {});
}

#[tokio::test]
async fn a_restore_can_end_all_that_the_backup_knows() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("b");
    let store = with_alice(dir.path()).await;
    let grant = open(&store, 1).await;
    store.mark_backup(NOW).await.unwrap();
    back_up(dir.path(), &file, |_, _| {}).unwrap();
    store
        .end(Scope::Login { sid: grant.sid }, NOW)
        .await
        .unwrap();
    store.close().unwrap();
    let restored = restore(&file, dir.path(), RestoredLogins::End, NOW).unwrap();
    assert_eq!((restored.head.number(), restored.ended), (2, 1));
    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(stands(&store, &grant).await, Some(false));
    let cut_offs = store.snapshot(NOW).await.unwrap().cut_offs;
    assert!(
        cut_offs
            .iter()
            .any(|cut_off| cut_off.scope == Scope::Everything {})
    );
}

fn key(n: u32, kid: &str) -> StoredKey {
    StoredKey {
        kid: kid.parse().unwrap(),
        algorithm: "ES256".to_owned(),
        public_jwk: serde_json::json!({ "kid": kid }),
        sealed: vec![7; 48],
        created_at: NOW.plus(Duration::from_secs(n.into())),
    }
}

async fn kids(store: &Sqlite) -> Vec<String> {
    let keys = store.keys().await.unwrap();
    keys.iter().map(|key| key.kid.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_key_that_was_revoked_after_the_backup_does_not_come_back() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join("symbolon.backup");
    let store = with_alice(dir.path()).await;
    store.add_first_key(key(1, "stays"), NOW).await.unwrap();
    let change = |seen: &[&str]| KeyChange {
        seen: seen.iter().map(|kid| kid.parse().unwrap()).collect(),
        add: None,
        cut: None,
        retire: Vec::new(),
    };
    let add = KeyChange {
        add: Some(key(2, "stolen")),
        ..change(&["stays"])
    };
    store.change_keys(add, NOW).await.unwrap();
    let before = open(&store, 1).await;
    store.mark_backup(NOW).await.unwrap();
    back_up(dir.path(), &file, |_, _| {}).unwrap();
    let revoke = KeyChange {
        cut: Some("stolen".parse().unwrap()),
        ..change(&["stays", "stolen"])
    };
    store.change_keys(revoke, NOW).await.unwrap();
    assert_eq!(kids(&store).await, ["stays"]);
    store.close().unwrap();

    let restored = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap();
    assert_eq!(restored.withdrawn, Some(vec!["stolen".parse().unwrap()]));
    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(store.head().await.unwrap(), restored.head);
    assert_eq!(kids(&store).await, ["stays"]);
    assert_eq!(stands(&store, &before).await, Some(true));
    let cut_offs = store.snapshot(NOW).await.unwrap().cut_offs;
    let kid: KeyId = "stolen".parse().unwrap();
    let cut = cut_offs
        .iter()
        .any(|cut| cut.scope == (Scope::Key { kid: kid.clone() }));
    assert!(cut, "guards that hold it learn of it");
    store.close().unwrap();

    // On another machine, or over another authority, there is nothing to compare with.
    let (empty, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = Sqlite::open(other.path()).unwrap();
    store.add_first_key(key(1, "another's"), NOW).await.unwrap();
    store.close().unwrap();
    for dir in [&empty, &other] {
        let restored = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap();
        assert_eq!(restored.withdrawn, None);
        let store = Sqlite::open(dir.path()).unwrap();
        assert_eq!(kids(&store).await, ["stays", "stolen"]);
    }
}

/// Whatever its name: the keys are not compared then, and positions do not go back all the same.
#[tokio::test]
async fn a_backup_that_cannot_be_compared_lets_no_position_go_back() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = elsewhere.path().join(OsStr::from_bytes(b"backup-\xff"));
    let store = with_alice(dir.path()).await;
    store.mark_backup(NOW).await.unwrap();
    back_up(dir.path(), &file, |_, _| {}).unwrap();
    store.close().unwrap();
    let later = NOW.plus(Duration::from_secs(1_000));
    let first = restore(&file, dir.path(), RestoredLogins::Keep, later).unwrap();
    // The clock was set back: the epoch of the database that is there is what counts.
    let second = restore(&file, dir.path(), RestoredLogins::Keep, NOW).unwrap();
    assert!(second.head > first.head);
    assert_eq!(second.withdrawn, None);
}
