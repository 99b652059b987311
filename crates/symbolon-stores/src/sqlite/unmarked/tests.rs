//! Ends that no row says are ends all the same, and are marked before they are forgotten.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, time::Duration};

use futures_util::future::join_all;

use symbolon_authority::{
    PasswordHash, User,
    ports::{Directory, Join, Logins, NewGrant, Open, Terms},
};
use symbolon_login::{Digest, GrantId, LoginPolicy, UserId};

use super::*;
use crate::{Sqlite, sqlite::log};

const NOW: UnixMillis = UnixMillis::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86_400);

fn sid(n: u8) -> Sid {
    Sid::mint(NOW, [n; 10])
}

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

fn a_login(n: u8) -> (Login, NewGrant) {
    let login = Login {
        sid: sid(n),
        user: alice(),
        authenticated_at: NOW,
        methods: Vec::new(),
        device: None,
        expires_at: NOW.plus(30 * DAY),
        idle: None,
        remembered: true,
        ended_at: None,
    };
    let grant = NewGrant {
        id: GrantId::mint(NOW, [n; 10]),
        client_id: "app".parse().unwrap(),
        digest: Digest::of("test", &[n]),
    };
    (login, grant)
}

async fn open(store: &Sqlite, n: u8) {
    let (login, grant) = a_login(n);
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    assert!(matches!(opened.unwrap(), Open::Opened(_)));
}

async fn join(store: &Sqlite, n: u8, grant: u8) {
    let (_, grant) = a_login(grant);
    let joined = store.join(sid(n), grant, None, NOW).await;
    assert!(matches!(joined.unwrap(), Join::Granted(_)));
}

async fn end(store: &Sqlite, n: u8) -> u64 {
    let ended = store.end(Scope::Login { sid: sid(n) }, NOW).await;
    ended.unwrap().count
}

async fn living(store: &Sqlite) -> Vec<Sid> {
    let living = store.logins_of(alice(), NOW).await.unwrap();
    living.iter().map(|found| found.login.sid).collect()
}

/// How many rows say that they ended.
fn marks(dir: &Path) -> i64 {
    let conn = Connection::open(dir.join("symbolon.db")).unwrap();
    let sql = "SELECT count(*) FROM login WHERE ended_at IS NOT NULL";
    conn.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn an_end_that_no_row_says_holds_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    open(&store, 1).await;
    open(&store, 2).await;
    assert_eq!(end(&store, 1).await, 1);
    store.close().unwrap();
    for _ in 0..2 {
        assert_eq!(marks(dir.path()), 0, "this test is about an end without");
        let store = Sqlite::open(dir.path()).unwrap();
        assert_eq!(living(&store).await, [sid(2)]);
        let found = store.find(GrantId::mint(NOW, [1; 10])).await.unwrap();
        assert_eq!(found.unwrap().login.ended_at, Some(NOW));
        assert_eq!(end(&store, 1).await, 0);
        assert_eq!(store.end_own(alice(), sid(1), NOW).await.unwrap(), None);
        store.close().unwrap();
    }
    // A wide end asks the rows: by then they say it.
    let store = Sqlite::open(dir.path()).unwrap();
    let later = NOW.plus(DAY);
    let all = store.end(Scope::Everything {}, later).await.unwrap();
    assert_eq!((all.count, marks(dir.path())), (1, 2));
    let ended = store.login(sid(1)).await.unwrap().unwrap().login;
    assert_eq!(ended.ended_at, Some(NOW));
}

#[tokio::test]
async fn the_log_keeps_an_end_until_its_login_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    open(&store, 1).await;
    join(&store, 1, 2).await;
    end(&store, 1).await;
    end(&store, 9).await;
    // One row at a time: a further grant, the login, and only then the entry that ended it.
    for _ in 0..3 {
        let (login, entries) = (store.login(sid(1)).await, store.snapshot(NOW).await);
        let (login, entries) = (login.unwrap(), entries.unwrap().cut_offs.len());
        assert!(login.is_none_or(|found| found.login.ended_at.is_some()));
        assert_eq!(entries, 2);
        assert_eq!(store.sweep(NOW.plus(DAY), 1).await.unwrap(), 1);
    }
    assert!(store.login(sid(1)).await.unwrap().is_none());
    assert_eq!(store.sweep(NOW.plus(DAY), 9).await.unwrap(), 0);
    // The id is free. Its former end, were it still known, would be older than the new login.
    open(&store, 9).await;
    store.close().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(living(&store).await, [sid(9)]);
}

/// What the writer remembers beside it is read again, too: which ids of grants are not free.
#[tokio::test]
async fn the_id_of_a_further_grant_is_taken_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    open(&store, 1).await;
    join(&store, 1, 7).await;
    store.close().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    let (login, grant) = a_login(7);
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    let why = opened.unwrap_err().to_string();
    assert!(why.contains("that grant id is in use"), "{why}");
    assert_eq!(living(&store).await, [sid(1)]);
}

