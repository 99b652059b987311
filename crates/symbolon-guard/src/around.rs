//! The guard around a whole app: it sees connections begin, and so can remember what each showed last.

use std::{
    convert::Infallible,
    future::{self, Ready},
    task::{Context, Poll},
};

use axum::Router;
use tower::Service;

use crate::layer::GuardService;

/// What [`GuardLayer::around`](crate::GuardLayer::around) makes of an app: a [`GuardService`] for each
/// connection.
#[derive(Clone)]
pub struct GuardMakeService {
    app: GuardService<Router>,
}

impl GuardMakeService {
    pub(crate) const fn of(app: GuardService<Router>) -> Self {
        Self { app }
    }
}

/// Whatever a server tells of a connection: `axum::serve` gives its stream.
impl<T> Service<T> for GuardMakeService {
    type Response = GuardService<Router>;
    type Error = Infallible;
    type Future = Ready<Result<GuardService<Router>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: T) -> Self::Future {
        future::ready(Ok(self.app.of_a_connection()))
    }
}
