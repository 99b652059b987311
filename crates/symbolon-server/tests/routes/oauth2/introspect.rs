use std::time::Duration;

use serde_json::json;

use crate::harness::{Answer, Ask, House, get, text};

async fn introspect(house: &House, token: &str) -> Answer {
    house
        .ask(Ask::post("/oauth2/introspect").form(&[("token", token)]))
        .await
}

#[tokio::test]
async fn tells_what_a_good_credential_proves() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for (client_id, shape) in [("dashboard", "jwt"), ("back-office", "session")] {
        let given = house.flow(&console, client_id).await;
        let answer = introspect(&house, &text(&given, "access_token")).await;
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let known = answer.json();
        assert_eq!(known["active"], true);
        assert_eq!(known["client_id"], client_id);
        assert_eq!(known["shape"], shape);
        assert_eq!(known["username"], "alice");
        assert_eq!(known["sid"], given["sid"]);
        assert_eq!(known["amr"], json!(["pwd"]));
        assert_eq!(known["exp"], 1_800_000_300);
    }
}

#[tokio::test]
async fn says_no_more_than_no() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let tokens = house.flow(&console, "dashboard").await;
    let mut bad = house.bad_credentials().await;
    bad.push(("the app's refresh token", text(&tokens, "refresh_token")));
    for (what, credential) in bad {
        let answer = introspect(&house, &credential).await;
        answer.expect_status(200);
        assert_eq!(answer.body, r#"{"active":false}"#, "{what}");
    }
    house.pass(Duration::from_secs(301));
    let expired = introspect(&house, &text(&tokens, "access_token")).await;
    assert_eq!(expired.body, r#"{"active":false}"#);
}

#[tokio::test]
async fn takes_one_token_as_a_form() {
    let house = House::new().await;
    for ask in [
        Ask::post("/oauth2/introspect").form(&[]),
        Ask::post("/oauth2/introspect").form(&[("token", "x"), ("token", "y")]),
        Ask::post("/oauth2/introspect").json(&json!({"token": "x"})),
    ] {
        let refused = house.ask(ask).await;
        refused.expect_status(400);
        assert_eq!(refused.json()["error"], "invalid_request");
    }
    // A credential does not belong into a URL.
    let refused = house.ask(get("/oauth2/introspect?token=x")).await;
    refused.expect_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn without_the_store_there_is_no_verdict() {
    let house = House::new().await;
    let console = house.console("alice").await;
    house.set_down(true);
    let answer = introspect(&house, &console).await;
    answer.expect_status(503);
    assert_eq!(answer.json()["error"], "temporarily_unavailable");
}