#[tokio::test]
async fn too_many_are_marked_and_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    for n in 0..200 {
        open(&store, n).await;
    }
    // In an order that is not that of the rows.
    for n in 0..200_u8 {
        end(&store, n.wrapping_mul(77) % 200).await;
    }
    for n in 0..200 {
        end(&store, n).await;
    }
    let mut looks = 0;
    while store.memory.unmarked.len() > 64 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        looks += 1;
        assert!(looks < 1_000, "{} are left", store.memory.unmarked.len());
    }
    assert!(marks(dir.path()) > 100);
    assert_eq!(living(&store).await, []);
    store.close().unwrap();
    let store = Sqlite::open(dir.path()).unwrap();
    assert_eq!(living(&store).await, []);
    for n in 0..200 {
        let found = store.login(sid(n)).await.unwrap().unwrap();
        assert_eq!(found.login.ended_at, Some(NOW), "{n}");
    }
    while store.sweep(NOW.plus(DAY), 50).await.unwrap() > 0 {}
    assert!(store.login(sid(7)).await.unwrap().is_none());
}

#[tokio::test]
async fn what_failed_ended_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    open(&store, 1).await;
    let failed: Result<(), _> = store
        .write(|tx| {
            log::end(tx, Scope::Login { sid: sid(1) }, NOW)?;
            Err(crate::sqlite::fault::Fault::unavailable("on purpose"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(living(&store).await, [sid(1)]);
    assert_eq!(end(&store, 1).await, 1);
}

#[tokio::test]
async fn who_was_enabled_by_what_failed_is_disabled() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    open(&store, 1).await;
    store.disable_user(alice(), NOW).await.unwrap();
    let failed: Result<(), _> = store
        .write(|tx| {
            tx.conn()
                .execute("UPDATE user SET disabled_at = NULL", [])?;
            tx.welcome().remember(alice(), None);
            Err(crate::sqlite::fault::Fault::unavailable("on purpose"))
        })
        .await;
    assert!(failed.is_err());
    let (login, grant) = a_login(2);
    let opened = store.open(login, grant, Terms::default(), NOW).await;
    assert!(matches!(opened.unwrap(), Open::UserGone));
    assert!(store.enable_user(alice()).await.unwrap());
    open(&store, 2).await;
}

#[test]
fn a_reading_that_was_torn_is_read_again() {
    let unmarked = Unmarked::default();
    let at = Position::new(1, 1);
    unmarked.add(Ends::from([((sid(1), at), NOW)]));
    let readings = Cell::new(0);
    let found = unmarked.read(|view| {
        readings.set(readings.get() + 1);
        // The row was read, and is marked before it is judged.
        let row_says = readings.get() > 1;
        if !row_says {
            unmarked.forget(at);
        }
        let memory_says = view.end_of(sid(1), Position::START).is_some();
        Ok(row_says || memory_says)
    });
    assert!(found.unwrap());
    assert_eq!(readings.get(), 2);
}

#[test]
fn only_what_is_older_than_an_end_is_ended() {
    let unmarked = Unmarked::default();
    unmarked.add(Ends::from([
        ((sid(1), Position::new(1, 3)), NOW),
        ((sid(1), Position::new(2, 1)), NOW.plus(DAY)),
    ]));
    let view = unmarked.view(None);
    let end = |n, rev| view.end_of(sid(n), rev);
    assert_eq!(end(1, Position::new(1, 2)), Some(NOW));
    assert_eq!(end(1, Position::new(1, 3)), Some(NOW.plus(DAY)));
    assert_eq!(end(1, Position::new(2, 1)), None);
    assert_eq!(end(2, Position::new(1, 2)), None);
}

/// After a start whose each login is gets read beside other work: what ends meanwhile ends once, and for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_beside_the_reading_of_the_rows_count_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = with_alice(dir.path()).await;
    for n in 0..240 {
        open(&store, n).await;
    }
    store.close().unwrap();
    // Those of others, so that reading takes a while.
    let conn = Connection::open(dir.path().join("symbolon.db")).unwrap();
    let sql = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 40000)
               INSERT INTO login (sid, user, authenticated_at, methods, expires_at, remembered)
               SELECT randomblob(16), zeroblob(16), 0, '[]', 4102444800000, 1 FROM n";
    conn.execute(sql, []).unwrap();
    drop(conn);
    let mut ended = 0;
    // The last time more end than are remembered while rows are read.
    for number in [1, 2, 3, 4, 5, 6, 7, 1, 2, 3, 60] {
        let store = Sqlite::open(dir.path()).unwrap();
        let these = ended..ended + number;
        let twice = these.clone().chain(these.clone());
        let counts = join_all(twice.map(|n| end(&store, n))).await;
        assert_eq!(counts.iter().sum::<u64>(), u64::from(number));
        ended += number;
        assert_eq!(living(&store).await.len(), 240 - usize::from(ended));
        for n in 0..ended {
            assert_eq!(end(&store, n).await, 0, "{n} came back");
        }
        store.close().unwrap();
    }
    let store = Sqlite::open(dir.path()).unwrap();
    let all = store.end(Scope::User { user: alice() }, NOW).await.unwrap();
    assert_eq!(all.count, 240 - u64::from(ended));
}
