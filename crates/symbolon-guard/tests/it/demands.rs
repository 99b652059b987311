//! What routes may demand beyond a signed-in person, and how an app answers in its own way.

use std::time::Duration;

use axum::{
    Router,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use symbolon_guard::{Guard, Identity, Live, Reason, Shape};

use crate::{
    app::{App, read, request},
    fake::{APP, APP_URL, Down, Fake, Held, now},
};

const HTML: (&str, &str) = ("accept", "text/html");

async fn guard(fake: &Fake) -> Guard {
    Guard::builder(fake.url(), APP)
        .public_url(APP_URL)
        .connect()
        .await
        .unwrap()
}

fn bearer(text: &str) -> String {
    format!("Bearer {text}")
}

/// A token whose owner signed in `age` ago.
fn signed_in(fake: &Fake, held: &Held, age: Duration) -> String {
    let age = age.as_secs().cast_signed();
    bearer(&fake.token(held, |claims| claims.auth_time = now().as_secs() - age))
}

#[tokio::test]
async fn a_role_is_demanded_by_a_layer_and_all_of_several() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let guard = guard(&fake).await;
    let router = Router::new()
        .route(
            "/admin",
            get(|| async {}).layer(guard.require_role("admin")),
        )
        .route(
            "/both",
            get(|| async {}).layer(guard.require_role("admin").role("auditor")),
        )
        .layer(guard.layer());
    let app = App::with(guard, router);
    let held = fake.sign_in();
    let admin = bearer(&held.access);
    let both = bearer(&fake.token(&held, |claims| {
        claims.roles = vec!["auditor".into(), "admin".into()];
    }));
    let none = bearer(&fake.token(&held, |claims| claims.roles = vec!["administrator".into()]));
    for (path, who, expected) in [
        ("/admin", &admin, StatusCode::OK),
        ("/both", &admin, StatusCode::FORBIDDEN),
        ("/both", &both, StatusCode::OK),
        ("/admin", &none, StatusCode::FORBIDDEN),
    ] {
        let response = app.get(path, &[("authorization", who)]).await;
        assert_eq!(response.status(), expected, "{path} {who}");
        let reason = response.extensions().get::<Reason>().copied();
        let refused = expected != StatusCode::OK;
        assert_eq!(reason, refused.then_some(Reason::RoleMissing));
        if refused {
            let challenge = &response.headers()["www-authenticate"];
            assert_eq!(
                challenge,
                r#"Bearer realm="app", error="insufficient_scope""#
            );
            let (_, text) = read(response).await;
            assert!(text.contains("urn:symbolon:problem:forbidden"), "{text}");
        }
    }
    // Signing in again would not help: people get a page, not a redirect.
    let page = app.get("/admin", &[("authorization", &none), HTML]).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let nobody = app.get("/admin", &[]).await;
    assert_eq!(nobody.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_route_may_demand_a_recent_sign_in_rfc_9470() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let guard = guard(&fake).await;
    let five_minutes = Duration::from_secs(300);
    let router = Router::new()
        .route(
            "/money",
            get(|| async {})
                .post(|| async {})
                .layer(guard.require_fresh_login(five_minutes)),
        )
        .route(
            "/zero",
            get(|| async {}).layer(guard.require_fresh_login(Duration::ZERO)),
        );
    let app = App::with(guard, router);
    let held = fake.sign_in();
    let recent = signed_in(&fake, &held, Duration::from_secs(290));
    let old = signed_in(&fake, &held, Duration::from_secs(302));
    let ok = app.get("/money", &[("authorization", &recent)]).await;
    assert_eq!(ok.status(), StatusCode::OK);

    let refused = app.get("/money", &[("authorization", &old)]).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        refused.extensions().get::<Reason>(),
        Some(&Reason::LoginTooOld)
    );
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#));
    assert!(challenge.contains(r#"max_age="300""#), "{challenge}");

    // A person is sent to prove it again, and comes back here.
    let page = app.get("/money", &[("authorization", &old), HTML]).await;
    assert_eq!(page.status(), StatusCode::FOUND);
    let location = page.headers()["location"].to_str().unwrap();
    assert!(location.contains("/oauth2/authorize?"), "{location}");
    assert!(location.contains("&max_age=300"), "{location}");
    let headers = [("authorization", old.as_str()), HTML];
    let post = app.call(request("POST", "/money", &headers)).await;
    assert_eq!(post.status(), StatusCode::UNAUTHORIZED);

    // Somebody who just came back from signing in gets through even where nobody should have to wait.
    let just = signed_in(&fake, &held, Duration::from_secs(5));
    let zero = app.get("/zero", &[("authorization", &just)]).await;
    assert_eq!(zero.status(), StatusCode::OK);
    let zero = app.get("/zero", &[("authorization", &recent)]).await;
    assert_eq!(zero.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_signature_says_live_and_no_layer_can_make_it_older() {
    for shape in [Shape::Session, Shape::Jwt] {
        let fake = Fake::start(shape, "until_expiry").await;
        let guard = guard(&fake).await;
        let live = async |who: Live<Identity>| format!("{:?}", who.proof().ground);
        let router = Router::new()
            .route("/live", get(live))
            .route("/local", get(async |_: Identity| {}))
            .layer(guard.layer());
        let app = App::with(guard, router);
        let held = fake.sign_in();
        let who = bearer(&held.access);
        let headers = [("authorization", who.as_str())];
        assert_eq!(app.get("/local", &headers).await.status(), StatusCode::OK);
        let before = fake.calls().introspect;
        for asked in 1..=3 {
            let (status, text) = read(app.get("/live", &headers).await).await;
            assert_eq!((status, text.as_str()), (StatusCode::OK, "Authority"));
            assert_eq!(fake.calls().introspect, before + asked);
        }
        // The feed is cut: the guard does not hear of the end, but the authority is asked.
        fake.go_down(Down::FEED);
        fake.end(held.sid);
        let response = app.get("/live", &headers).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.extensions().get::<Reason>().is_some());
        assert_eq!(
            app.get("/live", &[]).await.status(),
            StatusCode::UNAUTHORIZED
        );
        let other = fake.sign_in();
        let who = bearer(&other.access);
        let headers = [("authorization", who.as_str())];
        fake.go_down(Down::ALL);
        let response = app.get("/live", &headers).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}

#[tokio::test]
async fn a_live_layer_is_live_enough_for_a_live_extractor() {
    let fake = Fake::start(Shape::Session, "live").await;
    let guard = guard(&fake).await;
    let router = Router::new()
        .route("/live", get(async |_: Live<Identity>| {}))
        .layer(guard.layer());
    let app = App::with(guard, router);
    let who = bearer(&fake.sign_in().access);
    let before = fake.calls().introspect;
    let response = app.get("/live", &[("authorization", &who)]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(fake.calls().introspect, before + 1, "asked once, not twice");
}

#[tokio::test]
async fn an_app_answers_refusals_in_its_own_way_and_learns_why() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let guard = Guard::builder(fake.url(), APP)
        .public_url(APP_URL)
        .on_refusal(|refused| {
            let path = refused.uri().path();
            if path.starts_with("/api/") {
                return Some(refused.problem());
            }
            let own = (StatusCode::IM_A_TEAPOT, refused.reason().code());
            path.starts_with("/own").then(|| own.into_response())
        })
        .connect()
        .await
        .unwrap();
    let mut registry = prometheus_client::registry::Registry::default();
    guard.register_metrics(&mut registry);
    let router = Router::new()
        .route("/api/me", get(async |_: Identity| {}))
        .route("/own", get(async |_: Identity| {}))
        .route("/page", get(async |_: Identity| {}))
        .route("/maybe", get(async |_: Option<Identity>| {}))
        .route("/post", post(async |_: Identity| {}))
        .layer(guard.layer());
    let app = App::with(guard, router);

    let api = app.get("/api/me", &[HTML]).await;
    assert_eq!(api.status(), StatusCode::UNAUTHORIZED, "no redirect");
    let (_, text) = read(api).await;
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["type"], "urn:symbolon:problem:not-signed-in");
    let page = app.get("/page", &[HTML]).await;
    assert_eq!(page.status(), StatusCode::FOUND, "as without a hook");

    let held = fake.sign_in();
    let who = bearer(&held.access);
    fake.end(held.sid);
    app.settle(&fake).await;
    let own = app.get("/own", &[("authorization", &who)]).await;
    assert_eq!(own.headers()["cache-control"], "no-store");
    assert_eq!(own.extensions().get::<Reason>(), Some(&Reason::Ended));
    let (status, text) = read(own).await;
    assert_eq!((status, text.as_str()), (StatusCode::IM_A_TEAPOT, "ended"));

    // A page for everybody is not refused; the app still learns that a dead credential was shown.
    let maybe = app.get("/maybe", &[("authorization", &who)]).await;
    assert_eq!(maybe.status(), StatusCode::OK);
    assert_eq!(maybe.extensions().get::<Reason>(), Some(&Reason::Ended));
    let maybe = app.get("/maybe", &[]).await;
    assert_eq!(maybe.extensions().get::<Reason>(), None);

    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    let line = |reason: &str, count: u32| {
        let line = format!(r#"symbolon_guard_refusals_total{{reason="{reason}"}} {count}"#);
        assert!(text.contains(&line), "{line} in {text}");
    };
    line("ended", 1);
    line("not-signed-in", 2);
}

/// What an outer layer was told may be fresh enough there and too old for an inner one.
#[tokio::test]
async fn an_inner_layer_takes_no_answer_that_is_older_than_its_bound() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    fake.go_down(Down::FEED);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    fake.state().slow = Duration::from_millis(1_300);
    let end = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        fake.end(held.sid);
    };
    // Asked before the end, answered later than a second after it: the inner layer asks again.
    let (response, ()) = tokio::join!(app.visit("/second", &held), end);
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(fake.calls().introspect, 2);
}
