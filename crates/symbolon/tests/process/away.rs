//! A store that is away: 503, which is neither a yes nor a no, until it is back.

use std::time::{Duration, Instant};

use reqwest::StatusCode;

use crate::{
    relay::Relay,
    servers::{POSTGRES, REDIS, Schema, cell, port, through},
    town::{Environment, PASSWORD, Town, text},
};

const RECOVERY: Duration = Duration::from_secs(20);
const AWAY: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_away_is_503_until_it_is_back() {
    let relay = Relay::to(port(POSTGRES)).await;
    let store = Schema::new().await.url_through(&relay);
    outlasts(vec![("SYMBOLON_STORE", store)], &relay, POSTGRES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_away_is_503_until_it_is_back() {
    let relay = Relay::to(port(REDIS)).await;
    let logins = through(&cell(REDIS), &relay);
    outlasts(vec![("SYMBOLON_LOGINS", logins)], &relay, REDIS).await;
}

/// Packets that are dropped on the way: no connection ends, nobody answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_says_nothing_is_503_soon() {
    let postgres = Relay::to(port(POSTGRES)).await;
    let redis = Relay::to(port(REDIS)).await;
    let store = Schema::new().await.url_through(&postgres);
    let logins = through(&cell(REDIS), &redis);
    let towns = [
        (vec![("SYMBOLON_LOGINS", logins)], &redis, REDIS),
        (vec![("SYMBOLON_STORE", store)], &postgres, POSTGRES),
    ];
    for (environment, relay, server) in towns {
        let town = Town::on(environment).await;
        town.register_app("pages", "session", "live", "https://app.example/cb");
        let login = town.sign_in("alice", "pages").await;
        let access = text(&login, "access_token");
        relay.slow_down(Duration::from_secs(3600));
        for _ in 0..2 {
            let began = Instant::now();
            assert_eq!(town.me(access).await, AWAY);
            let took = began.elapsed();
            println!("{server}: 503 after {took:.0?}");
            assert!(took < Duration::from_secs(12), "{took:?}");
        }
        relay.slow_down(Duration::ZERO);
        relay.turn_to(port(server));
        let back = Instant::now();
        while town.me(access).await != StatusCode::OK {
            assert!(back.elapsed() < RECOVERY, "not back");
        }
        println!("{server}: back after {:.0?}", back.elapsed());
    }
}

async fn outlasts(environment: Environment, relay: &Relay, server: &str) {
    let town = Town::on(environment).await;
    let pages = town.start_app("pages", "session", "within(10s)");
    let api = town.start_app("api", "jwt", "within(10s)");
    let (ended, ended_jwt) = (
        town.sign_in("alice", "pages").await,
        town.sign_in("alice", "api").await,
    );
    let (kept, kept_jwt) = (
        town.sign_in("bob", "pages").await,
        town.sign_in("bob", "api").await,
    );
    let refresh = text(&kept_jwt, "refresh_token");
    let [ended, ended_jwt, kept, kept_jwt] =
        [&ended, &ended_jwt, &kept, &kept_jwt].map(|login| text(login, "access_token"));
    assert_eq!(api.whoami(kept_jwt).await, StatusCode::OK);
    assert_eq!(town.end_all(ended).await["ended"], 2);
    let gone = StatusCode::UNAUTHORIZED;
    pages.comes_to(gone, ended, RECOVERY).await;
    api.comes_to(gone, ended_jwt, RECOVERY).await;

    relay.cut();
    let mut slowest = Duration::ZERO;
    for _ in 0..3 {
        let began = Instant::now();
        for credential in [kept, kept_jwt] {
            assert_eq!(town.me(credential).await, AWAY);
        }
        slowest = slowest.max(began.elapsed() / 2);
        assert_eq!(town.refresh(&api, refresh).await.status(), AWAY);
        let sign_in = town.try_sign_in("bob", PASSWORD, "api").await;
        assert_eq!(sign_in.status(), AWAY);
        let wrong = town.try_sign_in("bob", "not their password", "api").await;
        assert!(wrong.status() == AWAY || wrong.status() == gone);
        let end = town.request("DELETE", "/api/v1/logins", kept);
        assert_eq!(end.send().await.unwrap().status(), AWAY);
        // To what has ended a no may be known, a yes never.
        for credential in [ended, ended_jwt] {
            let answer = town.me(credential).await;
            assert!(answer == AWAY || answer == gone, "{answer}");
        }
        for answer in [pages.whoami(ended).await, api.whoami(ended_jwt).await] {
            assert!(answer == AWAY || answer == gone, "{answer}");
        }
    }
    println!("503 after {slowest:.0?} at most");

    relay.turn_to(port(server));
    let back = Instant::now();
    while town.me(kept).await != StatusCode::OK {
        assert!(back.elapsed() < RECOVERY, "not back");
    }
    println!("back after {:.0?}", back.elapsed());
    assert_eq!(town.me(kept_jwt).await, StatusCode::OK);
    for credential in [ended, ended_jwt] {
        assert_eq!(town.me(credential).await, gone);
    }
    assert_eq!(town.refresh(&api, refresh).await.status(), StatusCode::OK);
    town.sign_in("bob", "api").await;
    pages.comes_to(StatusCode::OK, kept, RECOVERY).await;
    // The news flows again, too.
    assert_eq!(town.end_all(kept).await["ended"], 3);
    pages.comes_to(gone, kept, RECOVERY).await;
    api.comes_to(gone, kept_jwt, RECOVERY).await;
}
