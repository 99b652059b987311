//! The answer of a layer: what the service inside says, finished for this caller, and watched if it stays open.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use pin_project_lite::pin_project;
use tower::BoxError;

use crate::{
    check::Reason,
    identity::Identity,
    layer::Rules,
    open_answers::Registration,
    response::finish,
    watched::{self, Watched},
};

/// Whose answer it is, should it stay open.
pub(crate) struct Watch {
    /// What it demands is looked up when the answer turns out to stay open.
    pub(crate) rules: Arc<Rules>,
    pub(crate) identity: Identity,
}

impl Watch {
    pub(crate) fn registration(&self) -> Registration {
        self.rules.registration(&self.identity)
    }

    fn over<R>(&self, response: Response<R>) -> Response
    where
        R: http_body::Body<Data = Bytes> + Send + 'static,
        R::Error: Into<BoxError>,
    {
        let kind = response.headers().get(header::CONTENT_TYPE);
        let is_event_stream =
            kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let registration = self.registration();
        response.map(|body| Body::new(Watched::new(body, registration, is_event_stream)))
    }
}

pin_project! {
    /// The answer of a [`GuardService`](crate::GuardService).
    pub struct ResponseFuture<F, E> {
        #[pin]
        state: State<F, E>,
    }
}

type Waiting<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;

pin_project! {
    #[project = StateProjection]
    enum State<F, E> {
        Inner {
            #[pin]
            future: F,
            cookies: Vec<HeaderValue>,
            is_known: bool,
            // Why nobody was recognised although something was shown.
            reason: Option<Reason>,
            // Who was recognised.
            watch: Option<Watch>,
        },
        Waits {
            future: Waiting<E>,
        },
        Ready {
            response: Option<Response>,
        },
    }
}

impl<F, E> ResponseFuture<F, E> {
    /// What the service inside answers, finished.
    pub(crate) fn inner(
        future: F,
        cookies: Vec<HeaderValue>,
        is_known: bool,
        reason: Option<Reason>,
        watch: Option<Watch>,
    ) -> Self {
        Self {
            state: State::Inner {
                future,
                cookies,
                is_known,
                reason,
                watch,
            },
        }
    }

    /// What takes waiting before the service inside is called, or instead of it.
    pub(crate) fn waits(
        future: impl Future<Output = Result<Response, E>> + Send + 'static,
    ) -> Self {
        Self {
            state: State::Waits {
                future: Box::pin(future),
            },
        }
    }

    /// What is answered at once.
    pub(crate) fn ready(response: Response) -> Self {
        Self {
            state: State::Ready {
                response: Some(response),
            },
        }
    }
}

impl<F, E, R> Future for ResponseFuture<F, E>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Inner {
                future,
                cookies,
                is_known,
                reason,
                watch,
            } => {
                let response = ready!(future.poll(context))?;
                let mut response = match watch.take() {
                    Some(watch) if watched::stays_open(response.body()) => watch.over(response),
                    _ => response.map(Body::new),
                };
                if let Some(reason) = *reason {
                    response.extensions_mut().get_or_insert(reason);
                }
                finish(&mut response, mem::take(cookies), *is_known);
                Poll::Ready(Ok(response))
            }
            StateProjection::Waits { future } => future.as_mut().poll(context),
            StateProjection::Ready { response } => match response.take() {
                Some(response) => Poll::Ready(Ok(response)),
                // Polled after it was done, which no executor does.
                None => Poll::Pending,
            },
        }
    }
}
