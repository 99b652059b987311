//! The authority's side of the wire, without a wire.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures_util::{future::BoxFuture, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use serde::Serialize;
use serde_json::json;
use symbolon_login::{Head, Position};
use url::form_urlencoded;

use super::Shared;
use crate::{
    World, resolve,
    transport::{Transport, Undelivered},
};

/// Carries a guard's questions to the test authority.
pub(super) struct Wire(pub(super) Arc<Shared>);

impl Transport for Wire {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { answer(&shared, &request) })
    }
}

fn answer(shared: &Arc<Shared>, request: &Request<Bytes>) -> Result<Response<Body>, Undelivered> {
    let path = request.uri().path();
    if shared.lock().is_away() {
        if !path.starts_with("/feed") {
            // The guard would try again for so long, and the visitor wait: here no time passes by itself.
            shared.world.pass(resolve::PATIENCE);
        }
        return Err(Undelivered {
            what: "the test authority is away".to_owned(),
            not_done: true,
        });
    }
    let now = shared.world.wall();
    let form = |name| field(request.body(), name);
    Ok(match (request.method(), path) {
        (&Method::GET, "/feed") => feed(shared, request.headers()),
        (&Method::GET, "/feed/head") => {
            let head = shared.lock().head();
            ok(&Head { head })
        }
        (&Method::GET, "/feed/snapshot") => ok(&shared.lock().snapshot()),
        (&Method::POST, "/oauth2/introspect") => ok(&shared.lock().introspect(&form("token"), now)),
        (&Method::POST, "/oauth2/token") => {
            let redeemed = shared.lock().redeem(&form("refresh_token"), now);
            // A reused secret ended its login.
            shared.announce();
            match redeemed {
                Some(granted) => ok(&granted),
                None => respond(
                    StatusCode::BAD_REQUEST,
                    &json!({ "error": "invalid_grant" }),
                ),
            }
        }
        (&Method::POST, "/oauth2/revoke") => {
            let mut state = shared.lock();
            if let Some(sid) = state.owner(&form("token"), now) {
                state.end(sid);
            }
            drop(state);
            shared.announce();
            ok(&json!({}))
        }
        (&Method::DELETE, path) if path.starts_with("/api/v1/logins/") => {
            end_login(shared, request.uri(), request.headers())
        }
        _ => respond(StatusCode::NOT_FOUND, &json!({})),
    })
}

/// A login in the name of itself.
fn end_login(shared: &Shared, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let now = shared.world.wall();
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default();
    let mut state = shared.lock();
    let own = state.owner(bearer, now);
    match own.filter(|sid| uri.path().ends_with(&sid.to_string())) {
        Some(sid) => {
            let position = state.end(sid);
            drop(state);
            shared.announce();
            ok(&json!({ "position": position, "ended": 1 }))
        }
        None => respond(StatusCode::FORBIDDEN, &json!({})),
    }
}

/// What one stream has told so far.
struct Stream {
    shared: Arc<Shared>,
    changed: tokio::sync::watch::Receiver<u64>,
    /// The number under which it was opened.
    number: u64,
    sent: Position,
    said_hello: bool,
}

/// The stream of the log, from `Last-Event-ID` on.
fn feed(shared: &Arc<Shared>, headers: &HeaderMap) -> Response<Body> {
    let after = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(Position::new(1, 0));
    let stream = Stream {
        shared: Arc::clone(shared),
        changed: shared.changed.subscribe(),
        number: shared.lock().streams(),
        sent: after,
        said_hello: false,
    };
    let body = stream::unfold(stream, |mut stream| async {
        let text = stream.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), stream))
    });
    let mut response = Response::new(Body::from_stream(body));
    let kind = header::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

impl Stream {
    /// What is new, as soon as there is something; none when the stream was cut.
    async fn next(&mut self) -> Option<String> {
        loop {
            self.changed.borrow_and_update();
            let text = self.news()?;
            if !text.is_empty() {
                return Some(text);
            }
            // A guard takes a stream that is silent for too long for broken.
            let quiet = tokio::time::timeout(Duration::from_secs(5), self.changed.changed());
            match quiet.await {
                Ok(changed) => changed.ok()?,
                Err(_) => return Some(":\n\n".to_owned()),
            }
        }
    }

    fn news(&mut self) -> Option<String> {
        let state = self.shared.lock();
        if state.streams() != self.number {
            return None;
        }
        let mut text = String::new();
        if !self.said_hello {
            self.said_hello = true;
            text = format!("event: hello\ndata: {{\"head\":\"{}\"}}\n\n", state.head());
        }
        for entry in state.entries_after(self.sent) {
            let data = serde_json::to_string(entry).expect("an entry is JSON");
            let id = entry.position;
            text.extend([
                format!("id: {id}\nevent: entry\n"),
                format!("data: {data}\n\n"),
            ]);
            self.sent = id;
        }
        Some(text)
    }
}

fn field(form: &[u8], name: &str) -> String {
    form_urlencoded::parse(form)
        .find(|(field, _)| field == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn ok(body: &impl Serialize) -> Response<Body> {
    respond(StatusCode::OK, body)
}

fn respond(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let json = serde_json::to_vec(body).expect("an answer is JSON");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    response
}
