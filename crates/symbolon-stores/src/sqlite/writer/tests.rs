//! What becomes of a batch when one of its requests, or its commit, fails.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::{
    Mutex,
    mpsc::{Sender, channel},
};

use symbolon_login::Scope;
use tokio::task::JoinHandle;

use super::*;
use crate::sqlite::{log, schema};

const NOW: UnixMillis = UnixMillis::from_millis(1);

fn writer(queue: usize) -> Arc<Writer> {
    let conn = Connection::open_in_memory().unwrap();
    schema::migrate(&conn, 0).unwrap();
    // A row of `child` without its `parent` makes the commit fail, not the statement.
    conn.execute_batch(
        "PRAGMA foreign_keys = ON;
         CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED);",
    )
    .unwrap();
    let memory = Arc::new(Memory::load(&conn).unwrap());
    Arc::new(Writer::start(conn, Position::START, memory, queue).unwrap())
}

/// Keeps the writer busy until the sender is dropped: what is asked meanwhile is one batch.
async fn hold(writer: &Arc<Writer>) -> (Sender<()>, JoinHandle<()>) {
    let (release, held) = channel::<()>();
    let (started, running) = oneshot::channel();
    let once = Mutex::new(Some((started, held)));
    let busy = ask(writer, move |_| {
        if let Some((started, held)) = once.lock().unwrap().take() {
            let _ = started.send(());
            let _ = held.recv();
        }
        Ok(())
    });
    running.await.unwrap();
    (
        release,
        tokio::spawn(async { busy.await.unwrap().unwrap() }),
    )
}

/// Queues a request now and gives its answer later.
fn ask<T: Send + 'static>(
    writer: &Arc<Writer>,
    work: impl Fn(&mut Transaction<'_>) -> Work<T> + Send + 'static,
) -> JoinHandle<Result<T, StoreError>> {
    let writer = Arc::clone(writer);
    tokio::spawn(async move { writer.run(work).await })
}

fn mark(name: &str) -> impl Fn(&mut Transaction<'_>) -> Work<Position> + Send + 'static {
    let name = name.to_owned();
    move |tx| {
        let sql = "INSERT INTO mark (name) VALUES (?1)";
        tx.conn().execute(sql, [&name])?;
        let everything = Scope::Everything {};
        log::end(tx, everything, NOW).map(|ended| ended.position)
    }
}

async fn marks(writer: &Arc<Writer>) -> Vec<String> {
    let all = writer.run(|tx| {
        let mut marks = tx.conn().prepare("SELECT name FROM mark ORDER BY name")?;
        let marks = marks.query_map([], |row| row.get(0))?;
        Ok(marks.collect::<Result<_, _>>()?)
    });
    all.await.unwrap()
}

/// Waits until so many requests are in the queue or beyond it.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_failure_does_not_harm_its_batch() {
    let writer = writer(QUEUE);
    let (release, busy) = hold(&writer).await;
    let before = ask(&writer, mark("before"));
    settle().await;
    let refused = ask(&writer, |tx| {
        mark("refused")(tx)?;
        Err::<(), _>(Fault::unavailable("on purpose"))
    });
    let panicked = ask::<()>(&writer, |tx| {
        mark("panicked")(tx)?;
        panic!("on purpose")
    });
    let broken = ask(&writer, |tx| {
        mark("broken")(tx)?;
        tx.conn()
            .execute_batch("INSERT INTO mark VALUES ('broken')")?;
        Ok(())
    });
    settle().await;
    let after = ask(&writer, mark("after"));
    settle().await;
    drop(release);
    busy.await.unwrap();

    assert_eq!(before.await.unwrap().unwrap(), Position::new(1, 1));
    let why = refused.await.unwrap().unwrap_err().to_string();
    assert_eq!(why, "the store is unavailable: on purpose");
    assert!(panicked.await.unwrap().is_err());
    assert!(broken.await.unwrap().is_err());
    // What was undone gave its number back.
    assert_eq!(after.await.unwrap().unwrap(), Position::new(1, 2));
    assert_eq!(writer.head(), Position::new(1, 2));
    assert_eq!(writer.counters().commits.load(Ordering::Relaxed), 2);
    assert_eq!(marks(&writer).await, ["after", "before"]);
}

#[tokio::test]
async fn a_failed_commit_refuses_everyone_in_it() {
    let writer = writer(QUEUE);
    let (release, busy) = hold(&writer).await;
    let good = ask(&writer, mark("good"));
    let own = ask(&writer, |_| Err::<(), _>(Fault::damaged("its own error")));
    let orphan = ask(&writer, |tx| {
        tx.conn().execute_batch("INSERT INTO child VALUES (1)")?;
        Ok(())
    });
    settle().await;
    drop(release);
    busy.await.unwrap();

    for refused in [good.await.unwrap().map(|_| ()), orphan.await.unwrap()] {
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    }
    assert!(matches!(own.await.unwrap(), Err(StoreError::Damaged(_))));
    assert_eq!(writer.head(), Position::START);
    assert!(marks(&writer).await.is_empty());
    // It goes on, with the number that was given back.
    assert_eq!(writer.run(mark("next")).await.unwrap(), Position::new(1, 1));
}

#[tokio::test]
async fn a_transaction_that_is_undone_half_way_refuses_everyone_in_it() {
    let writer = writer(QUEUE);
    let (release, busy) = hold(&writer).await;
    let good = ask(&writer, mark("good"));
    settle().await;
    // As SQLite itself does when the disk is full.
    let undo = ask(&writer, |tx| {
        tx.conn().execute_batch("ROLLBACK")?;
        Err::<(), _>(Fault::unavailable("disk full"))
    });
    settle().await;
    let later = ask(&writer, mark("later"));
    settle().await;
    drop(release);
    busy.await.unwrap();
    assert!(good.await.unwrap().is_err());
    assert!(undo.await.unwrap().is_err());
    assert!(later.await.unwrap().is_err());
    assert!(marks(&writer).await.is_empty());
    assert_eq!(writer.head(), Position::START);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let writer = writer(2);
    let (release, busy) = hold(&writer).await;
    let waiting = [ask(&writer, mark("a")), ask(&writer, mark("b"))];
    settle().await;
    let refused = writer.run(mark("c")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    drop(release);
    busy.await.unwrap();
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(marks(&writer).await, ["a", "b"]);
}

#[tokio::test]
async fn a_full_disk_refuses_until_there_is_room() {
    let writer = writer(QUEUE);
    let room = |pages: u32| {
        writer.run(move |tx| {
            let now: u32 = tx.conn().pragma_query_one(None, "page_count")?;
            let limit = format!("PRAGMA max_page_count = {}", now + pages);
            tx.conn().query_row(&limit, [], |_| Ok(()))?;
            Ok(())
        })
    };
    writer.run(mark("before")).await.unwrap();
    room(0).await.unwrap();
    let large = "x".repeat(100_000);
    let refused = writer.run(mark(&large)).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert_eq!(writer.head(), Position::new(1, 1));
    room(100).await.unwrap();
    let stored = writer.run(mark(&large)).await;
    assert_eq!(stored.unwrap(), Position::new(1, 2));
    assert_eq!(marks(&writer).await, ["before", large.as_str()]);
}

#[tokio::test]
async fn what_nobody_waits_for_is_done_all_the_same() {
    let writer = writer(QUEUE);
    let (release, busy) = hold(&writer).await;
    let given_up = ask(&writer, mark("given up"));
    settle().await;
    given_up.abort();
    assert!(given_up.await.is_err());
    drop(release);
    busy.await.unwrap();
    assert_eq!(marks(&writer).await, ["given up"]);
}
