use serde_json::json;

use crate::harness::{Ask, House, PASSWORD, get, text};

const NOBODY: &str = "/api/v1/users/01890a5d-ac96-774b-bcce-b302099a8057";

#[tokio::test]
async fn every_route_needs_an_administrator() {
    let house = House::new().await;
    let bob = house.id_of("bob").await;
    let new = json!({"identifier": "carol", "password": PASSWORD});
    let off = json!({"disabled": true});
    house.needs_an_administrator(|| get("/api/v1/users")).await;
    house
        .needs_an_administrator(|| Ask::post("/api/v1/users").json(&new))
        .await;
    let path = format!("/api/v1/users/{bob}");
    house.needs_an_administrator(|| get(&path)).await;
    house
        .needs_an_administrator(|| Ask::patch(&path).json(&off))
        .await;
    let path = format!("/api/v1/users/{bob}/logins");
    house.needs_an_administrator(|| get(&path)).await;
    house.needs_an_administrator(|| Ask::delete(&path)).await;
    // None of it has happened.
    assert_eq!(
        house
            .run(get("/api/v1/users?identifier=carol"))
            .await
            .json()["users"],
        json!([])
    );
    house.token("bob", "phone").await;
}

#[tokio::test]
async fn users_are_listed_in_pages() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let list = async |query: &str| {
        let answer = house
            .ask(get(&format!("/api/v1/users{query}")).bearer(&admin))
            .await;
        answer.expect_status(200);
        let page = answer.json();
        let names: Vec<_> = page["users"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| text(user, "identifier"))
            .collect();
        (names.join(" "), page["next"].clone())
    };
    assert_eq!(
        list("").await,
        ("admin alice bob mallory".to_owned(), json!(null))
    );
    assert_eq!(
        list("?limit=3").await,
        ("admin alice bob".to_owned(), json!("bob"))
    );
    assert_eq!(
        list("?limit=3&after=bob").await,
        ("mallory".to_owned(), json!(null))
    );
    assert_eq!(list("?limit=4").await.1, json!(null));
    assert_eq!(list("?identifier=ALICE").await.0, "alice");
    assert_eq!(list("?identifier=nobody").await.0, "");
    for bad in [
        "?limit=0",
        "?limit=501",
        "?limit=x",
        "?what=1",
        "?identifier=a%20b",
    ] {
        let ask = get(&format!("/api/v1/users{bad}")).bearer(&admin);
        house.ask(ask).await.expect_problem(400, "bad-request");
    }
}

#[tokio::test]
async fn a_user_is_added_once() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let add = |identifier: &str| {
        let user = json!({"identifier": identifier, "password": PASSWORD, "roles": ["staff"]});
        Ask::post("/api/v1/users").json(&user).bearer(&admin)
    };
    let added = house.ask(add("Carol")).await;
    added.expect_status(201);
    let user = added.json();
    assert_eq!(user["identifier"], "carol");
    assert_eq!(user["disabled"], false);
    assert_eq!(user["created_at"], "2027-01-15T08:00:00Z");
    assert!(!added.body.contains(PASSWORD) && !added.body.contains("argon2"));
    house.token("carol", "phone").await;
    let taken = house.ask(add("CAROL")).await;
    taken.expect_problem(409, "conflict");

    for (user, field) in [
        (
            json!({"identifier": "dave", "password": "1234567"}),
            "password: ",
        ),
        (
            json!({"identifier": "a b", "password": PASSWORD}),
            "identifier: ",
        ),
        (
            json!({"identifier": "dave", "password": PASSWORD, "roles": ["x", "Y"]}),
            "roles[1]: ",
        ),
        (
            json!({"identifier": "dave", "password": PASSWORD, "id": "x"}),
            "id: ",
        ),
    ] {
        let refused = house
            .ask(Ask::post("/api/v1/users").json(&user).bearer(&admin))
            .await;
        refused.expect_problem(400, "bad-request");
        let detail = text(&refused.json(), "detail");
        assert!(detail.starts_with(field), "{detail}");
    }
}

#[tokio::test]
async fn disabling_ends_all_logins() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let bob = house.token("bob", "phone").await;
    let console = house.console("bob").await;
    let app = house.flow(&console, "dashboard").await;
    let path = format!("/api/v1/users/{}", house.id_of("bob").await);
    let set = |disabled: bool| {
        Ask::patch(&path)
            .json(&json!({"disabled": disabled}))
            .bearer(&admin)
    };

    let off = house.ask(set(true)).await;
    off.expect_status(200);
    assert_eq!(off.json()["disabled"], true);
    assert_eq!(off.json()["ended"], 2);
    assert!(text(&off.json(), "position").starts_with("1."));
    for gone in [&bob, &console] {
        let refused = house.ask(get("/api/v1/me").bearer(gone)).await;
        refused.expect_problem(401, "credential-refused");
    }
    let refresh = text(&app, "refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let refused = house
        .ask(house.as_client("dashboard", "/oauth2/token").form(&form))
        .await;
    assert_eq!(refused.json()["error"], "invalid_grant");

    let on = house.ask(set(false)).await;
    on.expect_status(200);
    assert_eq!(on.json()["disabled"], false);
    assert!(on.json().get("position").is_none());
    // Signing in works again; what was ended stays ended.
    house.token("bob", "phone").await;
    let refused = house.ask(get("/api/v1/me").bearer(&bob)).await;
    refused.expect_problem(401, "credential-refused");
}

