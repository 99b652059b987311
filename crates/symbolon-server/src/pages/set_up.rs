//! Pages: the first administrator, by a link that is good once.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_authority::{AddedUser, SetUp};

use super::{
    asking::Anybody,
    form::{PageForm, PageQuery},
    page::{Page, see_other, send},
    refusal,
    return_to::LocalPath,
    users::new_user,
    views::{notice::Notice, refusal::Refusal, set_up::SetUpPage, users::BadUser},
};
use crate::ServerState;

/// The link.
#[derive(Deserialize)]
pub(crate) struct Link {
    #[serde(default)]
    token: String,
}

/// What the form brings. No Debug: it holds a password.
#[derive(Deserialize)]
pub(crate) struct Fields {
    token: String,
    identifier: String,
    password: String,
}

/// `GET /set-up?token=`
pub(crate) async fn form(
    State(state): State<ServerState>,
    Anybody { page, .. }: Anybody,
    PageQuery(link): PageQuery<Link>,
) -> Response {
    match state.authority().is_set_up_link(&link.token).await {
        Ok(true) => send(StatusCode::OK, &SetUpPage::new(page, link.token)),
        Ok(false) => refused(page),
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// `POST /set-up`
pub(crate) async fn submit(
    State(state): State<ServerState>,
    Anybody { mut page, .. }: Anybody,
    PageForm(fields): PageForm<Fields>,
) -> Response {
    page.here = LocalPath::to("/set-up").with("token", &fields.token);
    // What cannot be an account is refused before the link is used up, which happens once.
    let new = match new_user(&fields.identifier, fields.password, Vec::new()) {
        Ok(new) => new,
        Err(bad) => {
            return match state.authority().is_set_up_link(&fields.token).await {
                Ok(true) => again(page, fields.token, fields.identifier, bad),
                Ok(false) => refused(page),
                Err(failure) => refusal::failure(page, &failure),
            };
        }
    };
    match state.authority().set_up(&fields.token, new).await {
        Ok(SetUp::Done(AddedUser::Added(_))) => {
            let to = LocalPath::to("/sign-in").with("return_to", "/admin/users");
            see_other(&Notice::SetUpDone.at(to))
        }
        Ok(SetUp::Done(AddedUser::Taken)) => {
            refusal::refuse(page, StatusCode::CONFLICT, Refusal::SetUpTaken)
        }
        Ok(SetUp::Refused) => refused(page),
        Err(failure) => refusal::failure(page, &failure),
    }
}

fn again(page: Page, token: String, identifier: String, bad: BadUser) -> Response {
    let mut view = SetUpPage::new(page, token);
    view.identifier = identifier;
    view.bad = Some(bad);
    send(StatusCode::UNPROCESSABLE_ENTITY, &view)
}

fn refused(page: Page) -> Response {
    refusal::refuse(page, StatusCode::NOT_FOUND, Refusal::SetUpRefused)
}
