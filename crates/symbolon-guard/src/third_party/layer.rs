//! The tower layer and the extractors: who is calling, by the word of a third party.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, header, request::Parts};
use tower::{BoxError, Layer, Service};

use super::{ThirdParty, ThirdPartyIdentity};
use crate::response::{
    self, BAD_REQUEST, CREDENTIAL_REFUSED, GUARD_STALE, MISCONFIGURED, NOT_SIGNED_IN,
};

/// Puts a [`ThirdParty`] in front of routes. Made by [`ThirdParty::layer`] and [`ThirdParty::require`].
///
/// Works around any tower service over `http` requests. Every answer gets `Vary: Cookie, Authorization`, and
/// `Cache-Control: no-store` where somebody was recognised, unless the app set its own.
#[derive(Clone)]
pub struct ThirdPartyLayer {
    third_party: ThirdParty,
    refuses: bool,
}

/// What [`ThirdPartyLayer`] makes of a service.
#[derive(Clone)]
pub struct ThirdPartyService<S> {
    inner: S,
    layer: ThirdPartyLayer,
}

/// Why a request was not let through. As an answer: problem details (RFC 9457) that never say more than
/// this; the reason is in the operator's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThirdPartyRefusal {
    /// No token was shown: 401.
    #[error("no token")]
    Nobody,
    /// The token is not good, or not any more: 401.
    #[error("the token is refused")]
    Refused,
    /// The issuer's keys cannot be had, so nobody can say: 503.
    #[error("the issuer's keys cannot be had")]
    Unproved,
    /// Several `Authorization` headers, or one that is no text: 400.
    #[error("an ambiguous request")]
    Ambiguous,
    /// An extractor on a route without the layer: 500.
    #[error("no layer of a third party around the route")]
    Misconfigured,
}

/// What extractors find.
#[derive(Clone)]
struct Found(Result<ThirdPartyIdentity, ThirdPartyRefusal>);

impl ThirdPartyLayer {
    pub(super) fn new(third_party: ThirdParty, refuses: bool) -> Self {
        Self {
            third_party,
            refuses,
        }
    }

    /// What this issuer's keys say of a request, joined to what a layer of another issuer around this one
    /// found.
    async fn ask(
        &self,
        token: Result<Option<String>, ThirdPartyRefusal>,
        earlier: Option<Found>,
    ) -> Found {
        if let Some(Found(Ok(identity))) = earlier {
            return Found(Ok(identity));
        }
        let found = match token {
            Ok(Some(token)) => self.third_party.verify(&token).await,
            Ok(None) => Err(ThirdPartyRefusal::Nobody),
            Err(refusal) => Err(refusal),
        };
        match (found, earlier) {
            // The other issuer's token, and its keys are not here: that is not this issuer's no.
            (Err(_), Some(Found(Err(ThirdPartyRefusal::Unproved)))) => {
                Found(Err(ThirdPartyRefusal::Unproved))
            }
            (found, _) => Found(found),
        }
    }
}

impl<S> Layer<S> for ThirdPartyLayer {
    type Service = ThirdPartyService<S>;

    fn layer(&self, inner: S) -> ThirdPartyService<S> {
        ThirdPartyService {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, B, R> Service<Request<B>> for ThirdPartyService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The service that was made ready is the one to call (tower's rule).
        let spare = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, spare);
        let layer = self.layer.clone();
        let token = bearer(request.headers());
        let earlier = request.extensions_mut().remove::<Found>();
        Box::pin(async move {
            let found = layer.ask(token, earlier).await;
            let is_known = found.0.is_ok();
            if let (true, Err(refusal)) = (layer.refuses, &found.0) {
                return Ok(refusal.into_response());
            }
            request.extensions_mut().insert(found);
            let mut response = inner.call(request).await?.map(Body::new);
            let headers = response.headers_mut();
            if is_known && !headers.contains_key(header::CACHE_CONTROL) {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            response::varies(headers);
            Ok(response)
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ThirdPartyIdentity {
    type Rejection = ThirdPartyRefusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ThirdPartyRefusal> {
        found(parts)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for ThirdPartyIdentity {
    type Rejection = ThirdPartyRefusal;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, ThirdPartyRefusal> {
        match found(parts) {
            Ok(identity) => Ok(Some(identity)),
            Err(ThirdPartyRefusal::Nobody | ThirdPartyRefusal::Refused) => Ok(None),
            // Not knowing is not the same as nobody.
            Err(refusal) => Err(refusal),
        }
    }
}

fn found(parts: &Parts) -> Result<ThirdPartyIdentity, ThirdPartyRefusal> {
    if let Some(Found(found)) = parts.extensions.get::<Found>() {
        return found.clone();
    }
    tracing::error!("an extractor of a third party on a route without its layer");
    Err(ThirdPartyRefusal::Misconfigured)
}

impl IntoResponse for ThirdPartyRefusal {
    fn into_response(self) -> Response {
        (&self).into_response()
    }
}

impl IntoResponse for &ThirdPartyRefusal {
    fn into_response(self) -> Response {
        let (problem, challenge) = match self {
            ThirdPartyRefusal::Nobody => (NOT_SIGNED_IN, Some("Bearer")),
            ThirdPartyRefusal::Refused => {
                // RFC 6750 section 3.1.
                (CREDENTIAL_REFUSED, Some(r#"Bearer error="invalid_token""#))
            }
            ThirdPartyRefusal::Unproved => (GUARD_STALE, None),
            ThirdPartyRefusal::Ambiguous => (BAD_REQUEST, None),
            ThirdPartyRefusal::Misconfigured => (MISCONFIGURED, None),
        };
        // Bearers are programs: no page for people.
        let mut response = problem.json();
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The bearer's token, if there is one. Other schemes are not ours.
fn bearer(headers: &HeaderMap) -> Result<Option<String>, ThirdPartyRefusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(ThirdPartyRefusal::Ambiguous);
    }
    let value = value.to_str().map_err(|_| ThirdPartyRefusal::Ambiguous)?;
    // RFC 9110 section 11.1: the scheme's case does not matter.
    Ok(value
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim().to_owned()))
}
