//! What every request passes on its way in and every response on its way out.

use std::{any::Any, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    handler::Handler,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use tower_http::request_id::{MakeRequestId, MakeRequestUuid, RequestId};
use tracing::Instrument;

use crate::{
    ServerState,
    csrf::{self, Source},
    pages,
    problem::{Kind, Problem},
};

/// The longest body of a request, in bytes: forms and small JSON only.
pub(crate) const LONGEST_BODY: usize = 64 * 1_024;
/// How long an answer may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Two years, as the preload list wants it (ASVS 3.4.1 asks for one).
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names the request, and writes one line about it.
///
/// Method, matched route, status and time only: a query holds codes, a header credentials, and a
/// path that matched nothing whatever a stranger likes. The id is our own; one that the client
/// sends would let it write into the log.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let id = MakeRequestUuid.make_request_id(&request);
    let id = id.map_or(HeaderValue::from_static("-"), RequestId::into_header_value);
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("-", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or("-"));
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, ms) = (response.status(), started.elapsed().as_millis());
    let _entered = span.enter();
    if status.is_server_error() {
        tracing::error!(%method, path, status = status.as_u16(), ms, "answered");
    } else if matches!(path.as_str(), "/feed/head" | "/healthz" | "/readyz") {
        // Guards ask four times a second, watchers every few: not news.
        tracing::debug!(%method, path, status = status.as_u16(), ms, "answered");
    } else {
        tracing::info!(%method, path, status = status.as_u16(), ms, "answered");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Puts the headers that keep browsers careful on every response. What a handler has set stays.
pub(crate) async fn security_headers(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not no-referrer: with it browsers send `Origin: null` on a form of our own, and where there
    // is no Sec-Fetch-Site (plain http) that form would be refused. Other sites learn nothing.
    default(header::REFERRER_POLICY, "same-origin");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    );
    default(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // For caches that keep it all the same: it is one caller's answer.
        headers.append(
            header::VARY,
            HeaderValue::from_static("authorization, cookie"),
        );
    }
    if state.public_url().is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    response
}

/// Gives up on an answer that takes too long.
pub(crate) async fn time_out(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Kind::Unavailable).into_response(),
    }
}

/// Refuses every unsafe request to a page that does not prove to come from our own pages; also
/// where no cookie came with it, so that nobody is signed in as somebody else (login CSRF).
pub(crate) async fn same_origin(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let own = csrf::source(state.public_url(), request.headers()) == Source::Own;
    if csrf::is_unsafe(request.method()) && !own {
        tracing::warn!(reason = "cross-site", "refused");
        return pages::problem(request.headers(), StatusCode::FORBIDDEN);
    }
    next.run(request).await
}

/// The last resort: a handler panicked. The message goes to the log by the panic hook, never out.
pub(crate) fn panicked(_panic: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(Kind::Internal).into_response()
}

/// Nothing has this URL.
pub(crate) async fn not_found(State(state): State<ServerState>, request: Request) -> Response {
    if is_for_programs(request.uri().path()) {
        Problem::new(Kind::NotFound).into_response()
    } else {
        pages::not_found.call(request, state).await
    }
}

/// Something has this URL, but not with this method.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    if is_for_programs(request.uri().path()) {
        Problem::new(Kind::MethodNotAllowed).into_response()
    } else {
        pages::problem(request.headers(), StatusCode::METHOD_NOT_ALLOWED)
    }
}

fn is_for_programs(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(
        first,
        "api" | "oauth2" | "feed" | ".well-known" | "healthz" | "readyz"
    )
}
