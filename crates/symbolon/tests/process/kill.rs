//! Acknowledged means on disk: kill -9 loses no acknowledged end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use reqwest::StatusCode;
use tokio::task::JoinSet;

use crate::town::{Town, text};

/// A hundred people sign out at once; the authority is killed in the middle of it.
#[tokio::test(flavor = "multi_thread")]
async fn kill_9_during_a_hundred_sign_outs_loses_none_that_was_acknowledged() {
    let mut town = Town::new().await;
    let _app = town.start_app("api", "jwt", "within(10s)");
    let mut credentials = Vec::new();
    for _ in 0..100 {
        let login = town.sign_in("alice", "api").await;
        credentials.push((
            text(&login, "sid").to_owned(),
            text(&login, "access_token").to_owned(),
        ));
    }
    let done = Arc::new(AtomicUsize::new(0));
    let mut sign_outs = JoinSet::new();
    for (sid, token) in credentials.clone() {
        let (request, done) = (
            town.request("DELETE", &format!("/api/v1/logins/{sid}"), &token),
            done.clone(),
        );
        sign_outs.spawn(async move {
            let answer = request.send().await;
            let acknowledged = answer.is_ok_and(|answer| answer.status() == StatusCode::OK);
            done.fetch_add(usize::from(acknowledged), Ordering::SeqCst);
            (token, acknowledged)
        });
    }
    while done.load(Ordering::SeqCst) < 30 {
        tokio::task::yield_now().await;
    }
    town.kill();
    let mut acknowledged = Vec::new();
    while let Some(one) = sign_outs.join_next().await {
        let (token, was) = one.unwrap();
        if was {
            acknowledged.push(token);
        }
    }
    town.start().await;
    let mut alive = 0;
    for (_, token) in &credentials {
        let me = town
            .request("GET", "/api/v1/me", token)
            .send()
            .await
            .unwrap();
        if me.status() == StatusCode::OK {
            alive += 1;
            assert!(
                !acknowledged.contains(token),
                "an acknowledged end was lost"
            );
        }
    }
    assert!(acknowledged.len() >= 30);
    println!(
        "{} of 100 sign-outs acknowledged before the kill, {alive} logins alive after it",
        acknowledged.len()
    );
}
