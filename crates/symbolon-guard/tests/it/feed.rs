//! The freshness contract: fresh by proof, else asked live, else 503; never a stale yes.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use symbolon_guard::{Freshness, Guard, Shape};
use symbolon_login::{Change, Position, Scope, Sid};

use crate::{
    app::{App, eventually, read},
    fake::{APP, Down, Fake},
};

const SHAPES: [Shape; 2] = [Shape::Session, Shape::Jwt];

#[tokio::test]
async fn a_good_credential_is_checked_here_and_asked_about_at_most_once() {
    for shape in SHAPES {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        let held = fake.sign_in();
        for round in 0..20 {
            let (status, text) = read(app.visit("/", &held).await).await;
            let first = shape == Shape::Session && round == 0;
            let expected = if first {
                "alice Authority"
            } else {
                "alice Local"
            };
            assert_eq!((status, text.as_str()), (StatusCode::OK, expected));
        }
        let asked = u32::from(shape == Shape::Session);
        assert_eq!(fake.calls().introspect, asked);
    }
}

#[tokio::test]
async fn an_ended_login_is_refused_in_both_shapes() {
    for shape in SHAPES {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        let (held, other) = (fake.sign_in(), fake.sign_in());
        for held in [&held, &other] {
            assert_eq!(app.visit("/", held).await.status(), StatusCode::OK);
        }
        let started = Instant::now();
        fake.end(held.sid);
        while app.visit("/", &held).await.status() != StatusCode::UNAUTHORIZED {
            assert!(started.elapsed() < Duration::from_secs(1), "{shape}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        println!("{shape}: refused {:?} after the end", started.elapsed());
        let bearer = format!("Bearer {}", held.access);
        let response = app.get("/", &[("authorization", &bearer)]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(app.visit("/", &other).await.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn without_a_feed_the_authority_is_asked_and_without_that_it_is_503() {
    for shape in SHAPES {
        let fake = Fake::start(shape, "within(1s)").await;
        let app = App::of(&fake).await;
        let (held, ended) = (fake.sign_in(), fake.sign_in());
        for held in [&held, &ended] {
            assert_eq!(app.visit("/", held).await.status(), StatusCode::OK);
        }
        fake.go_down(Down::FEED);
        let cut_at = Instant::now();
        fake.end(ended.sid);
        let acknowledged = Instant::now();
        // Up to the bound a yes is allowed, whatever ended meanwhile; after it never again.
        let (mut local, mut asked) = (0, 0);
        while cut_at.elapsed() < Duration::from_millis(1_800) {
            let (status, text) = read(app.visit("/", &held).await).await;
            assert_eq!(status, StatusCode::OK, "{shape}");
            if text.ends_with("Local") {
                local += 1;
            } else {
                asked += 1;
            }
            let before = acknowledged.elapsed();
            let status = app.visit("/", &ended).await.status();
            if before > Duration::from_secs(1) {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{shape} {before:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(local > 0 && asked > 0, "{shape}: {local} {asked}");
        let staleness = app.guard.status().staleness.unwrap();
        assert!(staleness > Duration::from_secs(1));

        fake.go_down(Down::ALL);
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        let (a, b) = tokio::join!(app.visit("/", &held), app.visit("/maybe", &held));
        for response in [a, b] {
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()["retry-after"], "1");
            assert!(!response.headers().contains_key("set-cookie"));
            let (_, text) = read(response).await;
            assert!(text.contains("urn:symbolon:problem:guard-stale"), "{text}");
        }

        // Nobody was thrown out: when the authority is back, so is everybody whose login still stands.
        fake.go_down(Down::default());
        app.settle(&fake).await;
        let (status, text) = read(app.visit("/", &held).await).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "alice Local"));
        let response = app.visit("/", &ended).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

/// What the authority says is true of the moment when it was asked at the earliest, not of the moment
/// when the answer arrives.
#[tokio::test]
async fn an_answer_is_as_old_as_its_question() {
    let fake = Fake::start(Shape::Session, "within(1500ms)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.go_down(Down::FEED);
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    fake.state().slow = Duration::from_millis(1_000);
    let age = |response: &axum::response::Response| -> u64 {
        let text = response.headers()["x-staleness-ms"].to_str();
        text.unwrap().parse().unwrap()
    };
    let response = app.visit("/", &held).await;
    assert!((1_000..1_400).contains(&age(&response)));
    assert_eq!(read(response).await.1, "alice Authority");
    // For half a second more it is fresh enough, then it has to be asked again.
    let response = app.visit("/", &held).await;
    assert!((1_000..1_500).contains(&age(&response)));
    assert_eq!(read(response).await.1, "alice Local");
    tokio::time::sleep(Duration::from_millis(600)).await;
    let (_, text) = read(app.visit("/", &held).await).await;
    assert_eq!(text, "alice Authority");
    assert_eq!(fake.calls().introspect, 2);
}

/// A snapshot may have left out what ended this login: only the authority can say. About whoever it issued
/// a token to since, the guard knows all that it needs.
#[tokio::test]
async fn what_a_snapshot_left_out_is_asked_about_and_nothing_else() {
    for (says, as_of_head, asked) in [
        (Some(0), false, false),
        (Some(2), false, true),
        (Some(2), true, false),
        (Some(1), false, false),
        // An authority that does not say how far back it goes: only what is of now is known.
        (None, false, true),
        (None, true, false),
    ] {
        let fake = Fake::start(Shape::Jwt, "within(10s)").await;
        fake.end(fake.sign_in().sid);
        let held = fake.sign_in();
        fake.end(fake.sign_in().sid);
        fake.state().complete_since = says.map(|number| Position::new(1, number));
        let app = App::of(&fake).await;
        // Issued when the grant was made (1.1), or a moment ago.
        let token = fake.token(&held, |claims| {
            if !as_of_head {
                claims.as_of = None;
            }
        });
        let bearer = format!("Bearer {token}");
        for _ in 0..2 {
            let response = app.get("/", &[("authorization", &bearer)]).await;
            assert_eq!(response.status(), StatusCode::OK, "{says:?} {as_of_head}");
        }
        // The answer is as of a later position: it is remembered like any other.
        let expected = u32::from(asked);
        assert_eq!(fake.calls().introspect, expected, "{says:?} {as_of_head}");
        fake.end(held.sid);
        app.settle(&fake).await;
        let response = app.get("/", &[("authorization", &bearer)]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    }
}

/// The guard of an app starts while the login of somebody runs for hours: with clocks right, nobody is asked.
#[tokio::test]
async fn a_long_login_with_a_young_token_is_checked_here_by_a_guard_that_starts() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let held = fake.sign_in();
    for _ in 0..50 {
        fake.end(fake.sign_in().sid);
    }
    // All of them are so old that the authority has forgotten them.
    let newest = fake.state().head();
    fake.state().complete_since = Some(newest);
    let token = fake.token(&held, |_| {});
    let app = App::of(&fake).await;
    let response = app
        .get("/", &[("authorization", &format!("Bearer {token}"))])
        .await;
    assert_eq!(read(response).await.1, "alice Local");
    assert_eq!(fake.calls().introspect, 0);
}

/// Many may share one question, but `live` never takes an answer to a question that was asked before.
#[tokio::test]
async fn live_asks_for_itself_and_others_share() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.state().slow = Duration::from_millis(200);
    let visits = (0..20).map(|_| app.visit("/", &held));
    for response in futures_util::future::join_all(visits).await {
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(fake.calls().introspect, 1);
    let visits = (0..20).map(|_| app.visit("/live", &held));
    for response in futures_util::future::join_all(visits).await {
        assert_eq!(response.status(), StatusCode::OK);
    }
    assert_eq!(fake.calls().introspect, 21);
}

/// A yes that was on its way while the login ended loses against the news that overtook it.
#[tokio::test]
async fn a_cut_off_overtakes_an_answer_on_its_way() {
    for path in ["/", "/live"] {
        let fake = Fake::start(Shape::Session, "within(10s)").await;
        let app = App::of(&fake).await;
        let held = fake.sign_in();
        fake.state().slow = Duration::from_millis(400);
        let end = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            fake.end(held.sid);
        };
        let (response, ()) = tokio::join!(app.visit(path, &held), end);
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

/// The lease alone is no news: a guard that hears of a head it does not have is not fresh.
#[tokio::test]
async fn a_stream_that_says_nothing_while_the_lease_lives_is_noticed() {
    let fake = Fake::start(Shape::Session, "within(1s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    fake.state().down.mute = true;
    let position = fake.end(held.sid);
    let acknowledged = Instant::now();
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    assert!(app.guard.status().applied < Some(position));
    assert_eq!(app.guard.status().head, Some(position));
    let response = app.visit("/", &held).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(acknowledged.elapsed() < Duration::from_secs(3));
    fake.state().down.mute = false;
    fake.cut_streams();
    app.settle(&fake).await;
}

#[tokio::test]
async fn a_gap_in_the_stream_is_filled_by_a_snapshot() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let (held, other) = (fake.sign_in(), fake.sign_in());
    fake.state().skipped = vec![1];
    fake.end(held.sid);
    fake.end(other.sid);
    app.settle(&fake).await;
    assert_eq!(fake.calls().snapshot, 2);
    for held in [held, other] {
        let status = app.visit("/", &held).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_new_epoch_resets_the_stream_and_is_followed() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.end(Sid::from_bytes([9; 16]));
    app.settle(&fake).await;
    // A restored backup: a shorter log, in a new epoch that begins by ending everything.
    fake.state().log.clear();
    fake.state().epoch = 2;
    fake.append(Change::CutOff {
        covers: Scope::Everything {},
    });
    fake.cut_streams();
    app.settle(&fake).await;
    assert_eq!(app.guard.status().applied, Some(Position::new(2, 1)));
    let response = app.visit("/", &held).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let fresh = fake.sign_in();
    assert_eq!(app.visit("/", &fresh).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_log_that_shrank_without_a_new_epoch_is_taken_anew() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    for _ in 0..3 {
        fake.end(Sid::from_bytes([9; 16]));
    }
    app.settle(&fake).await;
    fake.state().log.truncate(1);
    eventually("the guard follows the shorter log", || {
        let status = app.guard.status();
        status.applied == Some(Position::new(1, 1)) && status.staleness.is_some()
    })
    .await;
    fake.end(held.sid);
    app.settle(&fake).await;
    let status = app.visit("/", &held).await.status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_quick_restart_of_the_authority_refuses_nobody() {
    for shape in SHAPES {
        let mut fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        let (known, unknown) = (fake.sign_in(), fake.sign_in());
        assert_eq!(app.visit("/", &known).await.status(), StatusCode::OK);
        let visits = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // One that the guard has never seen waits for the authority instead of being refused.
            let waiting = app.visit("/", &unknown);
            let many = async {
                for _ in 0..60 {
                    let status = app.visit("/", &known).await.status();
                    assert_eq!(status, StatusCode::OK, "{shape}");
                    tokio::time::sleep(Duration::from_millis(25)).await;
                }
            };
            let (response, ()) = tokio::join!(waiting, many);
            assert_eq!(response.status(), StatusCode::OK, "{shape}");
        };
        tokio::join!(visits, fake.restart(Duration::from_millis(1_500)));
        app.settle(&fake).await;
        let ended = fake.end(known.sid);
        app.settle(&fake).await;
        assert!(app.guard.status().applied >= Some(ended));
        let status = app.visit("/", &known).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn keys_arrive_by_the_feed_and_made_up_ones_cost_the_authority_nothing() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let token = fake.token_of_other_key(&held);
    let bearer = format!("Bearer {token}");
    let started = Instant::now();
    let response = app.get("/", &[("authorization", &bearer)]).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(started.elapsed() < Duration::from_millis(900));
    assert_eq!(fake.calls().introspect, 0);
    // Published: good at once, whether or not the guard has it at that moment.
    fake.publish_other_key();
    let (status, text) = read(app.get("/", &[("authorization", &bearer)]).await).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "alice Local"));
}

#[tokio::test]
async fn a_token_ahead_of_the_guard_is_waited_for() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    app.settle(&fake).await;
    fake.end(Sid::from_bytes([9; 16]));
    // Signed in after that entry, and here before the guard applied it.
    let held = fake.sign_in();
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
    // One from far ahead: only the authority can say, and it does.
    let ahead = fake.token(&held, |claims| claims.rev = "1.99".into());
    let bearer = format!("Bearer {ahead}");
    let (status, text) = read(app.get("/", &[("authorization", &bearer)]).await).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "alice Authority"));
}

#[tokio::test]
async fn a_route_may_demand_more_and_never_less() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    for (path, expected, asked) in [
        ("/", "alice Local", 0),
        ("/second", "alice Local", 0),
        ("/live", "alice Authority", 1),
        ("/live", "alice Authority", 2),
    ] {
        let (status, text) = read(app.visit(path, &held).await).await;
        assert_eq!(
            (status, text.as_str()),
            (StatusCode::OK, expected),
            "{path}"
        );
        assert_eq!(fake.calls().introspect, asked, "{path}");
    }
    // The app itself goes live: routes that asked for less follow.
    fake.set_freshness(Freshness::Live);
    app.settle(&fake).await;
    let (_, text) = read(app.visit("/second", &held).await).await;
    assert_eq!(text, "alice Authority");
    // Live means live: a feed that says nothing does not matter.
    fake.state().down.mute = true;
    fake.end(held.sid);
    let status = app.visit("/live", &held).await.status();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_authority_hears_what_was_applied_at_once() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    app.settle(&fake).await;
    let started = Instant::now();
    let position = fake.end(Sid::from_bytes([9; 16]));
    eventually("the report", || fake.state().reports.contains(&position)).await;
    println!("reported after {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_millis(200));
}

#[tokio::test]
async fn the_tasks_end_with_the_last_handle() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    app.settle(&fake).await;
    drop(app);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = fake.state().reports.len();
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(fake.state().reports.len(), before);
}

#[tokio::test]
async fn an_authority_that_cannot_be_followed_is_named() {
    let patience = Duration::from_millis(400);
    let nowhere = Guard::builder("http://127.0.0.1:9", APP).patience(patience);
    let error = nowhere.connect().await.unwrap_err().to_string();
    assert!(error.contains("http://127.0.0.1:9"), "{error}");

    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    fake.state().issuer = "http://evil.example.test".to_owned();
    let other = Guard::builder(fake.url(), APP).patience(patience);
    let error = other.connect().await.unwrap_err().to_string();
    assert!(error.contains("evil.example.test"), "{error}");

    for (url, client) in [
        ("ftp://localhost", APP),
        ("http://localhost/path", APP),
        ("http://auth.example.test", APP),
        ("http://user@localhost", APP),
        ("localhost:7300", APP),
        ("http://localhost", "No Client"),
    ] {
        assert!(Guard::builder(url, client).start().is_err(), "{url}");
    }
}

#[tokio::test]
async fn a_guard_that_has_not_heard_yet_says_503_to_credentials_and_serves_the_rest() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    fake.go_down(Down::ALL);
    let guard = Guard::builder(fake.url(), APP).start().unwrap();
    let app = App::around(guard);
    let held = fake.sign_in();
    let status = app.visit("/", &held).await.status();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, text) = read(app.get("/maybe", &[]).await).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "nobody"));
    fake.go_down(Down::default());
    eventually("the guard finds it", || {
        app.guard.status().staleness.is_some()
    })
    .await;
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
}
