//! Pages that say no.

use askama::Template;
use http::StatusCode;

use crate::pages::{page::Page, words::Words};

/// What is refused, as far as it is told outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Not a request that a page of ours sends.
    BadRequest,
    /// Signed in, but without the role.
    NotAdmin,
    /// It came from another site, or cannot show that it did not.
    CrossSite,
    /// Nothing there.
    NotFound,
    /// A form too long.
    TooLarge,
    /// Too often.
    TooMany {
        /// How long to wait.
        minutes: u64,
    },
    /// Not now.
    Unavailable,
    /// Our fault.
    Internal,
    /// The set-up link leads nowhere (any more).
    SetUpRefused,
    /// The set-up link was used up by a name that somebody has.
    SetUpTaken,
}

impl Refusal {
    /// The refusal that a bare status stands for.
    pub(crate) fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN => Self::CrossSite,
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Self::NotFound,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::TOO_MANY_REQUESTS => Self::TooMany { minutes: 1 },
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    fn title(self, t: Words) -> String {
        match self {
            Self::BadRequest => t.refusal_bad_request_title(),
            Self::NotAdmin => t.refusal_not_admin_title(),
            Self::CrossSite => t.refusal_cross_site_title(),
            Self::NotFound => t.refusal_not_found_title(),
            Self::TooLarge => t.refusal_too_large_title(),
            Self::TooMany { .. } => t.refusal_too_many_title(),
            Self::Unavailable => t.refusal_unavailable_title(),
            Self::Internal => t.refusal_internal_title(),
            Self::SetUpRefused | Self::SetUpTaken => t.set_up_refused_title(),
        }
    }

    fn text(self, t: Words) -> String {
        match self {
            Self::BadRequest => t.refusal_bad_request(),
            Self::NotAdmin => t.refusal_not_admin(),
            Self::CrossSite => t.refusal_cross_site(),
            Self::NotFound => t.refusal_not_found(),
            Self::TooLarge => t.refusal_too_large(),
            Self::TooMany { minutes } => t.refusal_too_many(minutes),
            Self::Unavailable => t.refusal_unavailable(),
            Self::Internal => t.refusal_internal(),
            Self::SetUpRefused => t.set_up_refused(),
            Self::SetUpTaken => t.set_up_taken(),
        }
    }
}

/// A refusal as a page.
#[derive(Template)]
#[template(path = "refusal.html")]
pub(crate) struct RefusalPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) status: u16,
    pub(crate) refusal: Refusal,
}

/// An authorization request that must not be answered by a redirect.
#[derive(Template)]
#[template(path = "oauth_error.html")]
pub(crate) struct OauthError {
    pub(crate) page: Page,
    pub(crate) t: Words,
    /// The code of RFC 6749 section 4.1.2.1.
    pub(crate) error: String,
    /// For the app's developer.
    pub(crate) description: String,
}
