//! `POST /api/v1/advice`: open to everybody, strict about what it is asked.

use serde_json::{Value, json};

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

/// Types, statuses and names stay; what people read is in their language.
#[tokio::test]
async fn what_is_wrong_is_named_in_korean_too() {
    let house = House::new().await;
    let ask = |body: &Value| Ask::post("/api/v1/advice").json(body);
    for (body, named) in [
        (
            json!({"facts": {"people": -5}}),
            "facts: people: 쓸 수 없는 값입니다: \"-5\". 쓸 수 있는 값: 1부터 10000000000까지의 정수",
        ),
        (
            json!({"facts": {"requests_per_second": 99_999_999_999_u64}}),
            "facts: requests_per_second: 쓸 수 없는 값입니다",
        ),
        (
            json!({"facts": {"colour": "red"}}),
            "facts: \"colour\": 그런 항목은 없습니다",
        ),
        (json!({"facts": []}), "facts: 쓸 수 없는 값입니다("),
        (json!({"lang": "de"}), "lang: 쓸 수 없는 값입니다("),
        (json!({"app": "My App"}), "app: 영문 소문자"),
        (json!({"public_url": "javascript:alert(1)"}), "public_url: "),
    ] {
        let refused = ask(&body).header("accept-language", "ko-KR,ko;q=0.9,en;q=0.8");
        let refused = house.ask(refused).await;
        refused.expect_problem(400, "bad-request");
        assert_eq!(refused.header("content-language"), "ko");
        let problem = refused.json();
        assert_eq!(problem["title"], "요청이 올바르지 않습니다.");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(named), "{body}: {detail}");
        let english = house.ask(ask(&body).header("accept-language", "en")).await;
        assert_eq!(
            english.json()["title"],
            "The request is not what it should be."
        );
        assert_eq!(english.header("content-language"), "");
    }
    // Who asks for Korean texts reads Korean.
    let said = json!({"facts": {"people": 0}, "lang": "ko"});
    let refused = house.ask(ask(&said)).await;
    refused.expect_problem(400, "bad-request");
    assert!(
        refused.body.contains("쓸 수 없는 값입니다"),
        "{}",
        refused.body
    );
    let text = Ask::post("/api/v1/advice").raw("text/plain", "{}");
    let refused = house.ask(text.header("accept-language", "ko")).await;
    refused.expect_problem(415, "unsupported-media-type");
    assert!(
        refused.body.contains("Content-Type입니다"),
        "{}",
        refused.body
    );
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
