//! An ended login is refused in both shapes; signing in always makes a new secret; a replayed refresh
//! token gives the same answer, and later ends the login.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::Value;

use crate::town::{Town, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_login_is_refused_in_both_shapes() {
    let town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let api = town.start_app("api", "jwt", "within(10s)");
    let session = town.sign_in("alice", "pages").await;
    let jwt = town.sign_in("alice", "api").await;
    let (session, jwt) = (text(&session, "access_token"), text(&jwt, "access_token"));
    assert!(session.starts_with("sym_s_") && jwt.starts_with("eyJ"));
    assert_eq!(pages.whoami(session).await, StatusCode::OK);
    assert_eq!(api.whoami(jwt).await, StatusCode::OK);

    let ended = town.end_all(jwt).await;
    assert_eq!(ended["ended"], 2);
    let acknowledged = Instant::now();
    loop {
        let answers = (pages.whoami(session).await, api.whoami(jwt).await);
        if answers == (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED) {
            break;
        }
        // A yes is lawful within the bound only; on one machine the news takes milliseconds.
        assert!(
            acknowledged.elapsed() < Duration::from_secs(5),
            "{answers:?}"
        );
    }
    for credential in [session, jwt] {
        let me = town
            .request("GET", "/api/v1/me", credential)
            .send()
            .await
            .unwrap();
        assert_eq!(me.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_id_changes_at_sign_in() {
    let town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let first = town.sign_in("alice", "pages").await;
    // A browser that brings a session to the sign-in gets another one.
    let body = serde_json::json!({ "identifier": "bob", "password": crate::town::PASSWORD, "client_id": "pages" });
    let answer = town
        .http
        .post(format!("{}/api/v1/logins", town.url))
        .header(
            "cookie",
            format!("__Host-pages={}", text(&first, "access_token")),
        )
        .header("sec-fetch-site", "same-origin")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-pages=sym_s_"), "{cookie}");
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    let second = cookie
        .trim_start_matches("__Host-pages=")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    assert_ne!(second, text(&first, "access_token"));
    let body: Value = answer.json().await.unwrap();
    assert!(
        !body.to_string().contains("sym_s_"),
        "a browser's secret is in its cookie only: {body}"
    );
    // A value that the authority never issued is adopted by nobody.
    assert_eq!(
        pages.whoami("sym_s_chosen-by-somebody").await,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_gives_the_same_answer_and_after_the_grace_ends_the_login() {
    let town = Town::new().await;
    let api = town.start_app("api", "jwt", "within(10s)");
    let data = town.data();
    let shorter = Town::arguments(&data, &["app", "set", "api", "--refresh-grace", "1"]);
    crate::town::run_json(&shorter, "");
    let start = town.sign_in("alice", "api").await;
    let refresh = text(&start, "refresh_token");
    let once: Value = town.refresh(&api, refresh).await.json().await.unwrap();
    let again: Value = town.refresh(&api, refresh).await.json().await.unwrap();
    assert_eq!(text(&once, "refresh_token"), text(&again, "refresh_token"));
    assert_ne!(text(&once, "refresh_token"), refresh);
    assert_eq!(
        api.whoami(text(&once, "access_token")).await,
        StatusCode::OK
    );

    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let late = town.refresh(&api, refresh).await;
    assert_eq!(late.status(), StatusCode::BAD_REQUEST);
    let late: Value = late.json().await.unwrap();
    assert_eq!(late["error"], "invalid_grant");
    let successor = town.refresh(&api, text(&once, "refresh_token")).await;
    assert_eq!(
        successor.status(),
        StatusCode::BAD_REQUEST,
        "the thief's line is dead, too"
    );
    let began = Instant::now();
    while api.whoami(text(&once, "access_token")).await != StatusCode::UNAUTHORIZED {
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
