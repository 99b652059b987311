//! Signing out: over when the authority says so, and not before.

use axum::http::StatusCode;
use symbolon_guard::Shape;

use crate::{
    app::{App, cookies, request, set_cookies},
    fake::{Down, Fake, Held},
};

const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

async fn sign_out(app: &App, held: &Held, from: (&str, &str)) -> axum::response::Response {
    let cookie = cookies(held);
    let headers = [("cookie", cookie.as_str()), from];
    app.call(request("POST", "/auth/sign-out", &headers)).await
}

#[tokio::test]
async fn signing_out_ends_the_login_and_clears_both_cookies() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        let app = App::of(&fake).await;
        let held = fake.sign_in();
        let response = sign_out(&app, &held, OWN).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()["location"], "/");
        let cleared = set_cookies(&response);
        assert_eq!(cleared.len(), 2);
        assert!(cleared.iter().all(|(_, value)| value.is_empty()));
        assert_eq!(fake.calls().end, 1);
        app.settle(&fake).await;
        // A copy of the cookies is worth nothing.
        let status = app.visit("/", &held).await.status();
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn only_the_apps_own_pages_sign_out() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    for from in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "http://localhost:7301"),
        ("x-nothing", ""),
    ] {
        let response = sign_out(&app, &held, from).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert!(set_cookies(&response).is_empty());
    }
    assert_eq!(fake.calls().end, 0);
    assert_eq!(app.visit("/", &held).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_app_that_may_not_end_logins_revokes_its_own_share() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "within(10s)").await;
        fake.state().may_end_logins = false;
        let app = App::of(&fake).await;
        let held = fake.sign_in();
        let response = sign_out(&app, &held, OWN).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert!(fake.calls().revoke >= 1);
    }
}

#[tokio::test]
async fn a_sign_out_that_nobody_heard_is_not_claimed() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.go_down(Down::ALL);
    let response = sign_out(&app, &held, OWN).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        set_cookies(&response).is_empty(),
        "trying again is possible"
    );
}

#[tokio::test]
async fn somebody_who_is_not_signed_in_is_signed_out() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let response = app.call(request("POST", "/auth/sign-out", &[OWN])).await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(fake.calls().revoke, 0);
}
