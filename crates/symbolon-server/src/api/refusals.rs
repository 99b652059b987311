//! Refusals as the `OpenAPI` document shows them. Each names what may go wrong with a kind of
//! request; [`crate::problem`] makes the real ones.

use utoipa::IntoResponses;

use crate::problem::ProblemBody;

/// Of requests that need a caller.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum CallerRefused {
    /// No credential, or one that is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    NotSignedIn(ProblemBody),
    /// A credential of an app that is not first-party, or a cookie from another site's page.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Too much at once, or the store is away; with `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// Of requests that need an administrator.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum AdminRefused {
    /// No credential, or one that is not good.
    #[response(status = 401, content_type = "application/problem+json")]
    NotSignedIn(ProblemBody),
    /// Not an administrator, or a cookie from another site's page.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Too much at once, or the store is away; with `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// Of an attempt to sign in.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum SignInRefused {
    /// The name or the password is wrong: the same answer for every reason.
    #[response(status = 401, content_type = "application/problem+json")]
    Wrong(ProblemBody),
    /// Not a first-party app, or from another site's page.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// Too many wrong passwords for this name: nothing was tried; `Retry-After` says how long to wait.
    #[response(status = 429, content_type = "application/problem+json")]
    TooManyAttempts(ProblemBody),
    /// Too many sign in at once, or the store is away; with `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// Of requests with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum BadBody {
    /// A field is not what it should be; `detail` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    Field(ProblemBody),
    /// Longer than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// Not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemBody),
}

/// Of requests about one thing.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum NoSuchThing {
    /// There is no such thing, or it is not the caller's.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(ProblemBody),
}

/// Of requests that name something new.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum InUse {
    /// That name is in use.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
}

/// Of changes that would lock people out of the console.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum LockOut {
    /// Nobody could undo it: an administrator's own account, or the dials of the authority's own
    /// pages.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
}

/// Of requests with parameters in their URL.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes responses in the OpenAPI document")]
pub(crate) enum BadParameter {
    /// A parameter is not what it should be, or is not known; `detail` names it.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(ProblemBody),
}
