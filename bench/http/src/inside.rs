//! The same route called inside the process, without a connection: what a check adds, in nanoseconds.
//! `run inside [ROUNDS]`.

use std::time::{Duration, Instant};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    response::Response,
};
use futures_util::future::BoxFuture;
use tower::{Layer, Service, ServiceExt};

use crate::{authority, quartiles, server};

/// Calls of a row before it is the next row's turn.
const CALLS: u32 = 500;

/// Calls a route so many times with these headers; gives nanoseconds a call.
type Row = Box<dyn FnMut(HeaderMap) -> BoxFuture<'static, f64>>;

fn row<S>(service: S) -> Row
where
    S: Service<Request, Response = Response> + Clone + Send + 'static,
    S::Error: std::fmt::Debug,
    S::Future: Send,
{
    Box::new(move |headers| {
        let service = service.clone();
        Box::pin(async move {
            let requests: Vec<Request> = (0..CALLS)
                .map(|_| {
                    let mut request = Request::get("/me").body(Body::empty()).unwrap();
                    *request.headers_mut() = headers.clone();
                    request
                })
                .collect();
            let mut answers = Vec::with_capacity(requests.len());
            let start = Instant::now();
            for request in requests {
                // As a connection does: a service of its own for each request.
                answers.push(service.clone().oneshot(request).await.unwrap());
            }
            let spent = start.elapsed();
            assert!(answers.iter().all(|answer| answer.status() == 200));
            spent.as_nanos() as f64 / f64::from(CALLS)
        })
    })
}

fn headers(line: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("localhost"));
    if let Some((name, value)) = line.split_once(": ") {
        headers.insert(
            name.parse::<HeaderName>().unwrap(),
            HeaderValue::from_str(value).unwrap(),
        );
    }
    // The first clone moves a text behind a counter: a server's headers stand there from the start.
    let _counted = headers.clone();
    headers
}

pub async fn run(rounds: usize) {
    let (guard, token) = server::guard().await;
    let session = headers(&format!(
        "cookie: __Host-{}={}",
        authority::APP,
        authority::SESSION
    ));
    let token = headers(&token);
    // As `axum::serve` does: routes and their layers are made once, not for each request.
    let ready = |app: Router| app.with_state::<()>(());
    let around = guard.layer().layer(ready(server::me_for_somebody()));
    // As `axum::serve` does for each connection.
    let connect = || {
        let mut app = guard.layer().around(server::me_for_somebody());
        async move { Service::<()>::call(&mut app, ()).await.unwrap() }
    };
    let connections = [connect().await, connect().await];
    let [of_session, of_token] = connections;
    let inside = ready(server::me_for_somebody().layer(guard.layer()));
    let (bare, layered) = (ready(server::bare()), ready(server::layered()));
    // The first two are the floors: of sessions, and of JWTs.
    let mut rows: Vec<(&str, HeaderMap, Row)> = vec![
        ("axum alone, session", session.clone(), row(bare.clone())),
        ("axum alone, JWT", token.clone(), row(bare)),
        ("nothing checked", session.clone(), row(layered)),
        ("routes, session", session.clone(), row(inside.clone())),
        ("routes, JWT", token.clone(), row(inside)),
        ("no connection, session", session.clone(), row(around.clone())),
        ("no connection, JWT", token.clone(), row(around)),
        ("around, session", session, row(of_session)),
        ("around, JWT", token, row(of_token)),
    ];
    let mut times = vec![Vec::new(); rows.len()];
    for round in 0..rounds {
        if round % 50 == 0 {
            // The guard has to hear from its authority now and then: they share this thread.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for ((_, headers, row), times) in rows.iter_mut().zip(&mut times) {
            times.push(row(headers.clone()).await);
        }
    }
    for ((name, ..), times_of) in rows.iter().zip(&times) {
        let floor = usize::from(name.ends_with("JWT"));
        let [low, middle, high] = quartiles(times_of.iter().copied());
        let more = times_of.iter().zip(&times[floor]).map(|(a, b)| a - b);
        let [_, more, _] = quartiles(more);
        println!("| {name} | {middle:.0} ({low:.0}-{high:.0}) | {more:+.0} |");
    }
}
