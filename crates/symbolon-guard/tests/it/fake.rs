//! The authority's side of the wire, in memory, with switches for everything that can go wrong.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::rand::SystemRandom;
use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use futures_util::stream;
use serde_json::{Value, json};
use symbolon_jose::{AccessClaims, AccessToken, Algorithm, SigningKey, sign};
use symbolon_login::{
    ActiveCredential, AppSettings, Change, Freshness, Introspection, Lifetimes, LogEntry, Position,
    Scope, Shape, Sid, Snapshot, UnixMillis, UserId,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub(crate) const APP: &str = "app";
pub(crate) const APP_URL: &str = "http://localhost:7302";

/// A running authority. Dropping it ends it.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
    /// This node takes questions and answers none.
    silent: Arc<AtomicBool>,
}

struct Shared {
    state: Mutex<Inner>,
    /// Moves with every entry, and with every cut of the streams.
    changed: watch::Sender<u64>,
    key: SigningKey,
    other_key: SigningKey,
}

/// What a test may turn and read.
pub(crate) struct Inner {
    pub(crate) issuer: String,
    pub(crate) log: Vec<LogEntry>,
    pub(crate) epoch: u32,
    pub(crate) app: AppSettings,
    /// Living lines: the current secret and whose it is.
    lines: HashMap<String, Line>,
    /// Replaced secrets and what they were replaced by.
    replaced: HashMap<String, Value>,
    codes: HashMap<String, Line>,
    next: u64,
    pub(crate) calls: Calls,
    pub(crate) down: Down,
    pub(crate) streams: u64,
    /// Numbers of entries that the stream leaves out.
    pub(crate) skipped: Vec<u64>,
    pub(crate) reports: Vec<Position>,
    /// How much was checked, and how much of it came in cookies, as the last report has it.
    pub(crate) counted: (u64, u64),
    pub(crate) may_end_logins: bool,
    /// Whether people asked to be remembered.
    pub(crate) remembered: bool,
    /// How long an answer about a credential is on its way after it was decided.
    pub(crate) slow: Duration,
    /// The same of an answer of the token endpoint.
    pub(crate) slow_tokens: Duration,
    /// What a snapshot says of how far back it is complete.
    pub(crate) complete_since: Option<Position>,
}

/// How often each question was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) introspect: u32,
    pub(crate) token: u32,
    pub(crate) revoke: u32,
    pub(crate) end: u32,
    pub(crate) snapshot: u32,
}

/// What does not answer.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "a row of switches")]
pub(crate) struct Down {
    pub(crate) stream: bool,
    /// The stream stays open and brings nothing.
    pub(crate) mute: bool,
    pub(crate) head: bool,
    pub(crate) introspect: bool,
    pub(crate) token: bool,
    pub(crate) logins: bool,
}

impl Down {
    pub(crate) const FEED: Self = Self {
        stream: true,
        mute: false,
        head: true,
        introspect: false,
        token: false,
        logins: false,
    };
    pub(crate) const ALL: Self = Self {
        stream: true,
        mute: false,
        head: true,
        introspect: true,
        token: true,
        logins: true,
    };
}

#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) user: UserId,
    pub(crate) sid: Sid,
    pub(crate) rev: Position,
}

/// What a signed-in client holds.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) sid: Sid,
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
}

impl Fake {
    /// An authority whose one app has this shape and freshness.
    pub(crate) async fn start(shape: Shape, freshness: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let secs = Duration::from_secs;
        let inner = Inner {
            issuer: format!("http://{address}"),
            log: Vec::new(),
            epoch: 1,
            app: AppSettings {
                client_id: APP.parse().unwrap(),
                shape,
                freshness: freshness.parse().unwrap(),
                lifetimes: Lifetimes::new(secs(3600), secs(7200), secs(300), secs(10)).unwrap(),
            },
            lines: HashMap::new(),
            replaced: HashMap::new(),
            codes: HashMap::new(),
            next: 0,
            calls: Calls::default(),
            down: Down::default(),
            streams: 0,
            skipped: Vec::new(),
            reports: Vec::new(),
            counted: (0, 0),
            may_end_logins: true,
            remembered: true,
            slow: Duration::ZERO,
            slow_tokens: Duration::ZERO,
            complete_since: Some(Position::START),
        };
        let rng = SystemRandom::new();
        let key = || SigningKey::generate(Algorithm::Es256, &rng).unwrap();
        let shared = Arc::new(Shared {
            state: Mutex::new(inner),
            changed: watch::Sender::new(0),
            key: key(),
            other_key: key(),
        });
        let silent = Arc::default();
        let server = serve(&shared, listener, &silent);
        Self {
            address,
            shared,
            server,
            silent,
        }
    }

