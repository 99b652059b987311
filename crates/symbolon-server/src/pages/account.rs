//! Pages of a person's own logins.

use std::collections::HashMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use symbolon_authority::{App, Authority, Failure, ports::LoginWithGrants};
use symbolon_login::{ClientId, Sid};

use super::{
    asking::SignedIn,
    form::PageQuery,
    page::{see_other, send},
    refusal,
    return_to::LocalPath,
    sign_in::with_cookie,
    views::{
        account::AccountPage,
        login::{EndedBy, LoginRow},
        notice::Notice,
    },
    words::Words,
};
use crate::ServerState;

/// What the address of a page may say about what was just done.
#[derive(Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    pub(crate) notice: String,
}

/// `GET /account`
pub(crate) async fn devices(
    State(state): State<ServerState>,
    SignedIn { page, who }: SignedIn,
    PageQuery(done): PageQuery<Done>,
) -> Response {
    let authority = state.authority();
    let rows = match authority.own_logins(&who).await {
        Ok(logins) => login_rows(authority, page.t, logins, who.login.sid, EndedBy::Owner).await,
        Err(failure) => Err(failure),
    };
    match rows {
        Ok(logins) => {
            let notice = Notice::from_name(&done.notice);
            send(
                StatusCode::OK,
                &AccountPage {
                    t: page.t,
                    page,
                    notice,
                    logins,
                },
            )
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// `POST /account/logins/{sid}/end`
pub(crate) async fn end_one(
    State(state): State<ServerState>,
    headers: HeaderMap,
    SignedIn { page, who }: SignedIn,
    Path(sid): Path<String>,
) -> Response {
    let Ok(sid) = sid.parse::<Sid>() else {
        return refusal::problem(&headers, StatusCode::NOT_FOUND);
    };
    let notice = match state.authority().end_own_login(&who, sid).await {
        Ok(Some(ended)) => {
            state.acknowledged(&ended);
            Notice::LoginEnded
        }
        // Somebody else's, or none any more: the same answer.
        Ok(None) => Notice::LoginGone,
        Err(failure) => return refusal::failure(page, &failure),
    };
    if sid == who.login.sid {
        let to = Notice::SignedOut.at(LocalPath::to("/sign-in"));
        return with_cookie(see_other(&to), state.clear_console_cookie());
    }
    see_other(&notice.at(LocalPath::to("/account")))
}

/// `POST /account/logins/end-all`
pub(crate) async fn end_all(
    State(state): State<ServerState>,
    SignedIn { page, who }: SignedIn,
) -> Response {
    match state.authority().end_all_own_logins(&who).await {
        Ok(ended) => {
            state.acknowledged(&ended);
            let to = Notice::SignedOutEverywhere.at(LocalPath::to("/sign-in"));
            with_cookie(see_other(&to), state.clear_console_cookie())
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// The logins with the apps that have a share in them, for a list.
pub(crate) async fn login_rows(
    authority: &Authority,
    t: Words,
    logins: Vec<LoginWithGrants>,
    current: Sid,
    by: EndedBy,
) -> Result<Vec<LoginRow>, Failure> {
    let mut apps: HashMap<ClientId, App> = HashMap::new();
    for client_id in logins
        .iter()
        .flat_map(|login| &login.grants)
        .map(|grant| &grant.client_id)
    {
        if !apps.contains_key(client_id)
            && let Some(app) = authority.app(client_id).await?
        {
            apps.insert(client_id.clone(), app);
        }
    }
    Ok(logins
        .into_iter()
        .map(|login| LoginRow::new(t, &login, &apps, current, by))
        .collect())
}
