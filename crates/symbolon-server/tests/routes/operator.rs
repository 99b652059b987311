use serde_json::json;

use crate::harness::{Ask, House, get, text};

#[tokio::test]
async fn the_operator_needs_no_credential_on_their_own_router_only() {
    let house = House::new().await;
    house.run(get("/api/v1/users")).await.expect_status(200);
    let refused = house.ask(get("/api/v1/users")).await;
    refused.expect_problem(401, "not-signed-in");
}

#[tokio::test]
async fn the_operator_ends_anybodys_login() {
    let house = House::new().await;
    let bob = house.sign_in("bob", "phone").await;
    let path = format!("/api/v1/logins/{}", text(&bob, "sid"));
    let ended = house.run(Ask::delete(&path)).await;
    ended.expect_status(200);
    assert_eq!(ended.json()["ended"], 1);
    let token = text(&bob, "access_token");
    let refused = house.ask(get("/api/v1/me").bearer(&token)).await;
    refused.expect_problem(401, "credential-refused");
    let again = house.run(Ask::delete(&path)).await;
    again.expect_problem(404, "not-found");
}

#[tokio::test]
async fn what_needs_a_person_is_not_the_operators() {
    let house = House::new().await;
    for ask in [
        get("/api/v1/me"),
        get("/api/v1/logins"),
        Ask::post("/api/v1/logins").json(&json!({})),
        get("/oauth2/authorize"),
        get("/sign-in"),
    ] {
        let answer = house.run(ask).await;
        assert!([404, 405].contains(&answer.status()), "{answer:?}");
    }
}
