use std::time::Duration;

use symbolon_jose::{AccessToken, Algorithm, Expect, KeySet, Unverified};

use crate::harness::{Answer, Ask, House, ORIGIN, get, text};

const LEAD: Duration = Duration::from_secs(600);
const START: i64 = 1_800_000_000;

#[tokio::test]
async fn needs_an_administrator() {
    let house = House::new().await;
    house.needs_an_administrator(|| get("/api/v1/keys")).await;
    house
        .needs_an_administrator(|| Ask::post("/api/v1/keys"))
        .await;
    house
        .needs_an_administrator(|| Ask::delete("/api/v1/keys/x"))
        .await;
    let keys = house.run(get("/api/v1/keys")).await.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
}

async fn stages(house: &House) -> Vec<(String, String)> {
    let keys = house.run(get("/api/v1/keys")).await.json();
    let keys = keys["keys"].as_array().unwrap().iter();
    keys.map(|key| (text(key, "kid"), text(key, "stage")))
        .collect()
}

/// A plain library with the JWK Set, at `now`.
async fn takes(house: &House, token: &str, now: i64) -> bool {
    let jwks = house.ask(get("/.well-known/jwks.json")).await;
    let loaded = KeySet::from_jwks(&jwks.body, &[Algorithm::Es256]).unwrap();
    let expect = Expect::new(ORIGIN, "cli", now, 0);
    let unverified = Unverified::parse(token).unwrap();
    unverified
        .verify::<AccessToken>(&loaded.keys, &expect)
        .is_ok()
}

async fn introspect(house: &House, token: &str) -> Answer {
    let ask = Ask::post("/oauth2/introspect").form(&[("token", token)]);
    house.ask(ask).await
}

#[tokio::test]
async fn a_new_key_is_published_and_signs_later() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let first = stages(&house).await[0].0.clone();
    let rotated = house.ask(Ask::post("/api/v1/keys").bearer(&admin)).await;
    rotated.expect_status(201);
    let new = rotated.json();
    let kid = text(&new, "kid");
    assert_eq!(new["stage"], "arriving");
    assert_eq!(text(&new, "signs_from"), "2027-01-15T08:10:00Z");
    let jwks = house.ask(get("/.well-known/jwks.json")).await;
    assert_eq!(jwks.json()["keys"].as_array().unwrap().len(), 2);
    assert_eq!(jwks.header("cache-control"), "public, max-age=300");
    let of = |token: &str| Unverified::parse(token).unwrap().kid().unwrap().to_owned();
    let old_token = house.token("alice", "cli").await;
    assert_eq!(of(&old_token), first);
    house.pass(LEAD);
    let token = house.token("alice", "cli").await;
    assert_eq!(of(&token), kid);
    assert!(takes(&house, &token, START + 601).await);
    let expected = [(first, "leaving".to_owned()), (kid, "signing".to_owned())];
    assert_eq!(stages(&house).await, expected);
}

#[tokio::test]
async fn a_revoked_key_is_dead_at_once_and_logins_live_on() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let signed_in = house.sign_in("alice", "cli").await;
    let token = text(&signed_in, "access_token");
    assert_eq!(introspect(&house, &token).await.json()["active"], true);
    let kid = stages(&house).await[0].0.clone();
    let url = format!("/api/v1/keys/{kid}");
    let revoked = house.ask(Ask::delete(&url).bearer(&admin)).await;
    revoked.expect_status(200);
    let body = revoked.json();
    let head = house.ask(get("/feed/head")).await.json();
    assert_eq!(body["position"], head["head"]);
    assert_eq!(introspect(&house, &token).await.json()["active"], false);
    assert!(!takes(&house, &token, START).await);
    let (now, stage) = stages(&house).await[0].clone();
    assert_eq!(
        (body["signing"]["kid"].as_str(), &*stage),
        (Some(&*now), "signing")
    );

    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "cli"),
        (
            "refresh_token",
            signed_in["refresh_token"].as_str().unwrap(),
        ),
    ];
    let refreshed = house.ask(Ask::post("/oauth2/token").form(&form)).await;
    refreshed.expect_status(200);
    let token = text(&refreshed.json(), "access_token");
    assert_eq!(introspect(&house, &token).await.json()["active"], true);
    assert!(takes(&house, &token, START).await);
    let again = house.ask(Ask::delete(&url).bearer(&admin)).await;
    again.expect_problem(404, "not-found");
}

#[tokio::test]
async fn without_the_store_no_key_is_shown() {
    let house = House::new().await;
    house.set_down(true);
    house
        .run(get("/api/v1/keys"))
        .await
        .expect_problem(503, "unavailable");
    let jwks = house.ask(get("/.well-known/jwks.json")).await;
    jwks.expect_problem(503, "unavailable");
}
