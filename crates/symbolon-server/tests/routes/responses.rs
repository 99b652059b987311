//! What every response bears, and what no request gets past.

use axum::{Router, body::Body, routing::get as on_get};
use http::header;
use serde_json::json;

use crate::harness::{Ask, House, Mood, get};

#[tokio::test]
async fn every_response_keeps_browsers_careful() {
    let house = House::new().await;
    for ask in [
        get("/"),
        get("/sign-in"),
        get("/no-such-page"),
        get("/api/v1/me"),
        get("/api/v1/none"),
        get("/api/v1/openapi.json"),
        Ask::post("/oauth2/token"),
        get("/oauth2/authorize"),
        get("/.well-known/jwks.json"),
        get("/feed/head"),
        get("/healthz"),
        Ask::new("TRACE", "/"),
        Ask::post("/sign-in"),
    ] {
        let answer = house.ask(ask).await;
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            (
                "strict-transport-security",
                "max-age=63072000; includeSubDomains",
            ),
        ] {
            assert_eq!(answer.header(name), expected, "{name} {answer:?}");
        }
        let csp = answer.header("content-security-policy");
        assert!(csp.contains("default-src 'none'"), "{csp}");
        assert!(csp.contains("frame-ancestors 'none'"), "{csp}");
        assert!(csp.contains("base-uri 'none'"), "{csp}");
        assert!(!answer.header("cache-control").is_empty());
        assert!(answer.headers.contains_key(header::CONTENT_TYPE) || answer.body.is_empty());
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
}

/// Its id in the log is ours: one that a client sends could be anything.
#[tokio::test]
async fn a_request_is_named_by_us() {
    let house = House::new().await;
    let ask = get("/healthz").header("x-request-id", "planted");
    assert_ne!(house.ask(ask).await.header("x-request-id"), "planted");
}

#[tokio::test]
async fn what_is_not_there_is_told_to_programs_as_a_problem() {
    let house = House::new().await;
    for path in ["/api/v1/nothing", "/oauth2/x", "/feed/x", "/.well-known/x"] {
        house.ask(get(path)).await.expect_problem(404, "not-found");
    }
    for (method, path) in [
        ("POST", "/api/v1/me"),
        ("PUT", "/api/v1/users"),
        ("POST", "/feed"),
        ("DELETE", "/feed/head"),
    ] {
        let answer = house.ask(Ask::new(method, path)).await;
        answer.expect_problem(405, "method-not-allowed");
    }
    let page = house.ask(get("/nothing")).await;
    page.expect_status(404);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let house = House::new().await;
    let long = "a".repeat(64 * 1_024);
    let body = json!({"identifier": "alice", "password": long, "client_id": "phone"});
    let refused = house.ask(Ask::post("/api/v1/logins").json(&body)).await;
    refused.expect_problem(413, "too-large");
    let refused = house
        .ask(Ask::post("/oauth2/introspect").form(&[("token", &long)]))
        .await;
    refused.expect_status(413);
    // Without a length that could be believed.
    let chunks = (0..100).map(|_| Ok::<_, std::io::Error>("a".repeat(1_024)));
    let endless = Body::from_stream(futures_util::stream::iter(chunks));
    let ask = Ask::post("/api/v1/logins").raw("application/json", endless);
    house.ask(ask).await.expect_problem(413, "too-large");
}

/// It mounts in another application, beside routes of its own.
#[tokio::test]
async fn the_router_is_one_among_others() {
    let house = House::new().await;
    let app = Router::new()
        .route("/own", on_get(async || "own"))
        .fallback_service(house.router.clone());
    let own = get("/own").send(&app).await;
    assert_eq!(own.body, "own");
    let ours = get("/healthz").send(&app).await;
    assert_eq!(ours.body, "ok\n");
}

/// The last resort (ASVS 16.5.4): 500 with every header, nothing of the inside, and the process lives.
#[tokio::test]
async fn a_panic_is_answered() {
    let house = House::new().await;
    house.set_mood(Mood::Panicking);
    let answer = house.ask(get("/readyz")).await;
    answer.expect_problem(500, "internal");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(!answer.body.contains("SELECT"));
    house.set_mood(Mood::Fine);
    house.ask(get("/readyz")).await.expect_status(200);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let house = House::new().await;
    house.set_mood(Mood::Silent);
    // From here on time passes as soon as nothing else happens.
    tokio::time::pause();
    let answer = house.ask(get("/readyz")).await;
    answer.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
}
