//! How to test an app behind a guard: signed in, with a role, ended, stale. No server, no socket, no sleep.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use axum::{body::Body, http::Request, response::Response};
use symbolon_example_axum::shop;
use symbolon_guard::{
    Freshness, Guard, Shape,
    testing::{TestAuthority, TestLogin},
};
use tower::ServiceExt;

/// An authority in memory, and a real guard that follows it.
async fn set_up(shape: Shape) -> (TestAuthority, Guard) {
    let authority = TestAuthority::start(shape, Freshness::Within(Duration::from_secs(10)));
    let settings = |guard: symbolon_guard::GuardBuilder| guard.public_url("https://shop.example");
    let guard = authority.guard_with(settings).await;
    (authority, guard)
}

async fn call(guard: &Guard, method: &str, path: &str, who: Option<&TestLogin>) -> Response {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(who) = who {
        // As the shop's own pages send it; for a program: .header("authorization", who.bearer())
        request = request
            .header("cookie", who.cookie())
            .header("sec-fetch-site", "same-origin");
    }
    let request = request.body(Body::empty()).unwrap();
    shop(guard).oneshot(request).await.unwrap()
}

async fn status(guard: &Guard, method: &str, path: &str, who: Option<&TestLogin>) -> u16 {
    call(guard, method, path, who).await.status().as_u16()
}

#[tokio::test]
async fn the_shop_knows_who_may_do_what() {
    for shape in [Shape::Session, Shape::Jwt] {
        let (authority, guard) = set_up(shape).await;
        let (alice, boss) = (
            authority.sign_in("alice", &[]),
            authority.sign_in("boss", &["admin"]),
        );
        for (method, path, nobody, alices, bosses) in [
            ("GET", "/", 200, 200, 200),
            ("GET", "/account", 401, 200, 200),
            ("POST", "/orders", 401, 200, 200),
            ("GET", "/stock", 401, 403, 200),
            ("POST", "/address", 401, 200, 200),
        ] {
            let place = format!("{method} {path} as {shape}");
            assert_eq!(status(&guard, method, path, None).await, nobody, "{place}");
            let got = status(&guard, method, path, Some(&alice)).await;
            assert_eq!(got, alices, "{place}");
            let got = status(&guard, method, path, Some(&boss)).await;
            assert_eq!(got, bosses, "{place}");
        }
    }
}

#[tokio::test]
async fn what_ended_is_over_and_what_is_old_must_sign_in_again() {
    for shape in [Shape::Session, Shape::Jwt] {
        let (authority, guard) = set_up(shape).await;
        let mut alice = authority.sign_in("alice", &[]);
        let phone = authority.sign_in("alice", &[]);

        authority.end(&phone).await;
        assert_eq!(status(&guard, "GET", "/account", Some(&phone)).await, 401);
        let here = call(&guard, "GET", "/account", Some(&alice)).await;
        assert_eq!(here.status(), 200);

        // Six minutes later the login stands, but it is not a recent one any more.
        authority.pass(Duration::from_secs(360)).await;
        let here = call(&guard, "GET", "/account", Some(&alice)).await;
        assert_eq!(here.status(), 200);
        alice.keep(here.headers());
        assert_eq!(status(&guard, "POST", "/address", Some(&alice)).await, 401);
    }
}

#[tokio::test]
async fn without_its_authority_the_shop_goes_on_for_ten_seconds() {
    for shape in [Shape::Session, Shape::Jwt] {
        let (authority, guard) = set_up(shape).await;
        let alice = authority.sign_in("alice", &[]);
        assert_eq!(status(&guard, "GET", "/account", Some(&alice)).await, 200);

        authority.go_away();
        assert_eq!(status(&guard, "GET", "/account", Some(&alice)).await, 200);
        // An order asks the authority, whatever the guard knows.
        assert_eq!(status(&guard, "POST", "/orders", Some(&alice)).await, 503);

        authority.pass(Duration::from_secs(11)).await;
        assert_eq!(status(&guard, "GET", "/account", Some(&alice)).await, 503);
        // Nobody was signed out by that.
        authority.come_back().await;
        assert_eq!(status(&guard, "GET", "/account", Some(&alice)).await, 200);
    }
}

#[tokio::test]
async fn browsers_of_strangers_are_sent_to_sign_in() {
    let (_, guard) = set_up(Shape::Jwt).await;
    let request = Request::get("/account").header("accept", "text/html");
    let request = request.body(Body::empty()).unwrap();
    let answer = shop(&guard).oneshot(request).await.unwrap();
    assert_eq!(answer.status(), 302);
    let location = answer.headers().get("location").unwrap();
    let location = location.to_str().unwrap();
    assert!(location.starts_with("https://authority.test/oauth2/authorize?"));
}
