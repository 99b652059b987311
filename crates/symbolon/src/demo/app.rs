//! One of the demo's apps: all that an app has to do to know who is calling.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::{
    Extension, Json, Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use symbolon_guard::{Guard, Identity};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, stdin},
    sync::watch,
    task::JoinSet,
};

use super::{AppSettings, page};
use crate::{listen::listen_locally, output};

/// What the pages of the app need besides the identity.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) guard: Guard,
    pub(crate) authority: String,
    pub(crate) other: super::Neighbour,
    http: reqwest::Client,
}

pub(crate) async fn app() -> Result<()> {
    let mut input = BufReader::new(stdin());
    let mut line = String::new();
    input.read_line(&mut line).await?;
    let settings: AppSettings =
        serde_json::from_str(&line).context("this command is for `symbolon demo` only")?;

    let listeners = listen_locally(settings.port).await?;
    let guard = Guard::builder(&settings.authority, settings.client_id)
        .client_secret(settings.client_secret)
        .public_url(format!("http://localhost:{}", settings.port))
        .connect()
        .await?;
    let http = reqwest::Client::builder()
        .timeout(Duration::from_secs(2))
        .build()?;
    let shop = Shop {
        guard: guard.clone(),
        authority: settings.authority,
        other: settings.other,
        http,
    };
    let router = Router::new()
        .route("/", get(page::home))
        .route("/api/whoami", get(whoami))
        .route("/api/pulse", get(pulse))
        .route("/api/record", get(record))
        .merge(page::assets())
        // Outermost: it answers routes of its own, such as /auth/callback.
        .layer(guard.layer())
        .layer(Extension(shop));

    let (end, ended) = watch::channel(false);
    let mut servers = JoinSet::new();
    for listener in listeners {
        let mut ended = ended.clone();
        let stopping = async move { drop(ended.wait_for(|end| *end).await) };
        servers.spawn(symbolon_server::serve(listener, router.clone(), stopping));
    }
    output::line("ready")?;
    // Whoever started this process holds the other end; when it is gone, so is the app.
    let nothing_more = input.read(&mut [0]).await?;
    ensure!(nothing_more == 0, "expected one line of settings");
    end.send_replace(true);
    while servers.join_next().await.is_some() {}
    Ok(())
}

/// `GET /api/whoami`: an API behind the guard; 401 for everybody else comes from the extractor.
async fn whoami(who: Identity) -> Json<Value> {
    Json(json!({
        "sub": who.user(),
        "username": who.username(),
        "sid": who.sid(),
        "shape": who.shape(),
        "roles": who.roles(),
        "staleness_ms": who.proof().staleness.as_secs_f64() * 1000.0,
    }))
}

/// `GET /api/pulse`: whether the caller is signed in, without complaint if not.
async fn pulse(who: Option<Identity>) -> Json<Value> {
    Json(json!({ "signed_in": who.is_some() }))
}

/// `GET /api/record`: what the authority keeps of this login, asked with the caller's own credential.
async fn record(who: Identity, Extension(shop): Extension<Shop>) -> Response {
    let asked = shop
        .http
        .get(format!("{}/api/v1/me", shop.authority))
        .bearer_auth(who.expose_credential())
        .send()
        .await;
    match asked {
        Ok(answer) if answer.status().is_success() => match answer.json::<Value>().await {
            Ok(record) => Json(record).into_response(),
            Err(_) => StatusCode::BAD_GATEWAY.into_response(),
        },
        _ => StatusCode::BAD_GATEWAY.into_response(),
    }
}
