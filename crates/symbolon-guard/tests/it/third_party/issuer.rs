//! Somebody else's issuer, over real HTTP, with switches for what goes wrong on the web.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aws_lc_rs::rand::SystemRandom;
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use symbolon_guard::{ThirdParty, ThirdPartyBuilder, UnixMillis, World};
use symbolon_jose::{Algorithm, SigningKey, sign_payload};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::fake::now;

pub(crate) const API: &str = "https://api.example.org";

/// A running issuer with its own clock. Dropping it ends it.
pub(crate) struct Issuer {
    address: SocketAddr,
    pub(crate) world: Arc<Passing>,
    state: Arc<Mutex<Inner>>,
    server: JoinHandle<()>,
}

/// What a test may turn and read.
pub(crate) struct Inner {
    /// The members of the JWK set.
    pub(crate) jwks: Vec<Value>,
    /// What the discovery document says of itself.
    pub(crate) issuer: String,
    pub(crate) jwks_uri: String,
    pub(crate) cache_control: Option<&'static str>,
    pub(crate) mood: Mood,
    /// Paths that were asked for, in order.
    pub(crate) asked: Vec<String>,
}

/// How the issuer answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Failing,
    Stalling,
    Redirecting,
    Endless,
    Babbling,
}

/// This machine's time, and what the test let pass.
pub(crate) struct Passing {
    began: Instant,
    millis: AtomicU64,
}

impl Passing {
    pub(crate) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }
}

impl World for Passing {
    fn monotonic(&self) -> Duration {
        self.began.elapsed() + self.passed()
    }

    fn wall(&self) -> UnixMillis {
        now().plus(self.passed())
    }

    fn chance(&self) -> u8 {
        0
    }
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}");
        let state = Arc::new(Mutex::new(Inner {
            jwks: Vec::new(),
            jwks_uri: format!("{url}/keys"),
            issuer: url,
            cache_control: None,
            mood: Mood::Well,
            asked: Vec::new(),
        }));
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&state));
        let server = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let service = hyper_util::service::TowerToHyperService::new(router.clone());
                tokio::spawn(async move {
                    let io = hyper_util::rt::TokioIo::new(stream);
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(io, service)
                        .await;
                });
            }
        });
        let world = Passing {
            began: Instant::now(),
            millis: AtomicU64::new(0),
        };
        Self {
            address,
            world: Arc::new(world),
            state,
            server,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap()
    }

    /// How often its keys were asked for.
    pub(crate) fn fetches(&self) -> usize {
        let asked = &self.state().asked;
        asked.iter().filter(|path| *path == "/keys").count()
    }

    /// Settings for an API that takes its tokens.
    pub(crate) fn builder(&self) -> ThirdPartyBuilder {
        let world: Arc<dyn World> = Arc::clone(&self.world) as Arc<dyn World>;
        ThirdParty::builder(self.url())
            .audience(API)
            .dangerous_world(world)
    }

    /// Publishes the public half of a key.
    pub(crate) fn publish(&self, key: &SigningKey) {
        self.state().jwks.push(jwk(key));
    }

    /// An access token as RFC 9068 has it, with what the test wants otherwise.
    pub(crate) fn token(&self, key: &SigningKey, change: impl FnOnce(&mut Value)) -> String {
        let now = self.world.wall().as_secs();
        let mut claims = json!({
            "iss": self.url(), "sub": "u-42", "aud": API, "exp": now + 600, "iat": now,
            "jti": "t-1", "client_id": "their-app", "scope": "orders:read orders:write",
        });
        change(&mut claims);
        signed(key, "at+jwt", &claims)
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

pub(crate) fn key(kid: &str) -> SigningKey {
    let key = SigningKey::generate(Algorithm::Es256, &SystemRandom::new()).unwrap();
    key.with_kid(kid).unwrap()
}

pub(crate) fn jwk(key: &SigningKey) -> Value {
    let jwk = key.verifying_key().unwrap().to_jwk().unwrap();
    serde_json::from_str(&jwk).unwrap()
}

pub(crate) fn signed(key: &SigningKey, typ: &str, claims: &Value) -> String {
    sign_payload(
        key,
        typ,
        claims.to_string().as_bytes(),
        &SystemRandom::new(),
    )
    .unwrap()
}

async fn answer(State(state): State<Arc<Mutex<Inner>>>, uri: Uri) -> Response {
    let (mood, body, cache_control) = {
        let mut state = state.lock().unwrap();
        state.asked.push(uri.path().to_owned());
        let body = match uri.path() {
            "/.well-known/openid-configuration"
            | "/.well-known/oauth-authorization-server/tenant" => {
                json!({ "issuer": state.issuer, "jwks_uri": state.jwks_uri })
            }
            "/keys" => json!({ "keys": state.jwks }),
            _ => return StatusCode::NOT_FOUND.into_response(),
        };
        (state.mood, body.to_string(), state.cache_control)
    };
    match mood {
        Mood::Well => {}
        Mood::Failing => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Stalling => std::future::pending().await,
        Mood::Redirecting => {
            return (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response();
        }
        Mood::Endless => return " ".repeat(5 * 1024 * 1024).into_response(),
        Mood::Babbling => return "<html>maintenance</html>".into_response(),
    }
    let mut response = body.into_response();
    if let Some(value) = cache_control {
        let headers = response.headers_mut();
        headers.insert(
            header::CACHE_CONTROL,
            header::HeaderValue::from_static(value),
        );
    }
    response
}
