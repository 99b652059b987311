//! Signing keys of a running server: they rotate under load, and one in wrong hands is revoked.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use reqwest::{Client, StatusCode, header::CACHE_CONTROL};
use serde_json::Value;
use symbolon_server::jose::{AccessToken, Algorithm, Expect, KeySet, Unverified};
use tokio::time::sleep;

use crate::town::{Town, client, text};

const SOON: Duration = Duration::from_secs(10);
const LATE: Duration = Duration::from_secs(60);

/// A plain JWT library: knows the JWK Set, and keeps it for as long as it was told.
struct Plain {
    url: String,
    http: Client,
    kept: Option<(KeySet, Instant, Duration)>,
}

impl Plain {
    fn new(town: &Town) -> Self {
        Self {
            url: town.url.clone(),
            http: client(),
            kept: None,
        }
    }

    async fn takes(&mut self, token: &str) -> bool {
        let over = |(_, since, max_age): &(_, Instant, Duration)| since.elapsed() >= *max_age;
        if self.kept.as_ref().is_none_or(over) {
            let asked = Instant::now();
            let url = format!("{}/.well-known/jwks.json", self.url);
            let answer = self.http.get(url).send().await.unwrap();
            let kept_for = answer.headers()[CACHE_CONTROL].to_str().unwrap();
            let kept_for = kept_for.strip_prefix("public, max-age=").unwrap();
            let kept_for = Duration::from_secs(kept_for.parse().unwrap());
            let jwks = answer.text().await.unwrap();
            let keys = KeySet::from_jwks(&jwks, &[Algorithm::Es256]).unwrap().keys;
            self.kept = Some((keys, asked, kept_for));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let expect = Expect::new(&*self.url, "api", now, 0);
        let (keys, ..) = self.kept.as_ref().unwrap();
        let unverified = Unverified::parse(token).unwrap();
        unverified.verify::<AccessToken>(keys, &expect).is_ok()
    }
}

fn kid_of(token: &str) -> String {
    let unverified = Unverified::parse(token).unwrap();
    unverified.kid().unwrap().to_owned()
}

async fn refreshed(http: &Client, url: &str, secret: &str, refresh_token: &str) -> Value {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
    ];
    let ask = http.post(format!("{url}/oauth2/token"));
    let answer = ask.basic_auth("api", Some(secret)).form(&form).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

async fn is_active(http: &Client, url: &str, token: &str) -> bool {
    let ask = http.post(format!("{url}/oauth2/introspect"));
    let answer = ask.form(&[("token", token)]).send().await.unwrap();
    let facts: Value = answer.json().await.unwrap();
    facts["active"] == true
}

fn stages(town: &Town) -> Vec<(String, String)> {
    let listed = town.order(&["keys", "list"], "");
    let keys = listed["keys"].as_array().unwrap().iter();
    keys.map(|key| (text(key, "kid").to_owned(), text(key, "stage").to_owned()))
        .collect()
}

fn signing(town: &Town) -> String {
    let keys = stages(town).into_iter();
    let mut signing = keys.filter(|(_, stage)| stage == "signing");
    signing.next().unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_under_load_and_no_token_is_refused() {
    // The JWK Set may be kept for half the lead.
    let short = ("SYMBOLON_KEY_LEAD", "4s".to_owned());
    let mut town = Town::on(vec![short]).await;
    let app = town.start_app("api", "jwt", "within(10s)");
    let stop = Arc::new(AtomicBool::new(false));
    let mut load = Vec::new();
    for _ in 0..2 {
        let login = town.sign_in("alice", "api").await;
        let (mut plain, stop) = (Plain::new(&town), Arc::clone(&stop));
        let (http, url, secret) = (client(), town.url.clone(), app.secret.clone());
        let (guarded, mut line) = (app.url.clone(), text(&login, "refresh_token").to_owned());
        load.push(tokio::spawn(async move {
            let (mut kids, mut last) = (BTreeSet::new(), String::new());
            while !stop.load(Ordering::Relaxed) {
                let next = refreshed(&http, &url, &secret, &line).await;
                line = text(&next, "refresh_token").to_owned();
                last = text(&next, "access_token").to_owned();
                kids.insert(kid_of(&last));
                assert!(plain.takes(&last).await, "a plain verifier refused");
                assert!(is_active(&http, &url, &last).await, "introspection refused");
                let guard = http.get(format!("{guarded}/api/whoami")).bearer_auth(&last);
                assert_eq!(guard.send().await.unwrap().status(), StatusCode::OK);
            }
            (kids, last)
        }));
    }
    let mut made = Vec::new();
    for _ in 0..10 {
        let key = town.order(&["keys", "rotate"], "");
        assert_eq!(key["stage"], "arriving");
        made.push(text(&key, "kid").to_owned());
        sleep(Duration::from_millis(300)).await;
    }
    let last_made = made.last().unwrap();
    let began = Instant::now();
    while signing(&town) != *last_made {
        assert!(began.elapsed() < LATE, "the last key never signed");
        sleep(Duration::from_millis(100)).await;
    }
    sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let mut tokens = Vec::new();
    for task in load {
        let (kids, last) = task.await.unwrap();
        assert!(kids.len() >= 3, "{} keys signed", kids.len());
        assert_eq!(kid_of(&last), *last_made);
        tokens.push(last);
    }

    // All keys and their times are on disk.
    let before = town.order(&["keys", "list"], "");
    town.kill();
    assert_eq!(town.order(&["keys", "list"], ""), before);
    let key = town.order(&["keys", "rotate"], "");
    town.start().await;
    let mut plain = Plain::new(&town);
    for token in &tokens {
        assert!(plain.takes(token).await);
        assert!(is_active(&town.http, &town.url, token).await);
    }
    let last = stages(&town).pop().unwrap();
    assert_eq!(last.0, text(&key, "kid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_is_refused_everywhere_and_nobody_is_signed_out() {
    let mut town = Town::new().await;
    let app = town.start_app("api", "jwt", "within(10s)");
    let login = town.sign_in("alice", "api").await;
    let token = text(&login, "access_token");
    assert_eq!(app.whoami(token).await, StatusCode::OK);
    let kid = signing(&town);
    assert_eq!(kid_of(token), kid);

    let revoked = town.order(&["keys", "revoke", &kid], "");
    assert!(!is_active(&town.http, &town.url, token).await);
    assert_eq!(town.me(token).await, StatusCode::UNAUTHORIZED);
    app.comes_to(StatusCode::UNAUTHORIZED, token, SOON).await;
    let next = text(&revoked["signing"], "kid");
    assert_eq!(signing(&town), next);
    let answer = refreshed(
        &town.http,
        &town.url,
        &app.secret,
        text(&login, "refresh_token"),
    );
    let answer = answer.await;
    assert_eq!(answer["sid"], login["sid"]);
    let renewed = text(&answer, "access_token");
    assert_eq!(kid_of(renewed), next);
    app.comes_to(StatusCode::OK, renewed, SOON).await;

    let unknown = town.try_order(&["keys", "revoke", &kid], "");
    assert!(!unknown.status.success());
    // Also without a server, and after the next start.
    town.stop();
    assert_eq!(signing(&town), next);
    town.start().await;
    assert_eq!(town.me(renewed).await, StatusCode::OK);
    assert_eq!(town.me(token).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_rotates_keys_by_itself() {
    let mut town = Town::empty(vec![
        ("SYMBOLON_ROTATE_KEYS_EVERY", "10s".to_owned()),
        ("SYMBOLON_KEY_LEAD", "1s".to_owned()),
    ]);
    town.start().await;
    let first = signing(&town);
    let began = Instant::now();
    while signing(&town) == first {
        assert!(began.elapsed() < LATE, "no key in the place of the first");
        sleep(Duration::from_millis(200)).await;
    }
    let leaving = (first, "leaving".to_owned());
    assert!(stages(&town).contains(&leaving));
}
