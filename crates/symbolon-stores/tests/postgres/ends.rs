//! Ends that share a transaction, held up at the log's head.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use symbolon_authority::ports::{Logins, StoreError};
use symbolon_login::Scope;
use tokio::time::sleep;

use super::{NOW, add_person, connect, open, schema, sid, sign_ins::client};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_line_that_is_cut_costs_only_the_ends_on_it() {
    let url = schema::url().await;
    let name = format!("cut-ends-{}", std::process::id());
    let store = connect(&format!("{url}&application_name={name}")).await;
    add_person(&store).await;
    for n in 0..9 {
        open(&store, n).await.unwrap();
    }
    let (holder, watcher) = (client(&url).await, client(&url).await);
    let hold = "BEGIN; SELECT 1 FROM head FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();

    let end = |n| {
        let store = Arc::clone(&store);
        let scope = Scope::Login { sid: sid(n) };
        tokio::spawn(async move { store.end(scope, NOW).await })
    };
    let stuck = end(0);
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = $1 AND wait_event_type = 'Lock'";
    let waits = "SELECT 1 FROM pg_stat_activity
                 WHERE application_name = $1 AND wait_event_type = 'Lock'";
    while watcher.query(waits, &[&name]).await.unwrap().is_empty() {
        sleep(Duration::from_millis(5)).await;
    }
    let queued: Vec<_> = (1..9).map(end).collect();
    sleep(Duration::from_millis(50)).await;
    watcher.query(cut, &[&name]).await.unwrap();
    let answer = stuck.await.unwrap();
    assert!(
        matches!(answer, Err(StoreError::Unavailable(_))),
        "{answer:?}"
    );
    holder.batch_execute("ROLLBACK").await.unwrap();
    for answer in join_all(queued).await {
        assert_eq!(answer.unwrap().unwrap().count, 1);
    }
}
