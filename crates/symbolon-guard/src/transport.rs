//! How a guard's questions reach an authority: over HTTP, or inside the process.

use std::{convert::Infallible, sync::Arc};

use axum::body::Body;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use reqwest::{Client, redirect};
use tower::{Service, ServiceExt};

use crate::authority::PATIENCE;

/// Carries one question to the node of the authority that its URL names, and the answer back.
///
/// How long to wait is the asker's business: the future may be dropped at any time.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request with an absolute URL and waits for the head of the answer.
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>>;
}

/// No answer came.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{what}")]
pub struct Undelivered {
    /// What happened, without secrets and URLs.
    pub what: String,
    /// Whether the request surely did not arrive, so that anything may be asked again.
    pub not_done: bool,
}

/// Over HTTP and TLS.
pub(crate) struct Http(Client);

impl Http {
    /// Does not connect yet. Redirects are off: an answer from elsewhere is not the authority's. So are
    /// proxies of the environment, which the app's operator may not have meant for this.
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(PATIENCE)
            .tcp_nodelay(true)
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .user_agent(concat!("symbolon-guard/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }
}

impl Transport for Http {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>> {
        let client = self.0.clone();
        Box::pin(async move {
            let request = request.try_into().map_err(Undelivered::of)?;
            let response = client.execute(request).await.map_err(Undelivered::of)?;
            Ok(Response::from(response).map(Body::new))
        })
    }
}

impl Undelivered {
    /// Never the URL, which may hold a client's report; never a body.
    fn of(error: reqwest::Error) -> Self {
        let not_done = error.is_connect() || error.is_builder();
        Self {
            what: causes(&error.without_url()),
            not_done,
        }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

/// An authority in this process, as a guard needs it: see [`Guard::local`](crate::Guard::local).
pub trait LocalAuthority {
    /// What answers its URLs.
    type Service: Service<
            Request<Body>,
            Response = Response<Body>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static;

    /// The service that answers at the authority's public URL.
    fn service(&self) -> Self::Service;

    /// What the authority calls itself: its public URL, the claim `iss`.
    fn issuer(&self) -> String;
}

/// Straight into a service of this process: no socket, nothing to time out.
pub(crate) struct InProcess<S>(pub(crate) S);

impl<S> Transport for InProcess<S>
where
    S: Service<
            Request<Body>,
            Response = Response<Body>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Body>, Undelivered>> {
        let service = self.0.clone();
        Box::pin(async move {
            match service.oneshot(request.map(Body::from)).await {
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        })
    }
}

/// What all of a guard's questions share.
pub(crate) type SharedTransport = Arc<dyn Transport>;
