//! An authority with several nodes: another one stands in when one is away.

use std::time::{Duration, Instant};

use axum::{Router, http::StatusCode, routing::get};
use symbolon_guard::{ConnectError, Guard, Identity, Shape};

use crate::{
    app::{App, eventually},
    fake::{APP, APP_URL, Fake},
};

/// An address where nothing listens.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn app(guard: Guard) -> App {
    let router = Router::new()
        .route("/", get(async |_: Identity| {}))
        .route("/live", get(async |_: symbolon_guard::Live<Identity>| {}))
        .layer(guard.layer());
    App::with(guard, router)
}

#[tokio::test]
async fn a_node_that_is_away_at_the_start_is_passed_over() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let guard = Guard::builder(nowhere().await, APP)
        .or_at(fake.url())
        .issuer(fake.url())
        .connect()
        .await
        .unwrap();
    let app = app(guard);
    let who = format!("Bearer {}", fake.sign_in().access);
    let response = app.get("/", &[("authorization", &who)]).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn when_a_node_goes_another_stands_in_and_nobody_is_refused() {
    for hangs in [false, true] {
        let first = Fake::start(Shape::Session, "within(4s)").await;
        let second = first.another_node().await;
        let guard = Guard::builder(first.url(), APP)
            .or_at(second.url())
            .issuer(first.url())
            .public_url(APP_URL)
            .connect()
            .await
            .unwrap();
        let app = app(guard);
        let held = first.sign_in();
        let who = format!("Bearer {}", held.access);
        let headers = [("authorization", who.as_str())];
        assert_eq!(app.get("/", &headers).await.status(), StatusCode::OK);

        first.lose_node(hangs);
        // Longer than the bound: without the other node this would end in 503.
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(6) {
            assert_eq!(app.get("/", &headers).await.status(), StatusCode::OK);
            assert_eq!(app.get("/live", &headers).await.status(), StatusCode::OK);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // News comes by the other node.
        let ended = second.end(held.sid);
        eventually("the guard hears of it", || {
            app.guard.status().applied >= Some(ended)
        })
        .await;
        let refused = app.get("/", &headers).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn without_any_node_the_error_names_them_all() {
    let (first, second) = (nowhere().await, nowhere().await);
    let error = Guard::builder(&first, APP)
        .or_at(&second)
        .patience(Duration::from_millis(300))
        .connect()
        .await
        .unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }));
    let text = error.to_string();
    assert!(text.contains(&first) && text.contains(&second), "{text}");
}
