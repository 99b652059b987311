use serde_json::{Value, json};

use crate::harness::{Ask, CALLBACK, House, get, text};

fn change(client_id: &str, change: &Value) -> Ask {
    Ask::patch(&format!("/api/v1/apps/{client_id}")).json(change)
}

#[tokio::test]
async fn every_route_needs_an_administrator() {
    let house = House::new().await;
    let new = json!({"client_id": "new", "shape": "jwt"});
    let flip = json!({"shape": "session"});
    house.needs_an_administrator(|| get("/api/v1/apps")).await;
    house
        .needs_an_administrator(|| Ask::post("/api/v1/apps").json(&new))
        .await;
    house
        .needs_an_administrator(|| get("/api/v1/apps/dashboard"))
        .await;
    house
        .needs_an_administrator(|| change("dashboard", &flip))
        .await;
    let app = house.run(get("/api/v1/apps/dashboard")).await.json();
    assert_eq!(app["shape"], "jwt");
}

#[tokio::test]
async fn an_app_is_added_once_and_its_secret_shown_once() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let new = json!({"client_id": "wiki", "shape": "jwt", "redirect_uris": [CALLBACK]});
    let add = || Ask::post("/api/v1/apps").json(&new).bearer(&admin);
    let added = house.ask(add()).await;
    added.expect_status(201);
    let app = added.json();
    let secret = text(&app, "client_secret");
    assert!(secret.starts_with("sym_c_"));
    assert_eq!(app["name"], "wiki");
    assert_eq!(app["freshness"], "within(10s)");
    assert_eq!(app["confidential"], true);
    assert_eq!(app["first_party"], false);
    assert_eq!(app["lifetimes"]["access_token_seconds"], 300);
    house.ask(add()).await.expect_problem(409, "conflict");
    for path in ["/api/v1/apps", "/api/v1/apps/wiki"] {
        let shown = house.ask(get(path).bearer(&admin)).await;
        shown.expect_status(200);
        assert!(shown.body.contains("wiki"));
        assert!(!shown.body.contains("client_secret") && !shown.body.contains(&secret));
    }

    let public = json!({"client_id": "spa2", "shape": "jwt", "confidential": false});
    let added = house
        .ask(Ask::post("/api/v1/apps").json(&public).bearer(&admin))
        .await;
    assert_eq!(added.json()["client_secret"], json!(null));
}

#[tokio::test]
async fn an_app_that_would_be_unsafe_is_refused() {
    let house = House::new().await;
    for (app, field) in [
        (json!({"client_id": "New", "shape": "jwt"}), "client_id: "),
        (json!({"client_id": "new", "shape": "cookie"}), "shape: "),
        (
            json!({"client_id": "new", "shape": "jwt", "freshness": "within(2h)"}),
            "freshness: ",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "name": "a\nb"}),
            "name: ",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "name": " "}),
            "name: ",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "redirect_uris": [CALLBACK, "http://app.example.test/"]}),
            "redirect_uris[1]: ",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "redirect_uris": ["javascript:alert(1)"]}),
            "redirect_uris[0]: ",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "lifetimes": {
                "idle_seconds": 1, "absolute_seconds": 1, "access_token_seconds": 3601, "refresh_grace_seconds": 0}}),
            "lifetimes: access_token_seconds",
        ),
        (
            json!({"client_id": "new", "shape": "jwt", "trusted": true}),
            "trusted: ",
        ),
    ] {
        let refused = house.run(Ask::post("/api/v1/apps").json(&app)).await;
        refused.expect_problem(400, "bad-request");
        let detail = text(&refused.json(), "detail");
        assert!(detail.starts_with(field), "{detail}");
    }
}

#[tokio::test]
async fn what_is_not_said_stays() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let before = house.run(get("/api/v1/apps/dashboard")).await.json();
    let changed = house
        .ask(change("dashboard", &json!({"freshness": "live", "name": "Board"})).bearer(&admin))
        .await;
    changed.expect_status(200);
    let mut expected = before;
    expected["freshness"] = json!("live");
    expected["name"] = json!("Board");
    assert_eq!(changed.json(), expected);
    let missing = change("nobody", &json!({"shape": "jwt"})).bearer(&admin);
    house.ask(missing).await.expect_problem(404, "not-found");
    let id = change("dashboard", &json!({"client_id": "other"})).bearer(&admin);
    house.ask(id).await.expect_problem(400, "bad-request");
}

/// A flip asks nobody to sign in again: the line's current secret takes the new shape.
#[tokio::test]
async fn a_flip_signs_nobody_out() {
    let house = House::new().await;
    let console = house.console("alice").await;
    let first = house.flow(&console, "dashboard").await;
    house
        .run(change("dashboard", &json!({"shape": "session"})))
        .await
        .expect_status(200);
    let refresh = async |secret: &str| {
        let form = [("grant_type", "refresh_token"), ("refresh_token", secret)];
        let ask = house.as_client("dashboard", "/oauth2/token").form(&form);
        let answer = house.ask(ask).await;
        answer.expect_status(200);
        answer.json()
    };
    let session = refresh(&text(&first, "refresh_token")).await;
    assert_eq!(session["shape"], "session");
    assert_eq!(session["sid"], first["sid"]);
    house
        .run(change("dashboard", &json!({"shape": "jwt"})))
        .await
        .expect_status(200);
    let tokens = refresh(&text(&session, "access_token")).await;
    assert_eq!(tokens["shape"], "jwt");
    assert_eq!(tokens["sid"], first["sid"]);
}

#[tokio::test]
async fn a_limit_is_set_shown_and_taken_away() {
    let house = House::new().await;
    let limit = json!({"most": 2, "at_limit": "refuse"});
    let new = json!({"client_id": "till", "shape": "session", "limit": limit});
    let added = house.run(Ask::post("/api/v1/apps").json(&new)).await;
    added.expect_status(201);
    assert_eq!(added.json()["limit"], limit);
    let change = async |change: Value| {
        let ask = Ask::patch("/api/v1/apps/till").json(&change);
        house.run(ask).await
    };
    // What is not said stays; null takes it away.
    let renamed = change(json!({"name": "Till"})).await.json();
    assert_eq!(renamed["limit"], limit);
    let other = json!({"most": 1, "at_limit": "ask"});
    assert_eq!(change(json!({"limit": other})).await.json()["limit"], other);
    let none = change(json!({"limit": null})).await.json();
    assert_eq!(none["limit"], json!(null));
    for bad in [
        json!({"most": 0, "at_limit": "ask"}),
        json!({"most": 1}),
        json!(3),
    ] {
        let refused = change(json!({"limit": bad})).await;
        refused.expect_problem(400, "bad-request");
    }
}
