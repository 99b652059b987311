//! Deeds of the SQL store that Redis has to hear of, whatever happens in between.

use std::{path::Path, time::Duration};

use symbolon_authority::ports::{Directory, Logins, Tail};
use symbolon_login::{Change, Position, Scope};
use symbolon_stores::{Bridged, Durability, Redis, Sqlite};
use tokio::time::timeout;

use crate::fixture::*;

async fn bridged(dir: &Path, server: &Server) -> Bridged<Sqlite> {
    let redis = Redis::connect(&server.url(), Durability::Disk)
        .await
        .unwrap();
    let sql = Sqlite::open(dir).unwrap();
    Bridged::new(sql, redis, NOW).await.unwrap()
}

async fn log(store: &impl Logins) -> Vec<Change> {
    match store.tail(Position::START, 100).await.unwrap() {
        Tail::Entries(entries) => entries.into_iter().map(|entry| entry.change).collect(),
        Tail::Reset => panic!("a gap"),
    }
}

fn cut_off(n: u64) -> Change {
    Change::CutOff {
        covers: Scope::User { user: user(n) },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_hears_of_what_was_committed_before_a_crash() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let store = bridged(dir.path(), &server).await;
    add_person(&store, 1).await;
    add_person(&store, 2).await;
    assert!(try_open(&store, 1, 1).await && try_open(&store, 2, 2).await);
    store.disable_user(user(2), NOW).await.unwrap();
    drop(store);
    // The process died after the commit and before Redis heard of it.
    let sql = Sqlite::open(dir.path()).unwrap();
    sql.disable_user(user(1), NOW).await.unwrap();
    sql.close().unwrap();
    let store = bridged(dir.path(), &server).await;
    assert!(!lives(&store, 1).await.unwrap());
    assert_eq!(log(&store).await, [cut_off(2), cut_off(1)]);
    drop(store);
    // Once is enough.
    let store = bridged(dir.path(), &server).await;
    assert_eq!(log(&store).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_hears_of_a_deed_as_soon_as_it_is_back() {
    let mut server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let store = bridged(dir.path(), &server).await;
    add_person(&store, 1).await;
    assert!(try_open(&store, 1, 1).await);
    server.kill();
    let told = store.disable_user(user(1), NOW).await.unwrap_err();
    assert!(told.to_string().contains("done and stored"), "{told}");
    let disabled = store.user(user(1)).await.unwrap().unwrap();
    assert_eq!(disabled.disabled_at, Some(NOW));
    assert!(lives(&store, 1).await.is_err(), "nobody can tell");
    server.restart();
    eventually("the deed is known", || async {
        lives(&store, 1).await == Ok(false)
    })
    .await;
    assert_eq!(log(&store).await, [cut_off(1)]);
    // Life goes on, and no deed is carried twice.
    let again = store.disable_user(user(1), NOW).await.unwrap().unwrap();
    assert_eq!((again.position, again.count), (Position::new(1, 2), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_lost_everything_begins_a_later_epoch() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let store = bridged(dir.path(), &server).await;
    add_person(&store, 1).await;
    assert!(try_open(&store, 1, 1).await);
    let before = store.end(Scope::User { user: user(9) }, NOW).await.unwrap();
    let _: String = server.ask(&["FLUSHALL"]);
    let told = lives(&store, 1).await.unwrap_err();
    assert!(told.contains("is gone"), "{told}");
    assert!(!try_open(&store, 1, 2).await);
    drop(store);
    let store = bridged(dir.path(), &server).await;
    let head = store.head().await.unwrap();
    assert!(head.epoch() > before.position.epoch());
    assert_eq!(store.tail(before.position, 1).await.unwrap(), Tail::Reset);
    assert!(!lives(&store, 1).await.unwrap() && try_open(&store, 1, 2).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_hears_of_a_deed_whose_request_was_given_up() {
    let server = Server::start(&[]);
    let dir = tempfile::tempdir().unwrap();
    let store = bridged(dir.path(), &server).await;
    add_person(&store, 1).await;
    assert!(try_open(&store, 1, 1).await);
    let _: String = server.ask(&["CLIENT", "PAUSE", "1500", "ALL"]);
    let given_up = timeout(Duration::from_millis(300), store.disable_user(user(1), NOW));
    assert!(given_up.await.is_err());
    let disabled = store.user(user(1)).await.unwrap().unwrap();
    assert_eq!(disabled.disabled_at, Some(NOW));
    eventually("the deed is known", || async {
        lives(&store, 1).await == Ok(false)
    })
    .await;
    assert_eq!(log(&store).await, [cut_off(1)]);
}
