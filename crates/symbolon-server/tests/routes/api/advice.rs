//! `POST /api/v1/advice`: open to everybody, strict about what it is asked.

use serde_json::json;

use crate::harness::{Ask, House, get};

#[tokio::test]
async fn anybody_gets_advice_in_two_languages() {
    let house = House::new().await;
    let body = json!({"facts": {"platform": "spa", "scale": true, "end_within": "2s"}, "lang": "ko", "app": "shop"});
    let answer = house.ask(Ask::post("/api/v1/advice").json(&body)).await;
    answer.expect_status(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let advice = answer.json();
    assert_eq!(advice["shape"], "jwt");
    assert_eq!(advice["freshness"], "within(2s)");
    assert_eq!(advice["reasons"][0]["id"], "spa-jwt");
    assert!(
        advice["reasons"][0]["text"]
            .as_str()
            .unwrap()
            .contains("합니다")
    );
    assert!(
        advice["settings"]["command"]
            .as_str()
            .unwrap()
            .starts_with("symbolon app add shop")
    );
    for member in ["against", "flips_if", "price", "chart"] {
        assert!(!advice[member].is_null(), "{member}");
    }
    let nothing = house
        .ask(Ask::post("/api/v1/advice").json(&json!({})))
        .await;
    nothing.expect_status(200);
    assert_eq!(nothing.json()["reasons"][0]["id"], "default-session");
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let house = House::new().await;
    for (body, named) in [
        (
            json!({"facts": {"people": -5}}),
            "people: expected a whole number from 1",
        ),
        (
            json!({"facts": {"colour": "red"}}),
            "\"colour\": no such fact",
        ),
        (
            json!({"facts": {"platform": "desktop"}}),
            "web, spa, mobile",
        ),
        (json!({"facts": []}), "facts"),
        (json!({"fact": {}}), "fact"),
        (json!({"lang": "de"}), "lang"),
        (json!({"app": "My App"}), "app: expected"),
        (
            json!({"public_url": "javascript:alert(1)"}),
            "public_url: expected",
        ),
    ] {
        let refused = house.ask(Ask::post("/api/v1/advice").json(&body)).await;
        refused.expect_problem(400, "bad-request");
        let problem = refused.json();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{body}: {detail}");
    }
    let text = Ask::post("/api/v1/advice").raw("text/plain", "{}");
    house
        .ask(text)
        .await
        .expect_problem(415, "unsupported-media-type");
}

/// The document lists every fact with its answers, as the adviser's table has them.
#[tokio::test]
async fn the_document_lists_the_facts() {
    let house = House::new().await;
    let document = house.ask(get("/api/v1/openapi.json")).await.json();
    let facts = &document["components"]["schemas"]["Facts"];
    assert_eq!(facts["additionalProperties"], false);
    assert_eq!(facts["properties"].as_object().unwrap().len(), 21);
    assert_eq!(facts["properties"]["platform"]["enum"][1], "spa");
    assert_eq!(facts["properties"]["people"]["minimum"], 1);
}
