//! The body of an answer that stays open: it goes on while its login does.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::BoxError;

use crate::open_answers::Registration;

/// Answers up to this many bytes, of known length, are as good as sent.
const SHORT: u64 = 64 * 1024;

/// The login behind an answer ended while it was being sent.
#[derive(Debug, thiserror::Error)]
#[error("the login ended")]
struct LoginEnded;

pin_project! {
    /// A body that breaks off when its registration ends.
    pub(crate) struct Watched<B> {
        #[pin]
        inner: B,
        registration: Option<Registration>,
        is_event_stream: bool,
    }
}

impl<B> Watched<B> {
    /// A stream of events may simply end: browsers come back, and are refused. Anything else must
    /// not look complete.
    pub(crate) fn new(inner: B, registration: Registration, is_event_stream: bool) -> Self {
        Self {
            inner,
            registration: Some(registration),
            is_event_stream,
        }
    }
}

/// Whether an answer with this body is worth watching.
pub(crate) fn stays_open(body: &impl Body) -> bool {
    body.size_hint().exact().is_none_or(|bytes| bytes > SHORT)
}

impl<B> Body for Watched<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let Some(registration) = this.registration else {
            return Poll::Ready(None);
        };
        if registration.poll_ended(context).is_ready() {
            *this.registration = None;
            tracing::info!("an open answer is ended: its login is over, or not proved to go on");
            let ended = (!*this.is_event_stream).then(|| Err(LoginEnded.into()));
            return Poll::Ready(ended);
        }
        let frame = ready!(this.inner.poll_frame(context));
        if frame.is_none() {
            *this.registration = None;
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.registration.is_none() || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
