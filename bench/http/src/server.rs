//! The servers: `GET /me` answers the same JSON in each, behind its own check. `GET /credential` says which
//! header to send.

use std::{collections::HashMap, convert::Infallible, sync::Arc, sync::OnceLock};

use axum::{
    Extension, Json, Router,
    extract::{FromRequestParts, Request},
    http::{HeaderValue, StatusCode, request::Parts},
    response::Response,
    routing::{MethodRouter, get},
};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use jsonwebtoken as jwt;
use serde::{Deserialize, Serialize};
use symbolon_guard::{Guard, GuardMakeService, Identity};
use tokio::net::TcpListener;
use tower::ServiceBuilder;

use crate::{
    authority::{APP, Authority, SESSION, now},
    crowd,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Me {
    id: u64,
    name: String,
    role: String,
}

fn me() -> Me {
    Me {
        id: 42,
        name: "Ada Lovelace".to_owned(),
        role: "user".to_owned(),
    }
}

/// Serves one kind until it is ended; prints the port first.
pub async fn serve(kind: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        let _ = stream.set_nodelay(true);
    });
    if let Some(shape) = kind.strip_prefix("around-") {
        let app = around(shape).await;
        return axum::serve(listener, app).await.unwrap();
    }
    if matches!(kind, "few" | "crowd") {
        return axum::serve(listener, crowd::app(kind).await).await.unwrap();
    }
    let app = match kind {
        "bare" => bare(),
        "layer" => layered(),
        "session" | "jwt" => ours(kind).await,
        "authority" => {
            let authority = Authority::new();
            let header = bearer(&authority);
            let credential = get(async || header);
            symbolon_guard::LocalAuthority::service(&authority).route("/credential", credential)
        }
        "tower-sessions" => tower_sessions(),
        "axum-login" => axum_login(),
        "jsonwebtoken" => jsonwebtoken(),
        other => panic!("no server {other}"),
    };
    axum::serve(listener, app).await.unwrap();
}

pub fn bare() -> Router {
    Router::new().route("/me", get(async || Json(me())))
}

/// What a layer costs that only does what every such check has to do besides checking: it leaves
/// something for the handler, and says of the answer that nobody may keep it.
pub fn layered() -> Router {
    let who = Arc::new(me());
    let leave = move |mut request: Request| {
        request.extensions_mut().insert(Arc::clone(&who));
        request
    };
    let mark = |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        headers.insert("vary", HeaderValue::from_static("Cookie, Authorization"));
        response
    };
    let handler = async |Extension(_): Extension<Arc<Me>>| Json(me());
    Router::new()
        .route("/me", get(handler))
        .layer(ServiceBuilder::new().map_request(leave).map_response(mark))
}

/// The guard as a layer of the router.
async fn ours(shape: &str) -> Router {
    let (guard, token) = guard().await;
    me_for_somebody()
        .layer(guard.layer())
        .route("/credential", credential(shape, token))
}

/// The guard around the router.
async fn around(shape: &str) -> GuardMakeService {
    let (guard, token) = guard().await;
    let app = me_for_somebody().route("/credential", credential(shape, token));
    guard.layer().around(app)
}

fn credential(shape: &str, token: String) -> MethodRouter {
    let header = match shape {
        "session" => format!("cookie: __Host-{APP}={SESSION}"),
        _ => token,
    };
    get(async || header)
}

/// A guard of an authority in this process, and the header that shows a token.
pub async fn guard() -> (Guard, String) {
    let authority = Authority::new();
    let guard = Guard::local(&authority, APP).connect().await.unwrap();
    (guard, bearer(&authority))
}

pub fn me_for_somebody() -> Router {
    Router::new().route("/me", get(async |_: Identity| Json(me())))
}

fn bearer(authority: &Authority) -> String {
    format!("authorization: Bearer {}", authority.token())
}

fn tower_sessions() -> Router {
    use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

    let check = async |session: Session| {
        let me: Option<Me> = session.get("user").await.unwrap();
        me.map(Json).ok_or(StatusCode::UNAUTHORIZED)
    };
    let sign_in = async |session: Session| session.insert("user", me()).await.unwrap();
    Router::new()
        .route("/me", get(check))
        .route("/credential", get(sign_in))
        .layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
}

#[derive(Clone, Debug)]
struct User(Me);

impl AuthUser for User {
    type Id = u64;

    fn id(&self) -> u64 {
        self.0.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        &[7; 16]
    }
}

#[derive(Clone)]
struct Users(Arc<HashMap<u64, User>>);

impl AuthnBackend for Users {
    type User = User;
    type Credentials = u64;
    type Error = Infallible;

    async fn authenticate(&self, id: u64) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(&id).cloned())
    }

    async fn get_user(&self, id: &u64) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

fn axum_login() -> Router {
    use tower_sessions_of_axum_login::{MemoryStore, SessionManagerLayer};

    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let users = Users(Arc::new([(42, User(me()))].into()));
    let layer = AuthManagerLayerBuilder::new(users, sessions).build();
    let sign_in = async |mut auth: AuthSession<Users>| {
        let user = auth.authenticate(42).await.unwrap().unwrap();
        auth.login(&user).await.unwrap();
    };
    Router::new()
        .route(
            "/me",
            get(async |auth: AuthSession<Users>| Json(auth.user.unwrap().0)),
        )
        .route_layer(login_required!(Users))
        .route("/credential", get(sign_in))
        .layer(layer)
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    sid: String,
    scope: String,
}

static KEY: OnceLock<(jwt::DecodingKey, jwt::Validation)> = OnceLock::new();

/// As its users write it: an extractor that decodes and checks the token of each request.
struct Bearer(Claims);

impl<S: Send + Sync> FromRequestParts<S> for Bearer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let header = parts.headers.get("authorization");
        let token = header
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
            .ok_or(StatusCode::UNAUTHORIZED)?;
        let (key, validation) = KEY.get().unwrap();
        jwt::decode::<Claims>(token, key, validation)
            .map(|token| Self(token.claims))
            .map_err(|_| StatusCode::UNAUTHORIZED)
    }
}

fn jsonwebtoken() -> Router {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    let _ = jwt::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let pair = Ed25519KeyPair::generate().unwrap();
    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let mut validation = jwt::Validation::new(jwt::Algorithm::EdDSA);
    validation.set_issuer(&["http://localhost:7300"]);
    validation.set_audience(&[APP]);
    let key = jwt::DecodingKey::from_ed_der(pair.public_key().as_ref());
    assert!(KEY.set((key, validation)).is_ok());
    let claims = Claims {
        iss: "http://localhost:7300".to_owned(),
        sub: "01010101-0101-0101-0101-010101010101".to_owned(),
        aud: APP.to_owned(),
        exp: now().as_secs() + 3600,
        iat: now().as_secs(),
        jti: "1".to_owned(),
        sid: "02020202-0202-0202-0202-020202020202".to_owned(),
        scope: "user".to_owned(),
    };
    let header = jwt::Header::new(jwt::Algorithm::EdDSA);
    let signing = jwt::EncodingKey::from_ed_der(pkcs8.as_ref());
    let token = jwt::encode(&header, &claims, &signing).unwrap();
    let header = format!("authorization: Bearer {token}");
    let check = async |Bearer(claims): Bearer| {
        Json(Me {
            id: 42,
            name: claims.sub,
            role: claims.scope,
        })
    };
    Router::new()
        .route("/me", get(check))
        .route("/credential", get(async || header))
}
