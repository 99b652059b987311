use serde_json::json;

use crate::harness::{Ask, House, get, text};

const GUARD: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn needs_an_administrator() {
    House::new()
        .await
        .needs_an_administrator(|| get("/api/v1/guards"))
        .await;
}

#[tokio::test]
async fn shows_who_follows_and_how_soon_each_had_applied_an_end() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let report = async |applied: &str| {
        let url = format!("/feed/head?guard={GUARD}&applied={applied}");
        let ask = get(&url).basic("dashboard", &house.secret("dashboard"));
        let answer = house.ask(ask).await;
        answer.expect_status(200);
        text(&answer.json(), "head")
    };
    let head = report("1.1").await;
    report(&head).await;

    let guards = house.ask(get("/api/v1/guards").bearer(&admin)).await;
    guards.expect_status(200);
    let guard = guards.json()["guards"][0].clone();
    assert_eq!(guard["guard"], GUARD);
    assert_eq!(guard["client_id"], "dashboard");
    assert_eq!(guard["applied"], head);
    assert!(guard["seen_ms_ago"].as_f64().unwrap() < 5_000.0);
    assert!(guard.get("applied_after_ms").is_none());

    house.sign_in("bob", "phone").await;
    let bob = house.id_of("bob").await;
    let ended = house
        .ask(Ask::delete(&format!("/api/v1/users/{bob}/logins")).bearer(&admin))
        .await;
    let position = text(&ended.json(), "position");
    let asked = async || {
        let url = format!("/api/v1/guards?position={position}");
        let answer = house.ask(get(&url).bearer(&admin)).await.json();
        answer["guards"][0]["applied_after_ms"].clone()
    };
    assert_eq!(asked().await, json!(null));
    report(&position).await;
    let ms = asked().await.as_f64().unwrap();
    assert!((0.0..5_000.0).contains(&ms), "{ms}");
}

#[tokio::test]
async fn a_position_has_one_spelling() {
    let house = House::new().await;
    for bad in ["?position=1", "?position=+1.1", "?positon=1.1"] {
        let refused = house.run(get(&format!("/api/v1/guards{bad}"))).await;
        refused.expect_problem(400, "bad-request");
    }
}
