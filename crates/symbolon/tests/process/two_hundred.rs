//! Two hundred guards on one authority: how soon the last of them refuses what has ended, and that
//! none ever breaks the freshness contract, whatever is killed, cut or stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes};
use futures_util::{StreamExt, future::BoxFuture};
use http::{Request, Response};
use reqwest::StatusCode;
use serde_json::Value;
use symbolon_guard::{Guard, GuardLayer, Transport, Undelivered};
use tokio::{sync::watch, task::JoinSet, time::sleep};
use tower::{Layer, ServiceExt, service_fn};

use crate::town::{Town, text};

const GUARDS: usize = 200;
const YES: StatusCode = StatusCode::OK;
const NO: StatusCode = StatusCode::UNAUTHORIZED;
const STALE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// What one guard's route answers to a credential.
async fn check(layer: &GuardLayer, credential: &str) -> StatusCode {
    let route = service_fn(async |_: Request<Body>| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    });
    let request = Request::get("/")
        .header("authorization", format!("Bearer {credential}"))
        .body(Body::empty())
        .unwrap();
    layer.layer(route).oneshot(request).await.unwrap().status()
}

/// Guards of one app each with connections of its own.
async fn guards(town: &Town, client_id: &str, shape: &str, freshness: &str) -> Vec<GuardLayer> {
    let secret = town.register_app(
        client_id,
        shape,
        freshness,
        "http://localhost:1/auth/callback",
    );
    let mut starting = JoinSet::new();
    for _ in 0..GUARDS / 2 {
        let builder = Guard::builder(&town.url, client_id)
            .client_secret(&secret)
            .patience(Duration::from_secs(60));
        starting.spawn(async move { builder.connect().await.unwrap().require() });
    }
    starting.join_all().await
}

/// A login of alice in both apps: a session and a token.
struct Both {
    session: String,
    jwt: String,
}

impl Both {
    async fn sign_in(town: &Town) -> Self {
        let pages = town.sign_in("alice", "pages").await;
        let api = town.sign_in("alice", "api").await;
        let access = |answer: &Value| text(answer, "access_token").to_owned();
        Self {
            session: access(&pages),
            jwt: access(&api),
        }
    }
}

