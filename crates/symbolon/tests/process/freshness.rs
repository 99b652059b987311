//! The freshness contract with real processes: a guard that cannot prove it is fresh enough never
//! says yes, and a quick restart of the authority refuses nobody.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::town::{Town, text};

const YES: StatusCode = StatusCode::OK;
const STALE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// The authority is stopped in its tracks: connections stay open, nothing is answered.
#[tokio::test(flavor = "multi_thread")]
async fn with_the_feed_cut_a_guard_answers_503_after_its_bound_and_never_yes() {
    let bound = Duration::from_secs(1);
    let town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(1s)");
    let api = town.start_app("api", "jwt", "within(1s)");
    let session = town.sign_in("alice", "pages").await;
    let jwt = town.sign_in("alice", "api").await;
    let seen = [
        (&pages, text(&session, "access_token")),
        (&api, text(&jwt, "access_token")),
    ];
    for (app, credential) in seen {
        assert_eq!(app.whoami(credential).await, YES);
    }

    town.authority.as_ref().unwrap().signal("STOP");
    let cut = Instant::now();
    let mut yes_within_bound = 0;
    let mut stale = 0;
    while cut.elapsed() < bound * 8 {
        for (app, credential) in seen {
            let asked = cut.elapsed();
            match app.whoami(credential).await {
                // Fresh when the request came in: the guard may have proved that just before the cut.
                YES => {
                    assert!(
                        asked <= bound + Duration::from_millis(50),
                        "a yes {asked:?} after the cut"
                    );
                    yes_within_bound += 1;
                }
                STALE => stale += 1,
                other => panic!("{other} after {asked:?}: nobody is signed out by a cut"),
            }
        }
    }
    assert!(
        yes_within_bound > 0 && stale > 0,
        "{yes_within_bound} yes, {stale} stale"
    );

    town.authority.as_ref().unwrap().signal("CONT");
    let back = Instant::now();
    for (app, credential) in seen {
        while app.whoami(credential).await != YES {
            assert!(
                back.elapsed() < Duration::from_secs(10),
                "nobody has to sign in again"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Killed and started again within the bound: every request is answered with yes, throughout.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_shorter_than_the_bound_refuses_nobody() {
    let mut town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let api = town.start_app("api", "jwt", "within(10s)");
    let session = town.sign_in("alice", "pages").await;
    let jwt = town.sign_in("alice", "api").await;
    let seen = [
        (pages, text(&session, "access_token").to_owned()),
        (api, text(&jwt, "access_token").to_owned()),
    ];
    // One more login that no guard has seen before the restart.
    let unseen = town.sign_in("bob", "pages").await;

    let (stop, stopped) = tokio::sync::watch::channel(false);
    let asking = tokio::spawn(async move {
        let mut answers = 0_u32;
        while !*stopped.borrow() {
            for (app, credential) in &seen {
                assert_eq!(app.whoami(credential).await, YES, "after {answers} answers");
                answers += 1;
            }
        }
        (answers, seen)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    town.kill();
    tokio::time::sleep(Duration::from_millis(700)).await;
    let ready_after = town.start().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.send_replace(true);
    let (answers, seen) = asking.await.unwrap();
    assert!(
        answers > 50,
        "{answers} answers, ready again after {ready_after:?}"
    );

    assert_eq!(seen[0].0.whoami(text(&unseen, "access_token")).await, YES);
    // What is acknowledged after the restart reaches the guards as before.
    town.end_all(&seen[1].1).await;
    let acknowledged = Instant::now();
    for (app, credential) in &seen {
        while app.whoami(credential).await != StatusCode::UNAUTHORIZED {
            assert!(acknowledged.elapsed() < Duration::from_secs(10));
        }
    }
}
