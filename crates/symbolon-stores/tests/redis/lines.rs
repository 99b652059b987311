//! Lines that are cut and servers that restart: what was acknowledged holds, and the store comes back by itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use symbolon_authority::ports::{Logins, Tail};
use symbolon_login::Scope;
use symbolon_stores::{Durability, Redis};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

use crate::fixture::*;

/// A line to a server that breaks after so many bytes of answers.
struct Line {
    port: u16,
    left: Arc<AtomicI64>,
}

impl Line {
    async fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let answers = Arc::clone(&left);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&answers)));
            }
        });
        Self { port, left }
    }
}

async fn carry(client: TcpStream, server: u16, left: Arc<AtomicI64>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let questions = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut answer = [0; 4096];
    while let Ok(length @ 1..) = from_server.read(&mut answer).await {
        let before = left.fetch_sub(i64::try_from(length).unwrap(), Ordering::SeqCst);
        let sent = usize::try_from(before.max(0)).unwrap().min(length);
        if to_client.write_all(&answer[..sent]).await.is_err() || sent < length {
            break;
        }
    }
    questions.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_on_a_line_cut_in_mid_answer_never_says_a_false_yes() {
    let server = Server::start(&[]);
    let line = Line::to(server.port).await;
    let url = format!("redis://127.0.0.1:{}", line.port);
    let cut = Redis::connect(&url, Durability::Disk).await.unwrap();
    let whole = Redis::connect(&server.url(), Durability::Disk)
        .await
        .unwrap();
    let (mut acknowledged, mut lost) = (0, 0);
    for n in 0..60 {
        assert!(try_open(&whole, 1, n).await);
        // Anywhere in the answer, or between two.
        line.left
            .store(i64::try_from(n * 7 % 61).unwrap(), Ordering::SeqCst);
        let ended = cut.end(Scope::Login { sid: sid(n) }, NOW).await;
        match ended {
            Ok(_) => acknowledged += 1,
            Err(_) => lost += 1,
        }
        let seen = lives(&cut, n).await;
        if ended.is_ok() {
            assert!(seen != Ok(true), "login {n}");
            assert_eq!(lives(&whole, n).await, Ok(false), "login {n}");
        }
        // What the one saw, the other sees: a cut answer is never taken for another's.
        if let Ok(seen) = seen {
            assert_eq!(lives(&whole, n).await, Ok(seen), "login {n}");
        }
        line.left.store(i64::MAX, Ordering::SeqCst);
        let end_again = || async { cut.end(Scope::Login { sid: sid(n) }, NOW).await.is_ok() };
        eventually("the line is used again", end_again).await;
        assert_eq!(lives(&whole, n).await, Ok(false));
    }
    assert!(acknowledged > 5 && lost > 5, "{acknowledged} {lost}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_that_restarts_is_found_again_with_all_that_was_acknowledged() {
    let mut server = Server::start(&[]);
    let store = Redis::connect(&server.url(), Durability::Disk)
        .await
        .unwrap();
    let mut wake = store.wake();
    for round in 0..3_u64 {
        let (ended, living) = (round * 2, round * 2 + 1);
        for n in [ended, living] {
            let opened =
                || async { try_open(&store, 1, n).await || lives(&store, n).await == Ok(true) };
            eventually("it is written to again", opened).await;
        }
        let done = store
            .end(Scope::Login { sid: sid(ended) }, NOW)
            .await
            .unwrap();
        server.kill();
        assert!(store.head().await.is_err(), "nobody can tell");
        server.restart();
        eventually("it is found again", || async { store.head().await.is_ok() }).await;
        assert_eq!(store.head().await.unwrap(), done.position);
        assert_eq!(lives(&store, ended).await, Ok(false));
        assert_eq!(lives(&store, living).await, Ok(true));
    }
    // News of another node come by themselves, too.
    wake.borrow_and_update();
    let other = Redis::connect(&server.url(), Durability::Disk)
        .await
        .unwrap();
    let done = other.end(Scope::Everything {}, NOW).await.unwrap();
    let news = wake.wait_for(|head| *head == done.position);
    timeout(Duration::from_secs(20), news)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_whose_log_went_back_begins_a_later_epoch() {
    let mut server = Server::start(&["--appendonly", "no"]);
    let store = Redis::connect(&server.url(), Durability::Memory)
        .await
        .unwrap();
    assert!(try_open(&store, 1, 1).await);
    let kept = store.end(Scope::User { user: user(9) }, NOW).await.unwrap();
    assert!(try_open(&store, 1, 2).await);
    let _: String = server.ask(&["SAVE"]);
    let lost = store.end(Scope::User { user: user(1) }, NOW).await.unwrap();
    assert_eq!(lost.position, kept.position.next());
    server.kill();
    server.restart();
    eventually("a later epoch begins", || async {
        store
            .head()
            .await
            .is_ok_and(|head| head.epoch() > lost.position.epoch())
    })
    .await;
    // Who followed the log takes a snapshot. What may have been issued after the lost end is dead.
    assert_eq!(store.tail(lost.position, 9).await.unwrap(), Tail::Reset);
    assert_eq!(lives(&store, 2).await, Ok(false));
    // This is what only memory can lose: an end that nobody else had.
    assert_eq!(lives(&store, 1).await, Ok(true));
}