    /// One more node on the same store.
    pub(crate) async fn another_node(&self) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (shared, silent) = (Arc::clone(&self.shared), Arc::default());
        Self {
            address: listener.local_addr().unwrap(),
            server: serve(&shared, listener, &silent),
            shared,
            silent,
        }
    }

    /// This node alone is killed, or hangs.
    pub(crate) fn lose_node(&self, hangs: bool) {
        if hangs {
            self.silent.store(true, Ordering::SeqCst);
        } else {
            self.server.abort();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Inner> {
        self.shared.state.lock().unwrap()
    }

    pub(crate) fn calls(&self) -> Calls {
        self.state().calls
    }

    /// Takes parts of it down, breaking streams where the stream is among them.
    pub(crate) fn go_down(&self, down: Down) {
        self.state().down = down;
        if down.stream {
            self.cut_streams();
        }
    }

    pub(crate) fn cut_streams(&self) {
        self.state().streams += 1;
        self.shared.changed.send_modify(|n| *n += 1);
    }

    /// Kills the process, so to say, and starts it again on the same port after `pause`.
    pub(crate) async fn restart(&mut self, pause: Duration) {
        self.cut_streams();
        self.server.abort();
        tokio::time::sleep(pause).await;
        let listener = loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        self.server = serve(&self.shared, listener, &self.silent);
    }

    /// Appends to the log.
    pub(crate) fn append(&self, change: Change) -> Position {
        let mut state = self.state();
        let position = state.head().next();
        state.log.push(LogEntry { position, change });
        drop(state);
        self.shared.changed.send_modify(|n| *n += 1);
        position
    }

    /// Ends a login for good; says where in the log.
    pub(crate) fn end(&self, sid: Sid) -> Position {
        self.state().lines.retain(|_, line| line.sid != sid);
        self.append(Change::CutOff {
            covers: Scope::Login { sid },
        })
    }

    pub(crate) fn set_shape(&self, shape: Shape) {
        self.state().app.shape = shape;
        let settings = self.state().app.clone();
        self.append(Change::App { settings });
    }

    pub(crate) fn set_freshness(&self, freshness: Freshness) {
        self.state().app.freshness = freshness;
        let settings = self.state().app.clone();
        self.append(Change::App { settings });
    }

    /// Publishes the second key.
    pub(crate) fn publish_other_key(&self) -> Position {
        let jwk = self.shared.other_key.verifying_key().unwrap();
        let jwk = serde_json::from_str(&jwk.to_jwk().unwrap()).unwrap();
        self.append(Change::KeyAdded { jwk })
    }

    /// Signs somebody new in.
    pub(crate) fn sign_in(&self) -> Held {
        let line = self.state().new_line();
        self.shared.issue(&line)
    }

    /// Whose login it is.
    pub(crate) fn user_of(&self, held: &Held) -> UserId {
        let state = self.state();
        let line = state.lines.values().find(|line| line.sid == held.sid);
        line.unwrap().user
    }

    /// A code for somebody new, as after the authority's own pages.
    pub(crate) fn code(&self) -> String {
        let mut state = self.state();
        let line = state.new_line();
        let code = format!("code-{}", state.next);
        state.codes.insert(code.clone(), line);
        code
    }

    /// A token as this authority signs it, with what the test wants otherwise.
    pub(crate) fn token(&self, held: &Held, change: impl FnOnce(&mut AccessClaims<'_>)) -> String {
        self.shared.token(held.sid, &self.shared.key, change)
    }

    /// The same with a key that the feed has not published.
    pub(crate) fn token_of_other_key(&self, held: &Held) -> String {
        self.shared.token(held.sid, &self.shared.other_key, |_| {})
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Inner {
    pub(crate) fn head(&self) -> Position {
        let start = Position::new(self.epoch, 0);
        self.log.last().map_or(start, |entry| entry.position)
    }

    fn new_line(&mut self) -> Line {
        self.next += 1;
        let mut random = [0; 10];
        random[..8].copy_from_slice(&self.next.to_be_bytes());
        Line {
            user: UserId::mint(now(), random),
            sid: Sid::mint(now(), random),
            rev: self.head(),
        }
    }

    fn secret(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{:0>91}", self.next)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }

    fn issue(&self, line: &Line) -> Held {
        let mut state = self.lock();
        match state.app.shape {
            Shape::Session => {
                let access = state.secret("sym_s_");
                state.lines.insert(access.clone(), line.clone());
                Held {
                    sid: line.sid,
                    access,
                    refresh: None,
                }
            }
            Shape::Jwt => {
                let refresh = state.secret("sym_r_");
                state.lines.insert(refresh.clone(), line.clone());
                drop(state);
                Held {
                    sid: line.sid,
                    access: self.token(line.sid, &self.key, |_| {}),
                    refresh: Some(refresh),
                }
            }
        }
    }

    fn token(
        &self,
        sid: Sid,
        key: &SigningKey,
        change: impl FnOnce(&mut AccessClaims<'_>),
    ) -> String {
        let mut state = self.lock();
        state.next += 1;
        let line = state.lines.values().find(|line| line.sid == sid).cloned();
        let line = line.unwrap_or_else(|| state.new_line());
        let lasts = state.app.lifetimes.access_token().as_secs().cast_signed();
        let now = now().as_secs();
        let mut claims = AccessClaims {
            iss: state.issuer.clone().into(),
            sub: line.user.to_string().into(),
            aud: APP.into(),
            exp: now + lasts,
            iat: now,
            jti: state.next.to_string().into(),
            preferred_username: Some("alice".into()),
            client_id: APP.into(),
            sid: sid.to_string().into(),
            rev: line.rev.to_string().into(),
            as_of: Some(state.head().to_string().into()),
            auth_time: now,
            acr: None,
            amr: vec!["pwd".into()],
            roles: vec!["admin".into()],
        };
        drop(state);
        change(&mut claims);
        sign::<AccessToken>(key, &claims, &SystemRandom::new()).unwrap()
    }

    fn answer(held: &Held, remembered: bool) -> Value {
        match &held.refresh {
            None => json!({
                "token_type": "Bearer", "shape": "session", "access_token": held.access,
                "expires_in": 3600, "sid": held.sid, "remembered": remembered,
            }),
            Some(refresh) => json!({
                "token_type": "Bearer", "shape": "jwt", "access_token": held.access,
                "expires_in": 300, "refresh_token": refresh, "refresh_expires_in": 7200,
                "sid": held.sid, "remembered": remembered,
            }),
        }
    }
}

pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap())
}

fn serve(shared: &Arc<Shared>, listener: TcpListener, silent: &Arc<AtomicBool>) -> JoinHandle<()> {
    let silent = Arc::clone(silent);
    let hang = move |request, next: Next| {
        let silent = silent.load(Ordering::SeqCst);
        async move {
            if silent {
                std::future::pending::<()>().await;
            }
            next.run(request).await
        }
    };
    let router = Router::new()
        .route("/feed", get(feed))
        .route("/feed/head", get(head))
        .route("/feed/snapshot", get(snapshot))
        .route("/oauth2/introspect", post(introspect))
        .route("/oauth2/token", post(token))
        .route("/oauth2/revoke", post(revoke))
        .route("/api/v1/logins/{sid}", delete(end_login))
        .layer(from_fn(hang))
        .with_state(Arc::clone(shared));
    tokio::spawn(async move {
        // Connections end with the server, as those of a killed process do.
        let mut connections = tokio::task::JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                return;
            };
            // Small events must not wait for the acknowledgement of the one before (Nagle, 40 ms).
            stream.set_nodelay(true).unwrap();
            let service = hyper_util::service::TowerToHyperService::new(router.clone());
            connections.spawn(async move {
                let io = hyper_util::rt::TokioIo::new(stream);
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(io, service)
                    .await;
            });
        }
    })
}

type App = State<Arc<Shared>>;

fn unavailable() -> Response {
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

async fn head(State(shared): App, uri: http::Uri, headers: HeaderMap) -> Response {
    let mut state = shared.lock();
    if state.down.head {
        return unavailable();
    }
    if let Some(query) = uri.query() {
        assert!(headers.contains_key("authorization"));
        let pairs: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        state.reports.push(pairs["applied"].parse().unwrap());
        let number = |name: &str| pairs[name].parse().unwrap();
        state.counted = (number("checked"), number("cookies"));
    }
    Json(json!({ "head": state.head() })).into_response()
}

async fn snapshot(State(shared): App) -> Response {
    let mut state = shared.lock();
    if state.down.stream {
        return unavailable();
    }
    state.calls.snapshot += 1;
    let mut keys = vec![shared.key.verifying_key().unwrap().to_jwk().unwrap()];
    if state
        .log
        .iter()
        .any(|entry| matches!(entry.change, Change::KeyAdded { .. }))
    {
        keys.push(shared.other_key.verifying_key().unwrap().to_jwk().unwrap());
    }
    Json(Snapshot {
        head: state.head(),
        issuer: state.issuer.clone(),
        complete_since: state.complete_since,
        cut_offs: state.log.iter().filter_map(LogEntry::cut_off).collect(),
        keys: keys
            .iter()
            .map(|jwk| serde_json::from_str(jwk).unwrap())
            .collect(),
        apps: vec![state.app.clone()],
    })
    .into_response()
}

async fn feed(State(shared): App, headers: HeaderMap) -> Response {
    let after: Position = headers["last-event-id"].to_str().unwrap().parse().unwrap();
    let (head, generation, down) = {
        let state = shared.lock();
        (state.head(), state.streams, state.down)
    };
    if down.stream {
        return unavailable();
    }
    let first = if after.epoch() == head.epoch() && after <= head {
        format!("event: hello\ndata: {{\"head\":\"{head}\"}}\n\n")
    } else {
        format!("event: reset\ndata: {{\"head\":\"{head}\"}}\n\n")
    };
    let is_reset = first.contains("reset");
    let changed = shared.changed.subscribe();
    let body = stream::unfold(
        (shared, Some(first), after, changed),
        move |(shared, first, sent, mut changed)| async move {
            if let Some(first) = first {
                return Some((first, (shared, None, sent, changed)));
            }
            if is_reset {
                return None;
            }
            loop {
                changed.borrow_and_update();
                let (text, last, ended) = {
                    let state = shared.lock();
                    let news = state.log.iter().filter(|entry| entry.position > sent);
                    let mut text = String::new();
                    let mut last = sent;
                    for entry in news {
                        last = entry.position;
                        if !state.skipped.contains(&entry.position.number()) {
                            let data = serde_json::to_string(entry).unwrap();
                            let event = [
                                "id: ",
                                &last.to_string(),
                                "\nevent: entry\ndata: ",
                                &data,
                                "\n\n",
                            ];
                            text.extend(event);
                        }
                    }
                    let text = if state.down.mute { String::new() } else { text };
                    (text, last, state.streams != generation)
                };
                if ended {
                    return None;
                }
                if !text.is_empty() {
                    return Some((text, (shared, None, last, changed)));
                }
                if changed.changed().await.is_err() {
                    return None;
                }
            }
        },
    );
    let body = futures_util::StreamExt::map(body, |text| Ok::<_, Infallible>(Bytes::from(text)));
    (
        [("content-type", "text/event-stream")],
        Body::from_stream(body),
    )
        .into_response()
}

type Fields = Form<HashMap<String, String>>;

async fn introspect(State(shared): App, Form(form): Fields) -> Response {
    let (answer, slow) = {
        let mut state = shared.lock();
        (decide(&mut state, &form["token"]), state.slow)
    };
    tokio::time::sleep(slow).await;
    answer
}

fn decide(state: &mut Inner, token: &str) -> Response {
    state.calls.introspect += 1;
    if state.down.introspect {
        return unavailable();
    }
    let (shape, line) = if token.starts_with("sym_s_") {
        (Shape::Session, state.lines.get(token))
    } else {
        let sid = sid_of(token);
        let mut lines = state.lines.values();
        let line = lines.find(|line| Some(line.sid.to_string()) == sid);
        (Shape::Jwt, line)
    };
    let answer = line.cloned().map_or(Introspection::Inactive, |line| {
        Introspection::Active(Box::new(ActiveCredential {
            sub: line.user,
            username: "alice".to_owned(),
            sid: line.sid,
            client_id: APP.parse().unwrap(),
            rev: line.rev,
            as_of: Some(state.head()),
            kid: None,
            shape,
            iat: now().as_secs(),
            exp: now().as_secs() + 300,
            auth_time: now().as_secs(),
            amr: vec![],
            roles: vec!["admin".parse().unwrap()],
        }))
    });
    Json(answer).into_response()
}

/// What a token claims, unchecked: the fake trusts what its tests send.
fn sid_of(token: &str) -> Option<String> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Some(claims["sid"].as_str()?.to_owned())
}

async fn token(State(shared): App, Form(form): Fields) -> Response {
    // Slow enough for a flock of requests to arrive meanwhile.
    tokio::time::sleep(Duration::from_millis(30)).await;
    let line = {
        let mut state = shared.lock();
        state.calls.token += 1;
        if state.down.token {
            return unavailable();
        }
        if form["grant_type"] == "authorization_code" {
            assert!(form["code_verifier"].len() >= 43);
            assert_eq!(form["redirect_uri"], format!("{APP_URL}/auth/callback"));
            state.codes.remove(&form["code"])
        } else if let Some(again) = state.replaced.get(&form["refresh_token"]) {
            return Json(again.clone()).into_response();
        } else {
            state.lines.remove(&form["refresh_token"])
        }
    };
    let Some(line) = line else {
        let error = json!({ "error": "invalid_grant" });
        return (StatusCode::BAD_REQUEST, Json(error)).into_response();
    };
    let slow = shared.lock().slow_tokens;
    tokio::time::sleep(slow).await;
    let held = shared.issue(&line);
    let remembered = shared.lock().remembered;
    let answer = Shared::answer(&held, remembered);
    if let Some(presented) = form.get("refresh_token") {
        let presented = presented.clone();
        shared.lock().replaced.insert(presented, answer.clone());
    }
    Json(answer).into_response()
}

async fn revoke(State(shared): App, Form(form): Fields) -> Response {
    let mut state = shared.lock();
    if state.down.logins {
        return unavailable();
    }
    state.calls.revoke += 1;
    state.lines.remove(&form["token"]);
    StatusCode::OK.into_response()
}

async fn end_login(State(shared): App, Path(sid): Path<Sid>, headers: HeaderMap) -> Response {
    assert!(
        headers["authorization"]
            .to_str()
            .unwrap()
            .starts_with("Bearer ")
    );
    let mut state = shared.lock();
    if state.down.logins {
        return unavailable();
    }
    state.calls.end += 1;
    if !state.may_end_logins {
        return StatusCode::FORBIDDEN.into_response();
    }
    state.lines.retain(|_, line| line.sid != sid);
    let position = state.head().next();
    let covers = Scope::Login { sid };
    let change = Change::CutOff { covers };
    state.log.push(LogEntry { position, change });
    drop(state);
    shared.changed.send_modify(|n| *n += 1);
    Json(json!({ "position": position, "ended": 1 })).into_response()
}
