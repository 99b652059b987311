//! Pages: there is no room for one more login, and which one may make it.
//!
//! At the sign-in the password is asked for once more. The alternative, a value that stands for "the
//! password was right", would be one more secret to keep, to bind and to let expire, for a form that
//! a password manager fills in anyway.

use std::collections::BTreeMap;

use axum::{extract::State, response::Response};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use symbolon_authority::{App, FullHouse, Known};
use symbolon_login::Sid;

use super::{
    asking::SignedIn,
    form::PageForm,
    page::{Page, Visitor, see_other, send_leading_to},
    refusal,
    return_to::LocalPath,
    sign_in::{asking_app, home},
    views::full_house::{FullHousePage, Occasion, SignInAgain},
};
use crate::ServerState;

/// The logins that were ticked: fields called `end-<sid>`, because a field may come once only.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Chosen(BTreeMap<String, String>);

impl Chosen {
    /// Which they are; other fields are passed over.
    pub(crate) fn sids(&self) -> Vec<Sid> {
        let named = self.0.keys().filter_map(|name| name.strip_prefix("end-"));
        named.filter_map(|sid| sid.parse().ok()).collect()
    }
}

/// What the form of an app's page brings.
#[derive(Deserialize)]
pub(crate) struct Fields {
    #[serde(default)]
    return_to: String,
    #[serde(flatten)]
    chosen: Chosen,
}

/// The page of a sign-in that found no room.
pub(crate) async fn at_sign_in(
    state: &ServerState,
    page: Page,
    house: FullHouse,
    again: SignInAgain,
    back: Option<LocalPath>,
) -> Response {
    show(state, page, house, Occasion::SignIn(again), back).await
}

/// The page of an app that has no room for one more login of somebody who is signed in.
pub(crate) async fn at_app(
    state: &ServerState,
    headers: &HeaderMap,
    asked: &Uri,
    who: &Known,
    app: &App,
    house: FullHouse,
) -> Response {
    let back = asked
        .path_and_query()
        .and_then(|asked| LocalPath::parse(asked.as_str()));
    let mut page = Page::for_request(headers);
    page.visitor = Visitor::Known {
        name: who.user.identifier.to_string(),
        admin: who.user.is_admin(),
    };
    page.here = back.clone().unwrap_or_else(home);
    show(state, page, house, Occasion::App(app.name.clone()), back).await
}

/// `POST /account/make-room`: ends the chosen logins, and back to the app that has no room.
pub(crate) async fn make_room(
    State(state): State<ServerState>,
    SignedIn { page, who }: SignedIn,
    PageForm(fields): PageForm<Fields>,
) -> Response {
    for sid in fields.chosen.sids() {
        match state.authority().end_own_login(&who, sid).await {
            Ok(Some(ended)) => state.acknowledged(&ended),
            Ok(None) => {}
            Err(failure) => return refusal::failure(page, &failure),
        }
    }
    see_other(&LocalPath::parse(&fields.return_to).unwrap_or_else(home))
}

async fn show(
    state: &ServerState,
    page: Page,
    house: FullHouse,
    occasion: Occasion,
    back: Option<LocalPath>,
) -> Response {
    let leads_to = match &back {
        Some(back) => match asking_app(state.authority(), back).await {
            Ok(asking) => asking.map(|(_, leads_to)| leads_to),
            Err(failure) => return refusal::failure(page, &failure),
        },
        None => None,
    };
    let view = FullHousePage::new(page, &house, occasion, back);
    send_leading_to(StatusCode::CONFLICT, &view, leads_to.as_deref())
}
