//! Errors of the endpoints that apps call (RFC 6749 section 5.2).

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use symbolon_authority::Failure;

use crate::problem::failure_status;

/// An error of an OAuth endpoint.
#[derive(Debug)]
pub(crate) enum OAuthError {
    /// A parameter is missing, came twice, or is not what it should be.
    InvalidRequest(&'static str),
    /// The client did not prove who it is.
    InvalidClient,
    /// The code or the refresh token is not good: unknown, used, expired, another client's.
    InvalidGrant,
    /// Not a grant type of ours.
    UnsupportedGrantType,
    /// The body is longer than the limit.
    TooLarge,
    /// The story failed.
    Failure(Failure),
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
}

impl From<Failure> for OAuthError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (status, error, error_description) = match &self {
            Self::InvalidRequest(wrong) => {
                (StatusCode::BAD_REQUEST, "invalid_request", Some(*wrong))
            }
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client", None),
            Self::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant", None),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type", None),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", None),
            Self::Failure(failure) => match failure_status(failure) {
                status @ StatusCode::SERVICE_UNAVAILABLE => {
                    (status, "temporarily_unavailable", None)
                }
                status => (status, "server_error", None),
            },
        };
        let body = Body {
            error,
            error_description,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6749 section 5.2: the scheme that the client can use.
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"symbolon\", charset=\"UTF-8\""),
            );
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
