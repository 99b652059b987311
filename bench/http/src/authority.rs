//! As much of an authority as a guard needs, in the same process: nobody is ever signed out.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use aws_lc_rs::rand::SystemRandom;
use axum::{
    Form, Json, Router,
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::stream;
use serde_json::json;
use symbolon_guard::{LocalAuthority, Shape, Sid, UnixMillis, UserId};
use symbolon_jose::{AccessClaims, AccessToken, Algorithm, SigningKey, sign};
use symbolon_login::{
    ActiveCredential, AppSettings, Freshness, Introspection, Lifetimes, Position, Snapshot,
};

pub const APP: &str = "app";
pub const SESSION: &str = "sym_s_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
pub const ISSUER: &str = "http://localhost:7300";
const HOUR: u64 = 3600;

#[derive(Clone)]
pub struct Authority(Arc<SigningKey>);

impl Authority {
    pub fn new() -> Self {
        let key = SigningKey::generate(Algorithm::Ed25519, &SystemRandom::new()).unwrap();
        Self(Arc::new(key))
    }

    pub fn token(&self) -> String {
        let now = now().as_secs();
        let claims = AccessClaims {
            iss: ISSUER.into(),
            sub: user().to_string().into(),
            aud: APP.into(),
            exp: now + HOUR.cast_signed(),
            iat: now,
            jti: "1".into(),
            preferred_username: Some("alice".into()),
            client_id: APP.into(),
            sid: sid().to_string().into(),
            rev: Position::START.to_string().into(),
            as_of: None,
            auth_time: now,
            acr: None,
            amr: vec!["pwd".into()],
            roles: vec!["user".into()],
        };
        sign::<AccessToken>(&self.0, &claims, &SystemRandom::new()).unwrap()
    }
}

impl LocalAuthority for Authority {
    type Service = Router;

    fn service(&self) -> Router {
        Router::new()
            .route("/feed/snapshot", get(snapshot))
            .route(
                "/feed/head",
                get(async || Json(json!({ "head": Position::START }))),
            )
            .route("/feed", get(feed))
            .route("/oauth2/introspect", post(introspect))
            .with_state(self.clone())
    }

    fn issuer(&self) -> String {
        ISSUER.to_owned()
    }
}

async fn snapshot(State(Authority(key)): State<Authority>) -> Json<Snapshot> {
    let second = Duration::from_secs;
    let jwk = key.verifying_key().unwrap().to_jwk().unwrap();
    Json(Snapshot {
        head: Position::START,
        issuer: ISSUER.to_owned(),
        complete_since: Some(Position::START),
        cut_offs: vec![],
        keys: vec![serde_json::from_str(&jwk).unwrap()],
        apps: vec![AppSettings {
            client_id: APP.parse().unwrap(),
            shape: Shape::Session,
            freshness: Freshness::DEFAULT,
            lifetimes: Lifetimes::new(second(HOUR), second(2 * HOUR), second(HOUR), second(10))
                .unwrap(),
        }],
    })
}

async fn feed() -> Response {
    let hello = format!(
        "event: hello\ndata: {{\"head\":\"{}\"}}\n\n",
        Position::START
    );
    let body = stream::unfold(Some(hello), async |hello| {
        let text = match hello {
            Some(hello) => hello,
            None => {
                tokio::time::sleep(Duration::from_secs(5)).await;
                ":\n\n".to_owned()
            }
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), None))
    });
    let kind = [("content-type", "text/event-stream")];
    (kind, Body::from_stream(body)).into_response()
}

async fn introspect(Form(form): Form<HashMap<String, String>>) -> Json<Introspection> {
    if form.get("token").map(String::as_str) != Some(SESSION) {
        return Json(Introspection::Inactive);
    }
    let now = now().as_secs();
    Json(Introspection::Active(Box::new(ActiveCredential {
        sub: user(),
        username: "alice".to_owned(),
        sid: sid(),
        client_id: APP.parse().unwrap(),
        rev: Position::START,
        as_of: None,
        kid: None,
        shape: Shape::Session,
        iat: now,
        exp: now + HOUR.cast_signed(),
        auth_time: now,
        amr: vec!["pwd".to_owned()],
        roles: vec!["user".parse().unwrap()],
    })))
}

fn user() -> UserId {
    UserId::from_bytes([1; 16])
}

fn sid() -> Sid {
    Sid::from_bytes([2; 16])
}

pub fn now() -> UnixMillis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    UnixMillis::from_millis(i64::try_from(since.as_millis()).unwrap())
}
