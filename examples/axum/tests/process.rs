//! Each example as a process of its own, with real requests, in both shapes where that matters.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{
    collections::HashMap,
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use symbolon_example_axum::authority::{add_app, add_person, in_memory};
use symbolon_guard::Shape;
use symbolon_server::{ServerState, router};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
    task::JoinHandle,
    time::timeout,
};

const SHAPES: [Shape; 2] = [Shape::Session, Shape::Jwt];

/// A running example. Dropping it ends it.
struct Program {
    _child: Child,
    /// What it printed: a name and a value on each line.
    said: HashMap<String, String>,
}

impl Program {
    /// Starts an example and reads its lines up to the one that begins with `last`.
    async fn start(path: &str, args: &[&str], env: &[(&str, &str)], last: &str) -> Self {
        let mut child = Command::new(path)
            .args(args)
            .env("LISTEN", "127.0.0.1:0")
            .env("AUTHORITY_LISTEN", "127.0.0.1:0")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = HashMap::new();
        while !said.contains_key(last) {
            let line = timeout(Duration::from_secs(30), lines.next_line()).await;
            let Some(line) = line.unwrap().unwrap() else {
                panic!("{path} ended early");
            };
            let (name, value) = line.split_once(' ').unwrap();
            said.insert(name.to_owned(), value.to_owned());
        }
        Self {
            _child: child,
            said,
        }
    }
}

/// An authority over HTTP, for those examples that have none of their own.
struct Authority {
    url: String,
    secret: String,
    passwords: HashMap<&'static str, String>,
    server: JoinHandle<()>,
}

