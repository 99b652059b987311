//! Pages that say no: not found, not allowed, not now.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use symbolon_authority::Failure;

use super::{
    page::{Page, send},
    views::refusal::{OauthError, Refusal, RefusalPage},
};
use crate::problem::{failure_status, seconds_of};

/// How long to wait before trying again after a 503, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The page of a refusal with this status.
pub(crate) fn problem(headers: &HeaderMap, status: StatusCode) -> Response {
    refuse(Page::for_request(headers), status, Refusal::of(status))
}

/// The page of `GET /oauth2/authorize` where a redirect to the app must not happen: the app is
/// unknown, or the redirect URI is not one of its own (RFC 6749 section 4.1.2.1).
pub(crate) fn oauth_error(
    headers: &HeaderMap,
    status: StatusCode,
    error: &str,
    description: &str,
) -> Response {
    let page = Page::for_request(headers);
    let t = page.t;
    send(
        status,
        &OauthError {
            page,
            t,
            error: error.to_owned(),
            description: description.to_owned(),
        },
    )
}

/// The page of a story that could not be told to its end; the log has the reason.
pub(crate) fn failure(page: Page, failure: &Failure) -> Response {
    let status = failure_status(failure);
    refuse(page, status, Refusal::of(status))
}

/// Too many wrong passwords: the page says how long to wait.
pub(crate) fn too_many(page: Page, wait: Duration) -> Response {
    let seconds = seconds_of(wait);
    let minutes = seconds.div_ceil(60);
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut response = refuse(page, status, Refusal::TooMany { minutes });
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A refusal on a page whose visitor is known.
pub(crate) fn refuse(page: Page, status: StatusCode, refusal: Refusal) -> Response {
    let t = page.t;
    let mut response = send(
        status,
        &RefusalPage {
            page,
            t,
            status: status.as_u16(),
            refusal,
        },
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}