#[tokio::test]
async fn an_administrator_sees_and_ends_anybodys_logins() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let bobs = house.sign_in("bob", "cli").await;
    let path = format!("/api/v1/users/{}/logins", house.id_of("bob").await);
    let listed = house.ask(get(&path).bearer(&admin)).await;
    listed.expect_status(200);
    assert_eq!(listed.json()["logins"][0]["sid"], bobs["sid"]);
    assert_eq!(listed.json()["logins"][0]["current"], false);

    let ended = house.ask(Ask::delete(&path).bearer(&admin)).await;
    ended.expect_status(200);
    assert_eq!(ended.json()["ended"], 1);
    let token = text(&bobs, "access_token");
    let refused = house.ask(get("/api/v1/me").bearer(&token)).await;
    refused.expect_problem(401, "credential-refused");
    assert_eq!(
        house.ask(get(&path).bearer(&admin)).await.json()["logins"],
        json!([])
    );
}

#[tokio::test]
async fn who_is_not_there_is_not_found() {
    let house = House::new().await;
    let admin = house.token("admin", "phone").await;
    let logins = format!("{NOBODY}/logins");
    for ask in [
        get(NOBODY),
        Ask::patch(NOBODY).json(&json!({"disabled": true})),
        Ask::patch(NOBODY).json(&json!({"disabled": false})),
        get(&logins),
        Ask::delete(&logins),
    ] {
        let missing = house.ask(ask.bearer(&admin)).await;
        missing.expect_problem(404, "not-found");
    }
    let shown = format!("/api/v1/users/{}", house.id_of("alice").await);
    let shown = house.ask(get(&shown).bearer(&admin)).await;
    assert_eq!(shown.json()["identifier"], "alice");
    let bad = house.ask(get("/api/v1/users/alice").bearer(&admin)).await;
    bad.expect_problem(400, "bad-request");
}

#[tokio::test]
async fn new_roles_end_every_login_in_both_shapes() {
    let house = House::new().await;
    let id = house.id_of("alice").await;
    let path = format!("/api/v1/users/{id}");
    let (session, token) = (
        house.token("alice", "phone").await,
        house.token("alice", "cli").await,
    );
    let change = json!({"roles": ["clerk", "boss"]});
    let changed = house.run(Ask::patch(&path).json(&change)).await;
    changed.expect_status(200);
    let changed = changed.json();
    assert_eq!(changed["roles"], json!(["clerk", "boss"]));
    assert_eq!(changed["ended"], 2);
    assert!(text(&changed, "position").starts_with("1."));
    for old in [&session, &token] {
        let refused = house.ask(get("/api/v1/me").bearer(old)).await;
        refused.expect_problem(401, "credential-refused");
    }
    let new = house.token("alice", "cli").await;
    let me = house.ask(get("/api/v1/me").bearer(&new)).await.json();
    assert_eq!(me["roles"], json!(["clerk", "boss"]));

    let admin = house.token("admin", "phone").await;
    let own = format!("/api/v1/users/{}", house.id_of("admin").await);
    let less = json!({"roles": [], "policy": {"idle_seconds": 60}});
    let refused = house.ask(Ask::patch(&own).json(&less).bearer(&admin)).await;
    refused.expect_problem(409, "conflict");
    let unchanged = house.ask(get(&own).bearer(&admin)).await.json();
    assert_eq!(
        (&unchanged["roles"], &unchanged["policy"]),
        (&json!(["admin"]), &json!({}))
    );
}

#[tokio::test]
async fn a_policy_is_checked_and_shown_and_ends_nothing() {
    let house = House::new().await;
    let path = format!("/api/v1/users/{}", house.id_of("alice").await);
    let token = house.token("alice", "phone").await;
    let policy = json!({
        "idle_seconds": 600, "absolute_seconds": 3600, "limit": {"most": 3, "at_limit": "end_oldest"},
    });
    let change = json!({"policy": policy});
    let changed = house.run(Ask::patch(&path).json(&change)).await;
    changed.expect_status(200);
    assert_eq!(changed.json()["policy"], policy);
    assert!(changed.json().get("ended").is_none());
    house
        .ask(get("/api/v1/me").bearer(&token))
        .await
        .expect_status(200);
    let held = house.sign_in("alice", "phone").await;
    assert_eq!(held["expires_in"], 600);
    for (bad, named) in [
        (json!({"policy": {"idle_seconds": 0}}), "idle_seconds"),
        (
            json!({"policy": {"idle_seconds": 2, "absolute_seconds": 1}}),
            "idle_seconds",
        ),
        (
            json!({"policy": {"absolute_seconds": 40_000_000}}),
            "absolute_seconds",
        ),
        (
            json!({"policy": {"limit": {"most": 0, "at_limit": "ask"}}}),
            "policy",
        ),
        (
            json!({"policy": {"limit": {"most": 1, "at_limit": "never"}}}),
            "never",
        ),
        (json!({"policy": {"forever": true}}), "forever"),
        (json!({"roles": ["Not a role"]}), "roles"),
        (json!({}), "policy"),
    ] {
        let refused = house.run(Ask::patch(&path).json(&bad)).await;
        refused.expect_problem(400, "bad-request");
        let detail = text(&refused.json(), "detail");
        assert!(detail.contains(named), "{bad}: {detail}");
    }
    let unchanged = house.run(get(&path)).await.json();
    assert_eq!(unchanged["policy"], policy);
    for change in [json!({"policy": {}}), json!({"roles": []})] {
        let nobody = house.run(Ask::patch(NOBODY).json(&change)).await;
        nobody.expect_problem(404, "not-found");
    }
}
