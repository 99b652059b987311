//! Connections that become something else (`WebSockets`, RFC 9110 section 7.8) end with their login, too.
//!
//! After a 101, or a 2xx to `CONNECT` (RFC 9110 section 9.3.6; so do `WebSockets` over HTTP/2, RFC 8441),
//! the connection is the handler's, and no layer sees its bytes. So the handler is given
//! the end of a connection inside the process instead, and the guard carries the bytes between the
//! two while the login goes on.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, Version, header};
use hyper::{
    client::conn::http1 as client,
    server::conn::http1 as server,
    service::service_fn,
    upgrade::{self, OnUpgrade},
};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tower::{BoxError, Service};

use crate::open_answers::Registration;

/// How many bytes may be on their way inside the process, in each direction.
const BUFFER: usize = 16 * 1024;

/// The connection's own upgrade, taken out of a request that asks for one.
pub(crate) fn wish<B>(request: &mut Request<B>) -> Option<OnUpgrade> {
    // Hardly any request brings one, and that is told without a look at its headers.
    request.extensions().get::<OnUpgrade>()?;
    let asks = request.method() == Method::CONNECT
        || (request.version() <= Version::HTTP_11
            && request.headers().contains_key(header::UPGRADE));
    asks.then(|| request.extensions_mut().remove::<OnUpgrade>())
        .flatten()
}

/// Calls `inner`, which is ready, and carries what it makes of the connection until the login ends.
pub(crate) async fn carry<S, B, R>(
    inner: S,
    request: Request<B>,
    outside: OnUpgrade,
    registration: Registration,
) -> Result<Response, S::Error>
where
    S: Service<Request<B>, Response = http::Response<R>> + Send + 'static,
    S::Future: Send,
    S::Error: Send + 'static,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    let (ours, theirs) = tokio::io::duplex(BUFFER);
    let connects = request.method() == Method::CONNECT;
    let copy = stand_in(&request);

    // The request itself does not travel, only its upgrade: extensions and body stay as they were.
    let waiting = Arc::new(Mutex::new(Some((inner, request))));
    let failure = Arc::new(Mutex::new(None));
    let (failed, taken) = (Arc::clone(&failure), waiting);
    let handler = service_fn(move |mut arrived: Request<hyper::body::Incoming>| {
        let call = lock(&taken).take().map(|(mut inner, mut request)| {
            request.extensions_mut().insert(upgrade::on(&mut arrived));
            inner.call(request)
        });
        let failed = Arc::clone(&failed);
        async move {
            let call = call.ok_or_else(|| io::Error::other("one request each"))?;
            match call.await {
                Ok(response) => Ok(response.map(Body::new)),
                Err(error) => {
                    *lock(&failed) = Some(error);
                    Err(io::Error::other("the service failed"))
                }
            }
        }
    });
    let inside = server::Builder::new()
        .auto_date_header(false)
        .serve_connection(TokioIo::new(theirs), handler)
        .with_upgrades();
    tokio::spawn(async move {
        let _ = inside.await;
    });
    match ask(ours, copy).await {
        Ok(mut response) => {
            let status = response.status();
            if status == StatusCode::SWITCHING_PROTOCOLS || (connects && status.is_success()) {
                let inside = upgrade::on(&mut response);
                tokio::spawn(join(outside, inside, registration));
            }
            Ok(response.map(Body::new))
        }
        Err(error) => {
            if let Some(error) = lock(&failure).take() {
                return Err(error);
            }
            tracing::error!(%error, "a connection inside the process broke");
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            Ok(response)
        }
    }
}

/// What opens the connection inside the process, in HTTP/1.1, in the place of the request.
fn stand_in<B>(request: &Request<B>) -> Request<Body> {
    let mut copy = Request::new(Body::empty());
    *copy.method_mut() = request.method().clone();
    if request.method() == Method::CONNECT {
        // Its target is a host and nothing else, whatever an extended one asks for.
        *copy.uri_mut() = Uri::from_static("inside:0");
    } else {
        *copy.uri_mut() = request.uri().clone();
        copy.headers_mut().clone_from(request.headers());
    }
    copy
}

async fn ask(
    ours: tokio::io::DuplexStream,
    request: Request<Body>,
) -> hyper::Result<http::Response<hyper::body::Incoming>> {
    let (mut sender, connection) = client::handshake(TokioIo::new(ours)).await?;
    tokio::spawn(async move {
        let _ = connection.with_upgrades().await;
    });
    sender.send_request(request).await
}

/// Carries bytes both ways until the handler is done or the login ends; then both ends close.
async fn join(outside: OnUpgrade, inside: OnUpgrade, mut registration: Registration) {
    let (Ok(outside), Ok(inside)) = tokio::join!(outside, inside) else {
        return;
    };
    let (mut from_outside, mut to_outside) = tokio::io::split(TokioIo::new(outside));
    let (mut from_inside, mut to_inside) = tokio::io::split(TokioIo::new(inside));
    let inwards = async {
        let _ = tokio::io::copy(&mut from_outside, &mut to_inside).await;
        // The client may have said its last word and still wait for the handler's.
        let _ = to_inside.shutdown().await;
        std::future::pending::<()>().await;
    };
    let outwards = async {
        let _ = tokio::io::copy(&mut from_inside, &mut to_outside).await;
        let _ = to_outside.shutdown().await;
    };
    tokio::select! {
        biased;
        () = registration.ended() => {
            tracing::info!("an open connection is ended: its login is over, or not proved to go on");
        }
        () = outwards => {}
        () = inwards => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
