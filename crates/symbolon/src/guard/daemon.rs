//! The daemon's addresses, and the question that most of it is about.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::body::Incoming;
use symbolon_guard::{Freshness, Guard, GuardLayer, Identity};
use tower::{Layer, Service, service_fn};

use super::{
    answer::{
        self, BAD_QUERY, FORWARDED_TWICE, METHOD_UNKNOWN, NOT_ALLOWED, NOT_FOUND, NOT_PROVED,
        ROLE_MISSING, TRY_AGAIN,
    },
    ask::Ask,
    health::{self, Counts},
    original::{self, Said, Trust},
};

/// Answers proxies.
pub(super) struct Daemon {
    guard: Guard,
    layer: GuardLayer,
    pub(super) trust: Trust,
    counts: Counts,
    /// Whether the operator was told that somebody's word is ignored.
    told: AtomicBool,
}

/// Which of the two questions it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Question {
    /// `/check`: who is calling?
    Check,
    /// `/refused`: what does the refusal look like? For a proxy that cannot pass on the one it got.
    Refused,
}

/// What the original request is judged by.
#[derive(Clone)]
struct Case {
    question: Question,
    ask: Ask,
    dial: Freshness,
    is_trusted: bool,
    is_method_known: bool,
}

impl Daemon {
    pub(super) fn new(guard: Guard, trust: Trust) -> Self {
        Self {
            layer: guard.layer(),
            guard,
            trust,
            counts: Counts::default(),
            told: AtomicBool::new(false),
        }
    }

    /// Answers one request. `is_trusted`: the word of who sends it counts.
    pub(super) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        is_trusted: bool,
    ) -> Result<Response, Infallible> {
        let request = request.map(|_| ());
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        Ok(match request.uri().path() {
            "/check" if is_get => {
                let response = self.judge(request, is_trusted, Question::Check).await;
                self.counts.count(response.status());
                response
            }
            "/refused" if is_get => self.judge(request, is_trusted, Question::Refused).await,
            "/auth/sign-in" | "/auth/callback" | "/auth/sign-out" => {
                let nothing = |_| async { Ok(NOT_FOUND.json()) };
                through(&self.layer, nothing, request).await
            }
            "/healthz" if is_get => "ok\n".into_response(),
            "/readyz" if is_get => health::ready(&self.guard),
            "/metrics" if is_get => health::metrics(&self.guard, &self.counts),
            "/check" | "/refused" | "/healthz" | "/readyz" | "/metrics" => NOT_ALLOWED.json(),
            _ => NOT_FOUND.json(),
        })
    }

    async fn judge(
        &self,
        mut request: Request<()>,
        is_trusted: bool,
        question: Question,
    ) -> Response {
        let ask = match request.uri().query().map(Ask::read).transpose() {
            Ok(ask) => ask.unwrap_or_default(),
            Err(wrong) => {
                tracing::error!(wrong, "the proxy's configuration");
                return BAD_QUERY.json_with(&wrong);
            }
        };
        if question == Question::Refused && original::was_unproved(request.headers(), is_trusted) {
            // Asking again would only wait again.
            return NOT_PROVED.answer(request.headers());
        }
        if !is_trusted && original::is_forwarded(request.headers()) {
            self.tell();
        }
        let said = original::method(request.headers(), is_trusted);
        let is_method_known = matches!(said, Said::Method(_));
        *request.method_mut() = match said {
            Said::Method(method) => method,
            // It must not pass for a GET.
            Said::Nothing => Method::POST,
            Said::Nonsense => return FORWARDED_TWICE.json(),
        };
        original::restore_upgrade(request.headers_mut());
        let app = self.guard.freshness();
        let case = Case {
            question,
            dial: ask.freshness.map_or(app, |route| route.stricter(app)),
            is_trusted,
            is_method_known,
            ask,
        };
        let freshness = case.ask.freshness;
        let inner = move |request| decide(case.clone(), request);
        let mut response = match freshness {
            None => through(&self.layer, inner, request).await,
            Some(freshness) => {
                let layer = self.layer.clone().freshness(freshness);
                through(&layer, inner, request).await
            }
        };
        if response.status() == StatusCode::OK {
            answer::number_cookies(response.headers_mut());
        }
        response
    }

    /// Once: a stranger could fill the log with it.
    fn tell(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "X-Forwarded-Method or X-Original-Method from somebody whom --trust-proxy does not name is \
                 ignored (said once)"
            );
        }
    }
}

/// Sends a request through the guard's layer.
async fn through<F>(
    layer: &GuardLayer,
    inner: impl FnMut(Request<()>) -> F + Clone + Send + 'static,
    request: Request<()>,
) -> Response
where
    F: Future<Output = Result<Response, Infallible>> + Send,
{
    let answer = layer.layer(service_fn(inner)).call(request).await;
    answer.unwrap_or_else(|never| match never {})
}

/// What stands behind the layer: from who it is to the answer.
async fn decide(case: Case, request: Request<()>) -> Result<Response, Infallible> {
    let (mut parts, ()) = request.into_parts();
    let found =
        <Identity as OptionalFromRequestParts<()>>::from_request_parts(&mut parts, &()).await;
    let found = match found {
        Ok(None) if !case.ask.optional => {
            // How it is said to the browser depends on where it was going.
            parts.uri = original::uri(&parts.headers, case.is_trusted);
            if original::is_nginx(&parts.headers) {
                parts.headers.remove(header::ACCEPT);
            }
            <Identity as FromRequestParts<()>>::from_request_parts(&mut parts, &())
                .await
                .map(Some)
        }
        found => found,
    };
    let response = match found {
        Ok(Some(identity)) => match &case.ask.role {
            Some(role) if !identity.has_role(role.as_str()) => {
                tracing::info!(%role, sid = %identity.sid(), "refused for want of a role");
                ROLE_MISSING.answer(&parts.headers)
            }
            _ => answer::yes(&identity, case.dial),
        },
        Ok(None) => answer::nobody(),
        Err(refusal) => {
            let response = refusal.into_response();
            let is_cross_site = response.status() == StatusCode::FORBIDDEN;
            if is_cross_site && !case.is_method_known {
                tracing::warn!("nobody said by which method a request with cookies came");
                return Ok(METHOD_UNKNOWN.json());
            }
            response
        }
    };
    if case.question == Question::Refused && response.status() == StatusCode::OK {
        return Ok(TRY_AGAIN.answer(&parts.headers));
    }
    Ok(response)
}
