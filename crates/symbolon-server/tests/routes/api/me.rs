use std::time::Duration;

use crate::harness::{House, get, text};

#[tokio::test]
async fn needs_a_first_party_caller() {
    House::new()
        .await
        .needs_a_caller(|| get("/api/v1/me"))
        .await;
}

#[tokio::test]
async fn shows_what_the_server_keeps_in_both_shapes() {
    let house = House::new().await;
    for (client_id, shape) in [("phone", "session"), ("cli", "jwt")] {
        let signed_in = house.sign_in("alice", client_id).await;
        let token = text(&signed_in, "access_token");
        let answer = house.ask(get("/api/v1/me").bearer(&token)).await;
        answer.expect_status(200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let me = answer.json();
        assert_eq!(me["username"], "alice");
        assert_eq!(me["roles"], serde_json::json!(["staff"]));
        assert_eq!(me["client_id"], client_id);
        assert_eq!(me["shape"], shape);
        assert_eq!(me["sid"], signed_in["sid"]);
        assert_eq!(me["auth_time"], "2027-01-15T08:00:00Z");
        let record = &me["record"];
        assert_eq!(record["generation"], 0);
        assert_eq!(text(record, "digest_starts").len(), 8);
        assert_eq!(record["login_expires_at"], "2027-02-14T08:00:00Z");
        // The secret itself is nowhere in it.
        assert!(!answer.body.contains("sym_"));
    }
}

#[tokio::test]
async fn an_expired_credential_is_refused() {
    let house = House::new().await;
    let jwt = house.token("alice", "cli").await;
    let session = house.token("alice", "phone").await;
    house.pass(Duration::from_secs(301));
    let refused = house.ask(get("/api/v1/me").bearer(&jwt)).await;
    refused.expect_problem(401, "credential-refused");
    house
        .ask(get("/api/v1/me").bearer(&session))
        .await
        .expect_status(200);
    // A week without use.
    house.pass(Duration::from_secs(7 * 86_400));
    let refused = house.ask(get("/api/v1/me").bearer(&session)).await;
    refused.expect_problem(401, "credential-refused");
}

#[tokio::test]
async fn a_cookie_is_good_for_its_own_app_only() {
    let house = House::new().await;
    let session = house.token("alice", "phone").await;
    let console = house.console("alice").await;
    let foreign = text(&house.flow(&console, "back-office").await, "access_token");
    let me = |name: &str, value: &str| get("/api/v1/me").cookie(name, value);

    house
        .ask(me("__Host-phone", &session))
        .await
        .expect_status(200);
    house
        .ask(me("__Host-symbolon", &console))
        .await
        .expect_status(200);
    for (name, value, problem) in [
        ("__Host-symbolon", &session, "credential-refused"),
        ("__Host-phone", &console, "credential-refused"),
        // Not first-party: not meant for us.
        ("__Host-back-office", &foreign, "not-signed-in"),
        // Without the prefix anybody on a sibling host could have set it.
        ("phone", &session, "not-signed-in"),
        ("__host-phone", &session, "not-signed-in"),
        ("__Host-nobody", &session, "not-signed-in"),
    ] {
        let refused = house.ask(me(name, value)).await;
        refused.expect_problem(401, problem);
    }
}

#[tokio::test]
async fn foreign_cookies_beside_ours_do_no_harm() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let foreign = text(&house.flow(&console, "back-office").await, "access_token");
    let both = get("/api/v1/me")
        .cookie("__Host-back-office", &foreign)
        .cookie("__Host-lang", "ko")
        .cookie("__Host-symbolon", &console);
    house.ask(both).await.expect_status(200);
}

#[tokio::test]
async fn a_cookie_that_comes_twice_is_refused() {
    let house = House::new().await;
    let console = house.console("alice").await;
    for other in ["planted", console.as_str()] {
        for line in [
            format!("__Host-symbolon={console}; __Host-symbolon={other}"),
            format!("__Host-symbolon={other}; __Host-symbolon={console}"),
        ] {
            let twice = house.ask(get("/api/v1/me").header("cookie", &line)).await;
            twice.expect_problem(400, "bad-request");
        }
        let lines = get("/api/v1/me")
            .cookie("__Host-symbolon", &console)
            .cookie("__Host-symbolon", other);
        house.ask(lines).await.expect_problem(400, "bad-request");
    }
}

#[tokio::test]
async fn two_authorizations_are_refused() {
    let house = House::new().await;
    let token = house.token("alice", "phone").await;
    let twice = get("/api/v1/me").bearer(&token).bearer(&token);
    house.ask(twice).await.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn without_the_store_nobody_is_known_and_nobody_is_thrown_out() {
    let house = House::new().await;
    let token = house.token("alice", "phone").await;
    house.set_down(true);
    let answer = house.ask(get("/api/v1/me").bearer(&token)).await;
    answer.expect_problem(503, "unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    // What went wrong inside stays inside (ASVS 16.5.1).
    assert!(!answer.body.contains("SELECT"));
    house.set_down(false);
    house
        .ask(get("/api/v1/me").bearer(&token))
        .await
        .expect_status(200);
}