/// Cut-offs of others at about this many a second, until the switch is turned.
fn load(
    town: &Town,
    admin: &str,
    user: &str,
    every: Duration,
) -> (watch::Sender<bool>, Arc<AtomicUsize>) {
    let (stop, stopped) = watch::channel(false);
    let done = Arc::new(AtomicUsize::new(0));
    let path = format!("/api/v1/users/{user}/logins");
    let (ask, count) = (town.request("DELETE", &path, admin), Arc::clone(&done));
    tokio::spawn(async move {
        while !*stopped.borrow() {
            let answer = ask.try_clone().unwrap().send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                count.fetch_add(1, Ordering::Relaxed);
            }
            sleep(every).await;
        }
    });
    (stop, done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_of_two_hundred_guards_refuses_soon_under_load() {
    let set = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let rounds: usize = set("SYMBOLON_GUARD_ROUNDS", 5);
    // Each cut-off is two hundred events and two hundred questions: many for a build without
    // optimisation.
    let pause = u64::try_from(set("SYMBOLON_GUARD_PAUSE_MS", 500)).unwrap();
    let town = Town::new().await;
    let pages = guards(&town, "pages", "session", "within(10s)").await;
    let api = guards(&town, "api", "jwt", "within(10s)").await;
    let admin = town.sign_in("admin", "api").await;
    let admin = text(&admin, "access_token");
    let bob = user_id(&town, admin, "bob").await;
    let (stop, others) = load(&town, admin, &bob, Duration::from_millis(pause));
    let mut last = Vec::new();
    for _ in 0..rounds {
        let both = Both::sign_in(&town).await;
        for (layers, credential) in [(&pages, &both.session), (&api, &both.jwt)] {
            for layer in layers {
                assert_eq!(check(layer, credential).await, YES);
            }
        }
        town.end_all(&both.jwt).await;
        let acknowledged = Instant::now();
        let mut waiting: Vec<_> = pages
            .iter()
            .map(|layer| (layer, &both.session))
            .chain(api.iter().map(|layer| (layer, &both.jwt)))
            .collect();
        while !waiting.is_empty() {
            let mut still = Vec::new();
            for (layer, credential) in waiting {
                match check(layer, credential).await {
                    YES => still.push((layer, credential)),
                    NO => {}
                    other => panic!("{other}"),
                }
            }
            waiting = still;
            // What is lawful; how soon it really is gets printed, not asserted.
            assert!(acknowledged.elapsed() < Duration::from_secs(10), "broken");
            tokio::task::yield_now().await;
        }
        last.push(acknowledged.elapsed());
    }
    stop.send_replace(true);
    let others = others.load(Ordering::Relaxed);
    assert!(others > 0, "{others} cut-offs of others");
    last.sort_unstable();
    let at = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = ((last.len() as f64 * share).ceil() as usize).clamp(1, last.len());
        last[rank - 1]
    };
    println!(
        "acknowledgement to the last of {GUARDS} guards' first refusal, {rounds} rounds beside {others} other cut-offs: p50 {:?}, p99 {:?}, max {:?}",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_and_a_restart_change_no_answer_of_two_hundred_guards() {
    let mut town = Town::new().await;
    let pages = guards(&town, "pages", "session", "within(10s)").await;
    let api = guards(&town, "api", "jwt", "within(10s)").await;
    let (dead, living) = (Both::sign_in(&town).await, {
        let pages = town.sign_in("bob", "pages").await;
        let api = town.sign_in("bob", "api").await;
        Both {
            session: text(&pages, "access_token").to_owned(),
            jwt: text(&api, "access_token").to_owned(),
        }
    });
    let sides = [(&pages, false), (&api, true)];
    for (layers, is_jwt) in sides {
        for layer in layers {
            for both in [&dead, &living] {
                let credential = if is_jwt { &both.jwt } else { &both.session };
                assert_eq!(check(layer, credential).await, YES);
            }
        }
    }
    // Acknowledged, and killed in the same moment: some guards have not heard of it yet.
    town.end_all(&dead.jwt).await;
    let acknowledged = Instant::now();
    town.kill();
    let sweep = async |must_be_dead: bool| {
        for (layers, is_jwt) in sides {
            for layer in layers {
                let credential = |both: &Both| {
                    if is_jwt {
                        both.jwt.clone()
                    } else {
                        both.session.clone()
                    }
                };
                assert_eq!(
                    check(layer, &credential(&living)).await,
                    YES,
                    "a restart refuses nobody"
                );
                let asked = acknowledged.elapsed();
                let answer = check(layer, &credential(&dead)).await;
                assert_ne!(answer, STALE);
                let broken = answer == YES && asked > Duration::from_secs(10);
                assert!(
                    !broken && (answer == NO || !must_be_dead),
                    "{answer} after {asked:?}"
                );
            }
        }
    };
    sweep(false).await;
    sleep(Duration::from_millis(500)).await;
    sweep(false).await;
    town.start().await;
    // All are back at the feed within their pauses, well inside the bound.
    let back = Instant::now();
    let all_know = async || {
        for (layers, is_jwt) in sides {
            for layer in layers {
                let credential = if is_jwt { &dead.jwt } else { &dead.session };
                if check(layer, credential).await != NO {
                    return false;
                }
            }
        }
        true
    };
    while !all_know().await {
        assert!(back.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    }
    sweep(true).await;
    println!(
        "all {GUARDS} guards knew {:?} after the authority was back",
        back.elapsed()
    );
}

/// Lets parts of the feed through.
#[derive(Default)]
struct Valve {
    no_stream: AtomicBool,
    no_head: AtomicBool,
    no_questions: AtomicBool,
    cut: watch::Sender<()>,
}

struct Cuttable {
    http: reqwest::Client,
    valve: Arc<Valve>,
}

impl Transport for Cuttable {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>> {
        let (http, valve) = (self.http.clone(), Arc::clone(&self.valve));
        Box::pin(async move {
            let is_stream = request.uri().path() == "/feed";
            let closed = match request.uri().path() {
                "/feed" | "/feed/snapshot" => &valve.no_stream,
                "/feed/head" => &valve.no_head,
                _ => &valve.no_questions,
            };
            let cut = || Undelivered {
                what: "cut".to_owned(),
                not_done: true,
            };
            if closed.load(Ordering::SeqCst) {
                return Err(cut());
            }
            let mut ends = valve.cut.subscribe();
            let request = request.try_into().map_err(|_| cut())?;
            let response = http.execute(request).await.map_err(|_| cut())?;
            let response = Response::from(response).map(Body::new);
            if !is_stream {
                return Ok(response);
            }
            let until = Box::pin(async move { ends.changed().await });
            Ok(response.map(|body| {
                let body = body.into_data_stream();
                Body::from_stream(body.take_until(until))
            }))
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_feed_is_never_taken_for_a_whole_one() {
    let bound = Duration::from_secs(1);
    let town = Town::new().await;
    let secret = town.register_app(
        "pages",
        "session",
        "within(1s)",
        "http://localhost:1/auth/callback",
    );
    let valve = Arc::new(Valve::default());
    let guard = Guard::builder(&town.url, "pages")
        .client_secret(&secret)
        .transport(Cuttable {
            http: crate::town::client(),
            valve: Arc::clone(&valve),
        })
        .connect()
        .await
        .unwrap();
    let layer = guard.require();
    let session = async || {
        let answer = town.sign_in("alice", "pages").await;
        let session = text(&answer, "access_token").to_owned();
        assert_eq!(check(&layer, &session).await, YES);
        session
    };
    let set = |switch: &AtomicBool, closed| switch.store(closed, Ordering::SeqCst);

    // The stream is cut, the lease lives: it says that the guard is behind, so the authority is asked.
    let (ended, living) = (session().await, session().await);
    set(&valve.no_stream, true);
    valve.cut.send_replace(());
    end(&town, &ended).await;
    let acknowledged = Instant::now();
    while check(&layer, &ended).await == YES {
        assert!(
            acknowledged.elapsed() <= bound + Duration::from_millis(50),
            "broken"
        );
        sleep(Duration::from_millis(5)).await;
    }
    while acknowledged.elapsed() < bound * 2 {
        assert_eq!(check(&layer, &living).await, YES, "the authority vouches");
        assert_eq!(check(&layer, &ended).await, NO);
    }
    // Nobody to ask either: nobody is let in, and nobody is signed out.
    set(&valve.no_questions, true);
    sleep(bound).await;
    assert_eq!(check(&layer, &living).await, STALE);
    set(&valve.no_questions, false);
    set(&valve.no_stream, false);
    comes_back(&layer, &living).await;

    // The lease is cut, the stream lives: news comes, but proves nothing about what did not come.
    let ended = session().await;
    set(&valve.no_head, true);
    end(&town, &ended).await;
    let acknowledged = Instant::now();
    while check(&layer, &ended).await == YES {
        assert!(
            acknowledged.elapsed() <= bound + Duration::from_millis(50),
            "broken"
        );
    }
    set(&valve.no_questions, true);
    sleep(bound * 2).await;
    assert_eq!(check(&layer, &living).await, STALE, "unproved is never yes");
    set(&valve.no_questions, false);
    set(&valve.no_head, false);
    comes_back(&layer, &living).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_that_was_stopped_does_not_take_old_knowledge_for_fresh() {
    let town = Town::new().await;
    let pages = town.start_app("pages", "session", "within(1s)");
    let api = town.start_app("api", "jwt", "within(1s)");
    let both = Both::sign_in(&town).await;
    assert_eq!(pages.whoami(&both.session).await, YES);
    assert_eq!(api.whoami(&both.jwt).await, YES);
    for app in [&pages, &api] {
        app.process.signal("STOP");
    }
    town.end_all(&both.jwt).await;
    sleep(Duration::from_millis(1_500)).await;
    // These wait in the sockets and are the first thing that the guards see, before any news.
    let asked = tokio::spawn({
        let (http, urls) = (crate::town::client(), [pages.url.clone(), api.url.clone()]);
        let credentials = [both.session.clone(), both.jwt.clone()];
        async move {
            let mut answers = Vec::new();
            let both = urls.iter().zip(&credentials).map(|(url, credential)| {
                http.get(format!("{url}/api/whoami"))
                    .bearer_auth(credential)
                    .send()
            });
            for answer in futures_util::future::join_all(both).await {
                answers.push(answer.unwrap().status());
            }
            answers
        }
    });
    sleep(Duration::from_millis(200)).await;
    for app in [&pages, &api] {
        app.process.signal("CONT");
    }
    assert_eq!(asked.await.unwrap(), [NO, NO]);
}

async fn comes_back(layer: &GuardLayer, credential: &str) {
    let began = Instant::now();
    while check(layer, credential).await != YES {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    }
    // The feed is whole again, not only the questions.
    sleep(Duration::from_secs(3)).await;
}

/// Ends one login by its own credential.
async fn end(town: &Town, credential: &str) {
    let me: Value = town
        .request("GET", "/api/v1/me", credential)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let path = format!("/api/v1/logins/{}", text(&me, "sid"));
    let ended = town
        .request("DELETE", &path, credential)
        .send()
        .await
        .unwrap();
    assert_eq!(ended.status(), YES);
}

async fn user_id(town: &Town, admin: &str, identifier: &str) -> String {
    let path = format!("/api/v1/users?identifier={identifier}");
    let found = town.request("GET", &path, admin).send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    text(&found["users"][0], "id").to_owned()
}
