//! What is refused, and what a refusal looks like.

use axum::http::StatusCode;
use serde_json::Value;
use symbolon_guard::Shape;

use crate::{
    app::{App, cookies, read, request, set_cookies},
    fake::{APP_URL, Fake},
};

const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[tokio::test]
async fn programs_get_problem_details_and_people_are_sent_to_sign_in() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    for path in ["/", "/required", "/live"] {
        let response = app.get(path, &[]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let headers = response.headers().clone();
        assert_eq!(headers["www-authenticate"], r#"Bearer realm="app""#);
        assert_eq!(headers["content-type"], "application/problem+json");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["vary"], "Cookie, Authorization");
        let (_, text) = read(response).await;
        let problem: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["type"], "urn:symbolon:problem:not-signed-in");
        assert_eq!(problem["status"], 401);

        let response = app.get(path, &[HTML]).await;
        assert_eq!(response.status(), StatusCode::FOUND);
        let location = response.headers()["location"].to_str().unwrap();
        assert!(location.starts_with(&format!("{}/oauth2/authorize?", fake.url())));

        let fetch = app.get(path, &[HTML, ("sec-fetch-mode", "cors")]).await;
        assert_eq!(fetch.status(), StatusCode::UNAUTHORIZED);
    }
    let own = ("sec-fetch-site", "same-origin");
    let post = app.call(request("POST", "/", &[HTML, own])).await;
    assert_eq!(post.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bad_credentials_are_refused_alike_and_never_say_why() {
    let fake = Fake::start(Shape::Jwt, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let mut forged = held.access.clone();
    let changed = forged.len() - 3..forged.len() - 2;
    let other = if &forged[changed.clone()] == "A" {
        "Q"
    } else {
        "A"
    };
    forged.replace_range(changed, other);
    assert_ne!(forged, held.access);
    let bad = [
        forged,
        fake.token(&held, |claims| claims.aud = "other".into()),
        fake.token(&held, |claims| claims.client_id = "other".into()),
        fake.token(&held, |claims| {
            claims.iss = "http://evil.example.test".into();
        }),
        fake.token(&held, |claims| claims.rev = "latest".into()),
        // Longer than guards remember cut-offs.
        fake.token(&held, |claims| claims.exp = claims.iat + 7_200),
        fake.token(&held, |claims| {
            claims.iat -= 400;
            claims.exp = claims.iat + 300;
        }),
        held.refresh.clone().unwrap(),
        format!("sym_s_{}", "x".repeat(91)),
        "nonsense".to_owned(),
        String::new(),
        "a.b.c".to_owned(),
    ];
    let mut texts = Vec::new();
    for credential in &bad {
        let bearer = format!("Bearer {credential}");
        let response = app.get("/", &[("authorization", &bearer)]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{credential}");
        let challenge = &response.headers()["www-authenticate"];
        assert_eq!(challenge, r#"Bearer realm="app", error="invalid_token""#);
        texts.push(read(response).await.1);
        let response = app.get("/maybe", &[("authorization", &bearer)]).await;
        assert_eq!(read(response).await.1, "nobody");
    }
    texts.dedup();
    assert_eq!(texts.len(), 1);
    assert!(
        texts
            .concat()
            .contains("urn:symbolon:problem:credential-refused")
    );
}

#[tokio::test]
async fn a_bad_bearer_is_not_passed_over_for_a_good_cookie() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let cookie = cookies(&fake.sign_in());
    let headers = [("authorization", "Bearer nonsense"), ("cookie", &cookie)];
    let response = app.get("/", &headers).await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_tossed_cookie_is_refused() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let (victim, attacker) = (fake.sign_in(), fake.sign_in());
    let tossed = format!("{}; {}", cookies(&attacker), cookies(&victim));
    for path in ["/", "/maybe", "/required"] {
        let response = app.get(path, &[("cookie", &tossed)]).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert!(set_cookies(&response).is_empty());
        let (_, text) = read(response).await;
        assert!(text.contains("urn:symbolon:problem:bad-request"));
    }
    let page = app.get("/", &[("cookie", &tossed), HTML]).await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(read(page).await.1.contains("lang=\"ko\""));
}

#[tokio::test]
async fn unsafe_requests_with_cookies_prove_where_they_come_from() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let cookie = cookies(&held);
    let cookie = ("cookie", cookie.as_str());
    for (header, expected) in [
        (("sec-fetch-site", "same-origin"), StatusCode::OK),
        (("origin", APP_URL), StatusCode::OK),
        (("sec-fetch-site", "same-site"), StatusCode::FORBIDDEN),
        (("sec-fetch-site", "cross-site"), StatusCode::FORBIDDEN),
        (("origin", "http://localhost:7301"), StatusCode::FORBIDDEN),
        (("origin", "null"), StatusCode::FORBIDDEN),
        (("x-nothing", ""), StatusCode::FORBIDDEN),
    ] {
        let response = app.call(request("POST", "/", &[cookie, header])).await;
        assert_eq!(response.status(), expected, "{header:?}");
    }
    // A websocket handshake is a GET, and opens a channel in the caller's name.
    let upgrade = [
        cookie,
        ("upgrade", "websocket"),
        ("sec-fetch-site", "same-site"),
    ];
    let response = app.get("/", &upgrade).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    // No cookie, no authority to abuse.
    let bearer = format!("Bearer {}", held.access);
    let headers = [("authorization", bearer.as_str()), ("origin", "null")];
    let response = app.call(request("POST", "/", &headers)).await;
    assert_eq!(response.status(), StatusCode::OK);
    // A route that asks for nobody is the app's own business.
    let response = app.call(request("POST", "/plain", &[])).await;
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn answers_for_one_person_are_not_stored() {
    let fake = Fake::start(Shape::Session, "within(10s)").await;
    let app = App::of(&fake).await;
    let held = fake.sign_in();
    let response = app.visit("/maybe", &held).await;
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["vary"], "Cookie, Authorization");
    let response = app.visit("/own", &held).await;
    assert_eq!(response.headers()["cache-control"], "private");
    let response = app.get("/maybe", &[]).await;
    assert!(!response.headers().contains_key("cache-control"));
    assert_eq!(response.headers()["vary"], "Cookie, Authorization");
}
