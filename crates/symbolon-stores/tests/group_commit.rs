//! How much reaches the disk: many writers share a transaction, uses that were only seen cost next
//! to nothing.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{sync::Arc, time::Duration};

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, Logins, NewGrant, Open, Terms},
};
use symbolon_login::{
    Digest, GrantId, Login, LoginPolicy, Position, Scope, Sid, UnixMillis, UserId,
};
use symbolon_stores::Sqlite;
use tokio::task::JoinSet;

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);

async fn open_login(store: &Sqlite) -> GrantId {
    let user = User {
        id: UserId::mint(NOW, [1; 10]),
        identifier: "alice".parse().unwrap(),
        roles: Vec::new(),
        policy: LoginPolicy::default(),
        created_at: NOW,
        disabled_at: None,
    };
    let login = Login {
        sid: Sid::mint(NOW, [1; 10]),
        user: user.id,
        authenticated_at: NOW,
        methods: Vec::new(),
        device: None,
        expires_at: NOW.plus(Duration::from_secs(86_400)),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, [1; 10]),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("test", b"x"),
    };
    let id = grant.id;
    let password = PasswordHash::from_phc("x".to_owned());
    store.add_user(user, password).await.unwrap();
    match store
        .open(login, grant, Terms::default(), NOW)
        .await
        .unwrap()
    {
        Open::Opened(_) => id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_share_few_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Sqlite::open(dir.path()).unwrap());
    let mut writers = JoinSet::new();
    for n in 0..200_u8 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for round in 0..10_u8 {
                let mut random = [n; 10];
                random[0] = round;
                let sid = Sid::mint(NOW, random);
                store.end(Scope::Login { sid }, NOW).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let statistics = store.statistics();
    assert_eq!(statistics.requests, 2000);
    assert!(statistics.commits <= 200, "{statistics:?}");
    assert_eq!(store.head().await.unwrap(), Position::new(1, 2000));
}

#[tokio::test]
async fn a_thousand_uses_are_one_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    let grant = open_login(&store).await;
    let before = store.statistics();
    for second in 0..1000 {
        let now = NOW.plus(Duration::from_secs(60) + Duration::from_millis(second));
        store.touch(grant, now).await.unwrap();
    }
    // None of them waited for the disk; the next write takes one along.
    assert!(store.statistics().touches <= before.touches + 1);
    store.mark("after").await.unwrap();
    for second in 0..1000 {
        let now = NOW.plus(Duration::from_secs(62) + Duration::from_millis(second));
        store.touch(grant, now).await.unwrap();
    }
    store.mark("later").await.unwrap();
    let after = store.statistics();
    assert_eq!(after.touches, before.touches + 1);
    assert!(after.commits <= before.commits + 3, "{after:?}");
}

#[tokio::test]
async fn a_use_that_waits_is_written_when_the_store_closes() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    let grant = open_login(&store).await;
    let later = NOW.plus(Duration::from_secs(600));
    store.touch(grant, later).await.unwrap();
    store.close().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    let found = store.find(grant).await.unwrap().unwrap();
    assert_eq!(found.grant.used_at, later);
}

#[tokio::test]
async fn a_use_is_written_even_when_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    let grant = open_login(&store).await;
    let later = NOW.plus(Duration::from_secs(600));
    store.touch(grant, later).await.unwrap();
    let written = async {
        while store.statistics().touches == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, written).await.unwrap();
    let found = store.find(grant).await.unwrap().unwrap();
    assert_eq!(found.grant.used_at, later);
}

#[test]
fn the_bundled_sqlite_is_compiled_to_sync_data_only() {
    // The switch for `fdatasync` is not among the options that SQLite lists, but it comes the same way
    // as one that is.
    let flags = option_env!("LIBSQLITE3_FLAGS").unwrap_or_default();
    assert!(
        flags
            .split_whitespace()
            .any(|flag| flag == "-DHAVE_FDATASYNC=1"),
        "{flags:?}: build inside the repository, whose .cargo/config.toml sets it"
    );
    let conn = rusqlite::Connection::open_in_memory().unwrap();
    let options: Vec<String> = conn
        .prepare("PRAGMA compile_options")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for in_force in ["DEFAULT_MEMSTATUS=0", "THREADSAFE=1"] {
        assert!(
            options.iter().any(|option| option == in_force),
            "{options:?}"
        );
    }
}
