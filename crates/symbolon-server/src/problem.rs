//! What a refusal looks like (RFC 9457), and from which failure it comes.
//!
//! Outside text is fixed or names a field of the request; what went wrong inside goes to the log.

mod korean;

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use symbolon_authority::{Failure, ports::StoreError};
use utoipa::ToSchema;

use crate::cookies::DuplicateCookie;

/// Which refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No credential was shown.
    NotSignedIn,
    /// A credential was shown that is not good.
    CredentialRefused,
    /// A name and a password that do not belong together, whatever the reason.
    WrongCredentials,
    /// Known, but not allowed.
    Forbidden,
    /// From another site's page.
    CrossSite,
    /// Nothing there.
    NotFound,
    /// There, but not with this method.
    MethodNotAllowed,
    /// In use.
    Conflict,
    /// The person has as many logins as they may have.
    LoginLimit,
    /// The request is not what this URL takes.
    BadRequest,
    /// Not JSON, or not a form.
    UnsupportedMediaType,
    /// Longer than the limit.
    TooLarge,
    /// Too many wrong passwords for a name.
    TooManyAttempts,
    /// Too much at once.
    Busy,
    /// The store is away, or took too long.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// A refusal, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Option<Cow<'static, str>>,
    /// Where it is known when trying again may help.
    wait: Option<Duration>,
    /// Whether it is for somebody who asked for Korean.
    korean: bool,
}

/// The body of a refusal (RFC 9457 section 3).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// One of: `urn:symbolon:problem:` and `not-signed-in`, `credential-refused`,
    /// `wrong-credentials`, `forbidden`, `cross-site`, `not-found`, `method-not-allowed`,
    /// `conflict`, `login-limit`, `bad-request`, `unsupported-media-type`, `too-large`,
    /// `too-many-attempts`, `busy`, `unavailable`, `internal`.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "urn:symbolon:problem:not-found")]
    problem_type: String,
    /// What it is, in one language always the same for its type.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong with this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    detail: Option<Cow<'static, str>>,
}

impl Kind {
    const fn parts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::NotSignedIn => (
                "not-signed-in",
                StatusCode::UNAUTHORIZED,
                "Sign in to use this.",
            ),
            Self::CredentialRefused => (
                "credential-refused",
                StatusCode::UNAUTHORIZED,
                "This credential is not good, or no longer.",
            ),
            Self::WrongCredentials => (
                "wrong-credentials",
                StatusCode::UNAUTHORIZED,
                "The name or the password is wrong.",
            ),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "You may not do this."),
            Self::CrossSite => (
                "cross-site",
                StatusCode::FORBIDDEN,
                "This request does not prove that it comes from this site.",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "There is no such thing.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This URL does not take this method.",
            ),
            Self::Conflict => (
                "conflict",
                StatusCode::CONFLICT,
                "That conflicts with what is there.",
            ),
            Self::LoginLimit => (
                "login-limit",
                StatusCode::CONFLICT,
                "There is no room for one more login.",
            ),
            Self::BadRequest => (
                "bad-request",
                StatusCode::BAD_REQUEST,
                "The request is not what it should be.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This URL does not take this Content-Type.",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is too long.",
            ),
            Self::TooManyAttempts => (
                "too-many-attempts",
                StatusCode::TOO_MANY_REQUESTS,
                "Too many wrong passwords for this name. Try again later.",
            ),
            Self::Busy => (
                "busy",
                StatusCode::SERVICE_UNAVAILABLE,
                "Too much at once. Try again in a moment.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "Not available at the moment. Try again.",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side.",
            ),
        }
    }

    /// The `WWW-Authenticate` of a 401 (RFC 6750 section 3).
    const fn challenge(self) -> Option<&'static str> {
        match self {
            // Without a credential in the request there is no error code (section 3.1).
            Self::NotSignedIn | Self::WrongCredentials => Some("Bearer realm=\"symbolon\""),
            Self::CredentialRefused => Some("Bearer realm=\"symbolon\", error=\"invalid_token\""),
            _ => None,
        }
    }
}

impl Problem {
    /// A refusal that needs no further word.
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            detail: None,
            wait: None,
            korean: false,
        }
    }

    /// A refusal that says what is wrong with the request. Never anything from inside.
    pub(crate) fn with(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            detail: Some(detail.into()),
            wait: None,
            korean: false,
        }
    }

    /// Too many wrong passwords: nothing is tried for this long.
    pub(crate) const fn later(wait: Duration) -> Self {
        Self {
            kind: Kind::TooManyAttempts,
            detail: None,
            wait: Some(wait),
            korean: false,
        }
    }

    /// The same for somebody who asked for Korean; its detail is Korean already.
    pub(crate) const fn in_korean(mut self) -> Self {
        self.korean = true;
        self
    }

    /// A refusal of a body for somebody who asked for Korean.
    pub(crate) fn of_body_in_korean(mut self) -> Self {
        self.detail = self.detail.map(|detail| korean::detail(&detail).into());
        self.in_korean()
    }

    /// Whether the body was longer than the limit.
    pub(crate) fn is_too_large(&self) -> bool {
        self.kind == Kind::TooLarge
    }

    /// 400 about one field.
    pub(crate) fn field(name: &str, wrong: impl std::fmt::Display) -> Self {
        Self::with(Kind::BadRequest, format!("{name}: {wrong}"))
    }
}

impl From<Problem> for ProblemBody {
    fn from(problem: Problem) -> Self {
        let (name, status, title) = problem.kind.parts();
        Self {
            problem_type: format!("urn:symbolon:problem:{name}"),
            title: if problem.korean {
                korean::title(problem.kind)
            } else {
                title
            },
            status: status.as_u16(),
            detail: problem.detail,
        }
    }
}

/// A response with the body of a refusal, and perhaps more members (RFC 9457 section 3.2).
pub(crate) fn respond(status: StatusCode, body: impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    response
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (_, status, _) = self.kind.parts();
        let mut response = respond(status, ProblemBody::from(self.clone()));
        let headers = response.headers_mut();
        if self.korean {
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("ko"));
        }
        if let Some(challenge) = self.kind.challenge() {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_of(wait)));
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Whole seconds for `Retry-After`: whoever keeps to them is not too early.
pub(crate) fn seconds_of(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::new(kind_of(&failure))
    }
}

impl From<DuplicateCookie> for Problem {
    fn from(DuplicateCookie: DuplicateCookie) -> Self {
        Self::with(Kind::BadRequest, "Cookie: a name came twice")
    }
}

/// The status of a failure: 503 where trying again may help, 500 where it cannot. Writes the
/// operator's text to the log.
pub(crate) fn failure_status(failure: &Failure) -> StatusCode {
    kind_of(failure).parts().1
}

fn kind_of(failure: &Failure) -> Kind {
    let kind = match failure {
        Failure::Busy(_) => Kind::Busy,
        Failure::Store(StoreError::Unavailable(_)) => Kind::Unavailable,
        Failure::Store(StoreError::Damaged(_)) | Failure::NoRandomness(_) | Failure::Signing => {
            Kind::Internal
        }
    };
    if kind == Kind::Busy {
        tracing::warn!(%failure, "refused: too much at once");
    } else {
        tracing::error!(%failure, "a story failed");
    }
    kind
}
