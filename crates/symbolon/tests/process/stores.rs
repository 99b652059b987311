//! The authority on each of its stores, as it is run: nothing that apps and people see tells them apart.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    servers::{REDIS, REDIS_CLUSTER, Schema, cell},
    town::{App, Environment, PASSWORD, Town, text},
};

/// How long the news of an end may take in a test, on a machine that does much else.
const SOON: Duration = Duration::from_secs(5);
/// How long anything may take that has to notice first that a server is back.
const RECOVERY: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn everything_on_postgresql() {
    lives(vec![("SYMBOLON_STORE", Schema::new().await.url())]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_sqlite_with_logins_in_redis() {
    lives(vec![("SYMBOLON_LOGINS", cell(REDIS))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_with_logins_in_a_redis_cluster() {
    let store = Schema::new().await.url();
    let logins = cell(REDIS_CLUSTER);
    lives(vec![("SYMBOLON_STORE", store), ("SYMBOLON_LOGINS", logins)]).await;
}

/// Refreshes, which must succeed, and gives the successor.
async fn refreshed(town: &Town, app: &App, secret: &str) -> Value {
    let answer = town.refresh(app, secret).await;
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

/// People and apps by the command line, logins, ends, and a restart.
async fn lives(environment: Environment) {
    let mut town = Town::on(environment).await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let api = town.start_app("api", "jwt", "within(10s)");
    let (session, jwt) = (
        town.sign_in("alice", "pages").await,
        town.sign_in("alice", "api").await,
    );
    let (kept, kept_jwt) = (
        town.sign_in("bob", "pages").await,
        town.sign_in("bob", "api").await,
    );
    let access = |login: &Value| text(login, "access_token").to_owned();
    let jwt = refreshed(&town, &api, text(&jwt, "refresh_token")).await;
    for login in [&session, &kept] {
        assert_eq!(pages.whoami(&access(login)).await, StatusCode::OK);
    }
    for login in [&jwt, &kept_jwt] {
        assert_eq!(api.whoami(&access(login)).await, StatusCode::OK);
    }

    assert_eq!(town.end_all(&access(&session)).await["ended"], 2);
    let gone = StatusCode::UNAUTHORIZED;
    pages.comes_to(gone, &access(&session), SOON).await;
    api.comes_to(gone, &access(&jwt), SOON).await;
    let set = town.order(&["user", "set", "alice", "--max-logins", "3"], "");
    assert_eq!(set["policy"]["limit"]["most"], 3);
    let beside = town.order(&["user", "list"], "");

    town.stop();
    assert_eq!(town.order(&["user", "list"], ""), beside);
    let add = ["user", "add", "carol", "--password-stdin"];
    town.order(&add, &format!("{PASSWORD}\n"));
    town.start().await;
    town.sign_in("carol", "api").await;
    for login in [&session, &jwt] {
        assert_eq!(town.me(&access(login)).await, gone);
    }
    let late = town.refresh(&api, text(&jwt, "refresh_token")).await;
    assert_eq!(late.status(), StatusCode::BAD_REQUEST);
    assert_eq!(pages.whoami(&access(&session)).await, gone);
    assert_eq!(api.whoami(&access(&jwt)).await, gone);
    // The guards find the authority again.
    let kept_jwt = refreshed(&town, &api, text(&kept_jwt, "refresh_token")).await;
    pages
        .comes_to(StatusCode::OK, &access(&kept), RECOVERY)
        .await;
    api.comes_to(StatusCode::OK, &access(&kept_jwt), RECOVERY)
        .await;
    let logins = town.order(&["login", "list", "bob"], "");
    assert_eq!(logins["logins"].as_array().unwrap().len(), 2);
    assert_eq!(
        town.order(&["login", "end", "--user", "bob"], "")["ended"],
        2
    );
    pages.comes_to(gone, &access(&kept), SOON).await;
    api.comes_to(gone, &access(&kept_jwt), SOON).await;
}
