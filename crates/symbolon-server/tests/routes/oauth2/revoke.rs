use crate::harness::{Ask, House, get, text};

async fn is_active(house: &House, token: &str) -> bool {
    let ask = Ask::post("/oauth2/introspect").form(&[("token", token)]);
    house.ask(ask).await.json()["active"] == true
}

#[tokio::test]
async fn ends_the_grant_and_leaves_the_login() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for member in ["access_token", "refresh_token"] {
        let tokens = house.flow(&console, "dashboard").await;
        let token = text(&tokens, member);
        let ask = house
            .as_client("dashboard", "/oauth2/revoke")
            .form(&[("token", &token)]);
        house.ask(ask).await.expect_status(200);
        assert!(!is_active(&house, &text(&tokens, "access_token")).await);
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &text(&tokens, "refresh_token")),
        ];
        let refused = house
            .ask(house.as_client("dashboard", "/oauth2/token").form(&form))
            .await;
        assert_eq!(refused.json()["error"], "invalid_grant");
        let me = house.ask(get("/api/v1/me").bearer(&console)).await;
        me.expect_status(200);
    }
}

#[tokio::test]
async fn says_the_same_of_every_token_and_touches_no_other_apps() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let others = text(&house.flow(&console, "back-office").await, "access_token");
    for token in [others.as_str(), console.as_str(), "x", "sym_s_x"] {
        let ask = house
            .as_client("dashboard", "/oauth2/revoke")
            .form(&[("token", token)]);
        let answer = house.ask(ask).await;
        answer.expect_status(200);
        assert_eq!(answer.body, "");
    }
    assert!(is_active(&house, &others).await);
    assert!(is_active(&house, &console).await);
}

#[tokio::test]
async fn needs_the_client() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let token = text(&house.flow(&console, "dashboard").await, "access_token");
    for ask in [
        Ask::post("/oauth2/revoke").form(&[("token", &token)]),
        Ask::post("/oauth2/revoke").form(&[("token", &token), ("client_id", "dashboard")]),
        Ask::post("/oauth2/revoke")
            .basic("dashboard", "wrong")
            .form(&[("token", &token)]),
    ] {
        let refused = house.ask(ask).await;
        refused.expect_status(401);
        assert_eq!(refused.json()["error"], "invalid_client");
    }
    assert!(is_active(&house, &token).await);
}

/// An app that is told 200 forgets the token: a failure must not be (CVE-2020-15223).
#[tokio::test]
async fn is_not_said_to_be_done_while_it_is_not() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let token = text(&house.flow(&console, "dashboard").await, "refresh_token");
    house.set_down(true);
    let ask = house
        .as_client("dashboard", "/oauth2/revoke")
        .form(&[("token", &token)]);
    house.ask(ask).await.expect_status(503);
}
