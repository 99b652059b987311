//! Who is not let through, and what they are told: replaceable by the app, reasons kept from the caller.

use std::{fmt, sync::Arc, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use crate::{
    check::Reason,
    core::Core,
    local_path::LocalPath,
    response::{
        Asker, BAD_REQUEST, CREDENTIAL_REFUSED, CROSS_SITE, GUARD_STALE, LOGIN_TOO_OLD,
        MISCONFIGURED, NOT_SIGNED_IN, Problem, ROLE_MISSING, never_stored,
    },
    sign_in,
    visit::Verdict,
};

/// Why a request was not let through, ready to be answered.
///
/// Unless the app says otherwise ([`GuardBuilder::on_refusal`](crate::GuardBuilder::on_refusal)) the
/// body is `application/problem+json` (RFC 9457) with a `type` of `urn:symbolon:problem:<name>`; a
/// browser that navigates gets a redirect to sign-in or a small page instead. The text never says
/// why a credential was refused: that is in the response's extensions ([`Reason`]), in metrics
/// (`symbolon_guard_refusals_total` by `reason`) and in the log.
#[derive(Debug)]
pub struct Refusal(Box<Response>);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// How an app answers refusals in its own way.
pub(crate) type OnRefusal = Arc<dyn Fn(&Refused<'_>) -> Option<Response> + Send + Sync>;

/// A request that is being refused, for an app that wants to answer it in its own way.
pub struct Refused<'r> {
    reason: Reason,
    max_age: Option<Duration>,
    asker: &'r Asker<'r>,
    core: &'r Core,
}

impl Refused<'_> {
    /// Why. Not for the caller: it tells a thief what became of the loot.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The status that the guard would answer with: 400, 401, 403 or 503.
    pub fn status(&self) -> StatusCode {
        self.problem_kind().status
    }

    /// The request's method.
    pub fn method(&self) -> &Method {
        self.asker.method
    }

    /// The request's address, as the browser knows it.
    pub fn uri(&self) -> &Uri {
        self.asker.uri
    }

    /// The request's headers.
    pub fn headers(&self) -> &HeaderMap {
        self.asker.headers
    }

    /// Whether a person's browser goes to this page, as opposed to a script that fetches it.
    pub fn is_navigation(&self) -> bool {
        self.asker.navigates()
    }

    /// The answer for programs: problem details, with the challenge that RFC 6750 and RFC 9470 ask for.
    pub fn problem(&self) -> Response {
        let mut response = self.problem_kind().json();
        self.challenge(response.headers_mut());
        response
    }

    /// The answer for people: a small page in Korean and English.
    pub fn page(&self) -> Response {
        let mut response = self.problem_kind().page();
        self.challenge(response.headers_mut());
        response
    }

    /// A redirect to sign-in that comes back here; none where signing in would not help, for methods
    /// other than GET, and for an app without a public URL.
    pub fn sign_in(&self) -> Option<Response> {
        let helps = self.status() == StatusCode::UNAUTHORIZED;
        if !helps || self.asker.method != Method::GET {
            return None;
        }
        let here = self.asker.uri.path_and_query()?.as_str();
        let here = LocalPath::parse(here).unwrap_or_else(LocalPath::root);
        sign_in::begin(self.core, &here, self.asker.headers, self.max_age)
    }

    fn by_default(&self) -> Response {
        let to_sign_in = self.is_navigation().then(|| self.sign_in()).flatten();
        to_sign_in.unwrap_or_else(|| {
            // A challenge is for programs; a page without a way to sign in stays problem details, too.
            if self.is_navigation() && self.status() != StatusCode::UNAUTHORIZED {
                self.page()
            } else {
                self.problem()
            }
        })
    }

    fn problem_kind(&self) -> Problem {
        match self.reason {
            Reason::NotSignedIn => NOT_SIGNED_IN,
            Reason::Unproved => GUARD_STALE,
            Reason::CrossSite => CROSS_SITE,
            Reason::Ambiguous => BAD_REQUEST,
            Reason::RoleMissing => ROLE_MISSING,
            Reason::LoginTooOld => LOGIN_TOO_OLD,
            _ => CREDENTIAL_REFUSED,
        }
    }

    /// RFC 6750 section 3: the scheme alone when nothing was shown, `invalid_token` when it was no good;
    /// RFC 9470 section 3 when the sign-in is too long ago.
    fn challenge(&self, headers: &mut HeaderMap) {
        let realm = &self.core.settings.client_id;
        let challenge = match self.reason {
            Reason::NotSignedIn => format!(r#"Bearer realm="{realm}""#),
            Reason::LoginTooOld => {
                let max_age = self.max_age.unwrap_or_default().as_secs();
                format!(
                    r#"Bearer realm="{realm}", error="insufficient_user_authentication", error_description="More recent authentication is required", max_age="{max_age}""#
                )
            }
            Reason::RoleMissing => format!(r#"Bearer realm="{realm}", error="insufficient_scope""#),
            _ if self.status() == StatusCode::UNAUTHORIZED => {
                format!(r#"Bearer realm="{realm}", error="invalid_token""#)
            }
            _ => return,
        };
        // A client id is a slug: it always fits.
        if let Ok(challenge) = HeaderValue::try_from(challenge) {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
    }
}

impl fmt::Debug for Refused<'_> {
    /// Without the request, which holds the credential.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Refusal {
    /// What `verdict` means for a request that needs somebody; none for a yes.
    pub(crate) fn of(verdict: &Verdict, core: &Core, asker: &Asker<'_>) -> Option<Self> {
        let reason = verdict.reason()?;
        Some(Self::because(reason, None, core, asker))
    }

    /// The answer to a request that is refused for `reason`.
    pub(crate) fn because(
        reason: Reason,
        max_age: Option<Duration>,
        core: &Core,
        asker: &Asker<'_>,
    ) -> Self {
        core.metrics.refused(reason);
        let refused = Refused {
            reason,
            max_age,
            asker,
            core,
        };
        let own = core.settings.on_refusal.as_ref();
        let mut response = own
            .and_then(|answer| answer(&refused))
            .unwrap_or_else(|| refused.by_default());
        never_stored(response.headers_mut());
        response.extensions_mut().insert(reason);
        Self(Box::new(response))
    }

    /// A route asks for an identity, but no layer of the guard is around it.
    pub(crate) fn misconfigured() -> Self {
        tracing::error!("an extractor of symbolon-guard on a route without `guard.layer()`");
        Self(Box::new(MISCONFIGURED.json()))
    }
}
