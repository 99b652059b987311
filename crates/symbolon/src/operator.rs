//! How the command line reaches the authority: through the socket of a running server, or, where
//! none runs, by opening the data directory itself. Either way it speaks the same API.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use axum::{Router, body::Body};
use http::{Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use symbolon_server::{ServerState, authority::Settings};
use tokio::net::UnixStream;
use tower::ServiceExt;

use crate::{
    cli::Target,
    data::{Data, IfMissing, socket_path},
};

/// More than any list that the API gives.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A way to the authority, with the rights of whoever owns its data directory.
pub(crate) struct Operator(Way);

enum Way {
    Socket(PathBuf),
    /// The directory stays open, and locked, as long as it is used.
    Inside(
        Router,
        #[expect(dead_code, reason = "keeps the directory open")] Data,
    ),
}

impl Operator {
    /// Finds the way to the authority in `dir`.
    pub(crate) async fn reach(target: &Target, if_missing: IfMissing) -> Result<Self> {
        let dir = &*target.data;
        let socket = socket_path(dir);
        match UnixStream::connect(&socket).await {
            Ok(_) => return Ok(Self(Way::Socket(socket))),
            // No server, or one that was killed and left its socket behind.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                let text = format!(
                    "cannot use {}: only the owner of the authority may",
                    socket.display()
                );
                return Err(error).context(text);
            }
        }
        // Nothing is issued here, so neither the public URL nor the rules for logins matter.
        let settings = Settings::new("http://localhost:7300");
        let data = Data::open(dir, &target.place.clone().into(), settings, if_missing).await?;
        let state = ServerState::new(data.authority.clone(), false)?;
        Ok(Self(Way::Inside(
            symbolon_server::operator_router(state),
            data,
        )))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.call(Method::GET, path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        self.call(Method::POST, path, Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Result<Value> {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value> {
        self.call(Method::DELETE, path, None).await
    }

    /// Calls the API. A refusal becomes an error with the API's own words.
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body)?;
        let (status, bytes) = match &self.0 {
            Way::Socket(path) => over_socket(path, request).await?,
            Way::Inside(router, _) => {
                let answer = router.clone().oneshot(request).await?;
                let status = answer.status();
                (
                    status,
                    axum::body::to_bytes(answer.into_body(), LONGEST_ANSWER)
                        .await?
                        .to_vec(),
                )
            }
        };
        let answer: Value = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).context("the authority's answer is no JSON")?
        };
        if status.is_success() {
            return Ok(answer);
        }
        let word = |name: &str| answer.get(name).and_then(Value::as_str);
        match word("detail").or_else(|| word("title")) {
            Some(text) => bail!("{text}"),
            None => bail!("the authority answered {status}"),
        }
    }
}

async fn over_socket(path: &Path, request: Request<Body>) -> Result<(StatusCode, Vec<u8>)> {
    let stream = UnixStream::connect(path)
        .await
        .with_context(|| format!("cannot reach the authority at {}", path.display()))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let answer = sender.send_request(request).await?;
    let status = answer.status();
    let bytes = answer.into_body().collect().await?.to_bytes().to_vec();
    drop(sender);
    driver.await??;
    Ok((status, bytes))
}
