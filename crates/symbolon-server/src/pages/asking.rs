//! Who asks for a page: extractors that give the visitor and the frame of the page, or refuse with
//! a page.

use axum::{extract::FromRequestParts, response::Response};
use http::{Method, StatusCode, request::Parts, uri::PathAndQuery};
use symbolon_authority::{Admin, Known};

use super::{
    page::{Page, Section, Visitor, see_other},
    refusal,
    return_to::LocalPath,
    views::refusal::Refusal,
};
use crate::{ServerState, caller};

/// Anybody.
pub(crate) struct Anybody {
    /// The frame of the page.
    pub(crate) page: Page,
    /// Who they are, if they show a good console cookie.
    pub(crate) known: Option<Known>,
}

/// Somebody who is signed in at the console; others are sent to the sign-in.
pub(crate) struct SignedIn {
    /// The frame of the page.
    pub(crate) page: Page,
    /// Who they are.
    pub(crate) who: Known,
}

/// Somebody who may run the authority; others are refused.
pub(crate) struct Administrator {
    /// The frame of the page.
    pub(crate) page: Page,
    /// Who they are.
    pub(crate) who: Known,
    /// The proof.
    pub(crate) admin: Admin,
}

impl FromRequestParts<ServerState> for Anybody {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Response> {
        let mut page = Page::for_request(&parts.headers);
        if let Some(here) = shown_at(parts) {
            page.here = here;
        }
        let known = caller::console(state, &parts.headers)
            .await
            .map_err(|refused| {
                let status = caller::refused_status(&refused);
                refusal::refuse(page.clone(), status, Refusal::of(status))
            })?;
        page.visitor = match &known {
            Some(who) => Visitor::Known {
                name: who.user.identifier.to_string(),
                admin: who.user.is_admin(),
            },
            None => Visitor::Stranger,
        };
        Ok(Self { page, known })
    }
}

impl FromRequestParts<ServerState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Response> {
        let Anybody { mut page, known } = Anybody::from_request_parts(parts, state).await?;
        let Some(who) = known else {
            return Err(see_other(&sign_in_and_back(parts)));
        };
        page.section = Section::Account;
        Ok(Self { page, who })
    }
}

impl FromRequestParts<ServerState> for Administrator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &ServerState) -> Result<Self, Response> {
        let SignedIn { mut page, who } = SignedIn::from_request_parts(parts, state).await?;
        page.section = Section::None;
        match Admin::check(&who) {
            Some(admin) => Ok(Self { page, who, admin }),
            None => Err(refusal::refuse(
                page,
                StatusCode::FORBIDDEN,
                Refusal::NotAdmin,
            )),
        }
    }
}

/// The sign-in that comes back to what was asked for. What a POST wanted is not repeated: its
/// author sees the page first.
fn sign_in_and_back(parts: &Parts) -> LocalPath {
    let sign_in = LocalPath::to("/sign-in");
    match shown_at(parts) {
        Some(here) if here.as_str() != "/" => sign_in.with("return_to", here.as_str()),
        _ => sign_in,
    }
}

/// The path of the page that a GET shows.
fn shown_at(parts: &Parts) -> Option<LocalPath> {
    let asked = parts.uri.path_and_query().map(PathAndQuery::as_str)?;
    (parts.method == Method::GET || parts.method == Method::HEAD)
        .then(|| LocalPath::parse(asked))
        .flatten()
}
