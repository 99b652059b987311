//! The routes that the layer answers itself: signing in and out at the app.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderValue, Method, Request, header};

use crate::{
    core::Core,
    layer::original_uri,
    local_path::LocalPath,
    response::{Asker, BAD_REQUEST, WRONG_METHOD},
    sign_in, sign_out,
};

/// The routes that the layer answers itself.
#[derive(Clone, Copy)]
pub(crate) enum OwnRoute {
    SignIn,
    Callback,
    SignOut,
}

impl OwnRoute {
    /// The one at this path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/auth/sign-in" => Some(Self::SignIn),
            sign_in::CALLBACK => Some(Self::Callback),
            "/auth/sign-out" => Some(Self::SignOut),
            _ => None,
        }
    }

    /// What it answers.
    pub(crate) async fn answer(self, core: &Arc<Core>, request: &Request<()>) -> Response {
        let asker = Asker {
            method: request.method(),
            uri: original_uri(request),
            headers: request.headers(),
        };
        match (self, asker.method) {
            (Self::SignIn, &Method::GET) => {
                let query = asker.uri.query().unwrap_or_default();
                let return_to = url::form_urlencoded::parse(query.as_bytes())
                    .find(|(name, _)| name == "return_to")
                    .and_then(|(_, value)| LocalPath::parse(&value))
                    .unwrap_or_else(LocalPath::root);
                sign_in::begin(core, &return_to, asker.headers, None)
                    .unwrap_or_else(|| BAD_REQUEST.answer(&asker))
            }
            (Self::Callback, &Method::GET) => sign_in::finish(core, &asker).await,
            (Self::SignOut, &Method::POST) => sign_out::sign_out(core, &asker).await,
            (own, _) => {
                let mut response = WRONG_METHOD.answer(&asker);
                let allow = match own {
                    Self::SignIn | Self::Callback => "GET",
                    Self::SignOut => "POST",
                };
                response
                    .headers_mut()
                    .insert(header::ALLOW, HeaderValue::from_static(allow));
                response
            }
        }
    }
}