impl Authority {
    async fn start(shape: Shape) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let authority = in_memory(&url).await.unwrap();
        let shop = add_app(&authority, "shop", shape, "http://localhost:7310");
        let secret = shop.await.unwrap();
        let mut passwords = HashMap::new();
        for (name, roles) in [("alice", &[][..]), ("admin", &["admin"])] {
            let password = add_person(&authority, name, roles).await.unwrap();
            passwords.insert(name, password);
        }
        let state = ServerState::new(authority, false).unwrap();
        let server = symbolon_server::serve(listener, router(state), std::future::pending());
        Self {
            url,
            secret,
            passwords,
            server: tokio::spawn(server),
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn client() -> Client {
    let client = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(20));
    client.build().unwrap()
}

/// Signs somebody in as a program; gives the credential.
async fn sign_in(authority: &str, app: &str, name: &str, password: &str) -> String {
    let body = json!({ "identifier": name, "password": password, "client_id": app });
    let answer = client()
        .post(format!("{authority}/api/v1/logins"))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let answer: Value = answer.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn get(url: &str, bearer: Option<&str>) -> (u16, String) {
    let mut request = client().get(url);
    if let Some(bearer) = bearer {
        request = request.bearer_auth(bearer);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn post(url: &str, bearer: &str) -> u16 {
    let answer = client().post(url).bearer_auth(bearer).send().await;
    answer.unwrap().status().as_u16()
}

/// All that the shop promises, over HTTP; ends all logins of `alice`.
async fn goes_shopping(shop: &str, authority: &str, alice: &str, admin: &str) {
    let page = |path: &str| format!("{shop}{path}");
    assert_eq!(get(&page("/"), None).await, (200, "Welcome".to_owned()));
    let back = (200, "Welcome back, alice".to_owned());
    assert_eq!(get(&page("/"), Some(alice)).await, back);
    assert_eq!(get(&page("/account"), None).await.0, 401);
    assert_eq!(get(&page("/account"), Some(alice)).await.0, 200);
    assert_eq!(post(&page("/orders"), alice).await, 200);
    assert_eq!(get(&page("/stock"), Some(alice)).await.0, 403);
    assert_eq!(get(&page("/stock"), Some(admin)).await.0, 200);
    assert_eq!(post(&page("/address"), alice).await, 200);
    // Signed out everywhere, at the authority.
    let all = format!("{authority}/api/v1/logins");
    let ended = client()
        .delete(all)
        .bearer_auth(alice)
        .send()
        .await
        .unwrap();
    assert_eq!(ended.status(), 200);
    let acknowledged = Instant::now();
    assert_eq!(post(&page("/orders"), alice).await, 401);
    while get(&page("/account"), Some(alice)).await.0 != 401 {
        assert!(acknowledged.elapsed() < Duration::from_secs(10));
    }
    assert_eq!(get(&page("/account"), Some(admin)).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_connects_to_its_authority() {
    for shape in SHAPES {
        let authority = Authority::start(shape).await;
        let settings = [
            ("AUTHORITY", authority.url.as_str()),
            ("CLIENT_SECRET", &authority.secret),
        ];
        let connect = env!("CARGO_BIN_EXE_connect");
        let program = Program::start(connect, &[], &settings, "shop").await;
        let shop = &program.said["shop"];
        let mut credentials = Vec::new();
        for name in ["alice", "admin"] {
            let password = &authority.passwords[name];
            credentials.push(sign_in(&authority.url, "shop", name, password).await);
        }
        let [alice, admin] = &credentials[..] else {
            panic!()
        };
        goes_shopping(shop, &authority.url, alice, admin).await;
        // Without its authority the shop goes on, but for what must not rest on what was true before.
        authority.server.abort();
        assert_eq!(get(&format!("{shop}/account"), Some(admin)).await.0, 200);
        assert_eq!(post(&format!("{shop}/orders"), admin).await, 503);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn app_and_authority_are_one_program() {
    for shape in SHAPES {
        let local = env!("CARGO_BIN_EXE_local");
        let program = Program::start(local, &[&shape.to_string()], &[], "admin").await;
        let said = |name: &str| program.said[name].as_str();
        let (authority, shop) = (said("authority"), said("shop"));
        // The guard gets ready after the last line.
        let started = Instant::now();
        while client().get(shop).send().await.is_err() {
            assert!(started.elapsed() < Duration::from_secs(20));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let alice = sign_in(authority, "shop", "alice", said("alice")).await;
        let admin = sign_in(authority, "shop", "admin", said("admin")).await;
        assert_eq!(alice.starts_with("sym_s_"), shape == Shape::Session);
        goes_shopping(shop, authority, &alice, &admin).await;
        signs_in_as_a_person(shop, authority, said("alice")).await;
    }
}

/// A browser's way: the shop sends it to the authority, which knows it already, and back with a code.
async fn signs_in_as_a_person(shop: &str, authority: &str, password: &str) {
    let console = sign_in(authority, "symbolon", "alice", password).await;
    let page = |url: String, cookies: String| async move {
        let request = client().get(url).header("accept", "text/html");
        request.header("cookie", cookies).send().await.unwrap()
    };
    let away = page(format!("{shop}/account"), String::new()).await;
    assert_eq!(away.status(), 302);
    let cookie = format!("__Host-symbolon={console}");
    let back = page(location(&away), cookie).await;
    assert_eq!(back.status(), 302);
    let done = page(location(&back), cookies(&away)).await;
    assert_eq!(
        (done.status().as_u16(), location(&done)),
        (302, "/account".to_owned())
    );
    let account = page(format!("{shop}/account"), cookies(&done)).await;
    assert_eq!(account.status(), 200);
}

fn location(answer: &Response) -> String {
    let location = answer.headers()["location"].to_str().unwrap();
    location.to_owned()
}

/// What a browser keeps of an answer and sends back.
fn cookies(answer: &Response) -> String {
    let cookies = answer.headers().get_all("set-cookie").iter();
    let pairs = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    let pairs: Vec<_> = pairs.filter(|pair| !pair.ends_with('=')).collect();
    pairs.join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_takes_a_third_partys_tokens() {
    // To this API an authority of ours is an issuer like any other.
    let issuer = Authority::start(Shape::Jwt).await;
    let settings = [("ISSUER", issuer.url.as_str()), ("AUDIENCE", "shop")];
    let third_party = env!("CARGO_BIN_EXE_third_party");
    let program = Program::start(third_party, &[], &settings, "api").await;
    let page = |path: &str| format!("{}{path}", program.said["api"]);
    let token = sign_in(&issuer.url, "shop", "alice", &issuer.passwords["alice"]).await;
    let (status, text) = get(&page("/orders"), Some(&token)).await;
    assert_eq!(status, 200);
    assert!(text.ends_with(&format!(" at {}", issuer.url)), "{text}");
    assert_eq!(get(&page("/"), Some(&token)).await.1, "known");
    assert_eq!(get(&page("/invoices"), Some(&token)).await.0, 403);
    assert_eq!(get(&page("/orders"), None).await.0, 401);
    assert_eq!(get(&page("/"), None).await.1, "unknown");
    // Of the same issuer, but for another app.
    let other = sign_in(&issuer.url, "symbolon", "alice", &issuer.passwords["alice"]).await;
    assert_eq!(get(&page("/orders"), Some(&other)).await.0, 401);
    // A forged one.
    let (signed, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(86));
    assert_eq!(get(&page("/orders"), Some(&forged)).await.0, 401);
}
