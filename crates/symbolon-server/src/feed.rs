//! The revocation log as guards follow it: `/feed`, `/feed/head`, `/feed/snapshot`. Public, like a
//! revocation list: it names nothing but opaque ids.
//!
//! Correctness rests on [`Authority::tail`](symbolon_authority::Authority::tail), read until it is
//! empty. The wake-up only makes it fast, and a poll each second makes a lost one harmless.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    Extension, Json,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use http::HeaderMap;
use serde::Deserialize;
use symbolon_authority::ports::Tail;
use symbolon_login::{Head, LogEntry, Position, Snapshot};
use tokio::sync::{OwnedSemaphorePermit, watch};
use uuid::Uuid;

use crate::{
    ServerState,
    board::Checked,
    body::Params,
    oauth::{OAuthError, client},
    problem::{Kind, Problem},
    serve::Closing,
};

/// How many entries are read at once.
const BATCH: u32 = 256;
/// How long a lost wake-up can delay an entry.
const POLL: Duration = Duration::from_secs(1);
/// Between two signs of life on a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// What a guard says of itself when it asks for the head.
#[derive(Deserialize)]
pub(crate) struct HeadQuery {
    guard: Option<Uuid>,
    applied: Option<Position>,
    checked: Option<u64>,
    cookies: Option<u64>,
}

/// From where on.
#[derive(Deserialize)]
pub(crate) struct FeedQuery {
    after: Option<Position>,
}

/// `/feed/head`: the newest entry, read after the question arrived. A guard that proves to be an
/// app's may say along with it what it has applied, and how much it has checked.
pub(crate) async fn head(
    State(state): State<ServerState>,
    headers: HeaderMap,
    Params(query): Params<HeadQuery>,
) -> Result<Json<Head>, Response> {
    let arrived = Instant::now();
    if let (Some(guard), Some(applied)) = (query.guard, query.applied) {
        let app = client::by_basic(&state, &headers).await;
        let app = app.map_err(OAuthError::into_response)?;
        // Only who has a secret proves anything by it: anybody can name a public client.
        if let Some(app) = app.filter(|app| app.secret.is_some()) {
            let client_id = app.settings.client_id;
            let checked = query.checked.map(|checked| Checked {
                checked,
                cookies: query.cookies.unwrap_or_default(),
            });
            let board = state.board();
            board.reported(guard, client_id, applied, checked, arrived);
        }
    }
    let head = state.authority().head().await;
    let head = head.map_err(|failure| Problem::from(failure).into_response())?;
    Ok(Json(Head { head }))
}

/// `/feed/snapshot`: everything that a guard needs to begin with.
pub(crate) async fn snapshot(State(state): State<ServerState>) -> Result<Json<Snapshot>, Problem> {
    Ok(Json(state.authority().snapshot().await?))
}

/// `/feed`: the entries as they come (server-sent events, WHATWG HTML section 9.2). `Last-Event-ID`
/// or `after` says from where on; without either, from now on.
pub(crate) async fn follow(
    State(state): State<ServerState>,
    closing: Option<Extension<Closing>>,
    headers: HeaderMap,
    Params(query): Params<FeedQuery>,
) -> Result<Response, Problem> {
    // The header is what a reconnecting EventSource adds to the URL that it was given.
    let asked = last_event_id(&headers)?.or(query.after);
    let room = state.streams().clone().try_acquire_owned();
    let room = room.map_err(|_| Problem::with(Kind::Busy, "too many follow the feed"))?;
    let wake = state.authority().wake();
    let head = state.authority().head().await?;
    let hello = event("hello").json_data(Head { head });
    let hello = hello.map_err(|_| Problem::new(Kind::Internal))?;
    let follower = Follower {
        state,
        after: asked.unwrap_or(head),
        wake,
        _room: room,
    };
    let closed = async move {
        match closing {
            Some(Extension(closing)) => closing.closed().await,
            // Another server serves this router: it ends the stream itself.
            None => std::future::pending().await,
        }
    };
    let events = stream::iter([Ok(hello)])
        .chain(follower.events())
        .take_until(closed);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("");
    // Proxies that collect an answer before they pass it on would hold every entry back.
    let unbuffered = [("x-accel-buffering", "no")];
    Ok((unbuffered, Sse::new(events).keep_alive(keep_alive)).into_response())
}

/// One who follows, and up to where.
struct Follower {
    state: ServerState,
    after: Position,
    wake: watch::Receiver<Position>,
    _room: OwnedSemaphorePermit,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), async |follower| follower?.batch().await)
            .flat_map(|batch| stream::iter(batch.into_iter().map(Ok)))
    }

    /// The next events and who goes on after them; none ends the stream.
    async fn batch(mut self) -> Option<(Vec<Event>, Option<Self>)> {
        loop {
            // Seen before reading: what is appended from here on wakes again.
            self.wake.mark_unchanged();
            match self.state.authority().tail(self.after, BATCH).await {
                Ok(Tail::Entries(entries)) => {
                    if let Some(last) = entries.last() {
                        self.after = last.position;
                        let events = entries.iter().map(entry).collect::<Result<_, _>>();
                        return Some((events.ok()?, Some(self)));
                    }
                }
                Ok(Tail::Reset) => {
                    let head = self.state.authority().head().await.ok()?;
                    let reset = event("reset").json_data(Head { head });
                    return Some((vec![reset.ok()?], None));
                }
                // The guard reconnects, and knows by then how stale it is.
                Err(failure) => {
                    tracing::error!(%failure, "a stream of the feed ends");
                    return None;
                }
            }
            tokio::select! {
                changed = self.wake.changed() => {
                    if changed.is_err() {
                        tokio::time::sleep(POLL).await;
                    }
                }
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

fn event(name: &str) -> Event {
    Event::default().event(name)
}

fn entry(entry: &LogEntry) -> Result<Event, axum::Error> {
    event("entry")
        .id(entry.position.to_string())
        .json_data(entry)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<Position>, Problem> {
    let mut lines = headers.get_all("last-event-id").iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    let text = line.to_str().ok().filter(|_| lines.next().is_none());
    match text.map(str::parse) {
        Some(Ok(position)) => Ok(Some(position)),
        _ => Err(Problem::field("Last-Event-ID", symbolon_login::BadPosition)),
    }
}
