//! Pages for administrators: one person, and the end of their logins.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use symbolon_authority::{DisabledUser, Failure, ports::Ended};
use symbolon_login::{Position, Sid, UserId};

use super::{
    account::login_rows,
    asking::Administrator,
    form::PageQuery,
    page::{Page, Section, see_other, send},
    refusal,
    return_to::LocalPath,
    views::{
        login::EndedBy,
        notice::Notice,
        refusal::Refusal,
        user::{Cut, RulesForm, UserPage},
    },
};
use crate::ServerState;

/// How long the page waits for guards to tell that they have applied a cut-off.
const WAIT: Duration = Duration::from_secs(1);

/// What the address of the page may say.
#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The position of a cut-off that was just acknowledged.
    #[serde(default)]
    cut: String,
    #[serde(default)]
    notice: String,
}

/// The page of a user.
pub(crate) fn path(id: UserId) -> LocalPath {
    // An id is hexadecimal digits and hyphens.
    LocalPath::parse(&format!("/admin/users/{id}")).unwrap_or_else(|| LocalPath::to("/admin/users"))
}

/// `GET /admin/users/{id}`
pub(crate) async fn show(
    State(state): State<ServerState>,
    Administrator {
        mut page,
        who,
        admin,
    }: Administrator,
    Path(id): Path<String>,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    page.section = Section::Users;
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(page);
    };
    let visitor = Administrator { page, who, admin };
    send_page(&state, visitor, id, StatusCode::OK, &asked, |_| {}).await
}

/// Sends the page of a user; `say` changes what stands in its forms.
pub(super) async fn send_page(
    state: &ServerState,
    Administrator { page, who, admin }: Administrator,
    id: UserId,
    status: StatusCode,
    asked: &Asked,
    say: impl FnOnce(&mut RulesForm),
) -> Response {
    let cut = match asked.cut.parse::<Position>() {
        Ok(position) => Some(Cut::new(
            position,
            state.board().wait_for(position, WAIT).await,
        )),
        Err(_) => None,
    };
    let authority = state.authority();
    let user = match authority.user(&admin, id).await {
        Ok(Some(user)) => user,
        Ok(None) => return not_found(page),
        Err(failure) => return refusal::failure(page, &failure),
    };
    let logins = match authority.logins_of(&admin, id).await {
        Ok(logins) => {
            let logins = logins.unwrap_or_default();
            login_rows(authority, page.t, logins, who.login.sid, EndedBy::Admin(id)).await
        }
        Err(failure) => Err(failure),
    };
    match logins {
        Ok(logins) => {
            let notice = Notice::from_name(&asked.notice);
            let you = who.user.id == id;
            let mut form = RulesForm::of(&user);
            say(&mut form);
            send(
                status,
                &UserPage::new(page, &user, you, notice, logins, cut, form),
            )
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// `POST /admin/users/{id}/end-logins`
pub(crate) async fn end_logins(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(page);
    };
    let outcome = state.authority().end_logins_of(&admin, id).await;
    after_end(&state, page, id, outcome, None)
}

/// `POST /admin/users/{id}/disable`
pub(crate) async fn disable(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(page);
    };
    let outcome = match state.authority().disable_user(&admin, id).await {
        Ok(DisabledUser::Disabled(ended)) => Ok(Some(ended)),
        Ok(DisabledUser::Unknown) => Ok(None),
        // The page has no form for it.
        Ok(DisabledUser::Oneself) => {
            let status = StatusCode::FORBIDDEN;
            return refusal::refuse(page, status, Refusal::of(status));
        }
        Err(failure) => Err(failure),
    };
    after_end(&state, page, id, outcome, Some(Notice::UserDisabled))
}

/// `POST /admin/users/{id}/enable`
pub(crate) async fn enable(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(page);
    };
    match state.authority().enable_user(&admin, id).await {
        Ok(true) => see_other(&Notice::UserEnabled.at(path(id))),
        Ok(false) => not_found(page),
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// `POST /admin/users/{id}/logins/{sid}/end`
pub(crate) async fn end_one(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path((id, sid)): Path<(String, String)>,
) -> Response {
    let (Ok(id), Ok(sid)) = (id.parse::<UserId>(), sid.parse::<Sid>()) else {
        return not_found(page);
    };
    match state.authority().end_any_login(&admin, sid).await {
        Ok(None) => see_other(&Notice::LoginGone.at(path(id))),
        outcome => after_end(&state, page, id, outcome, None),
    }
}

/// Back to the user's page, which shows how fast the guards took it up.
pub(super) fn after_end(
    state: &ServerState,
    page: Page,
    id: UserId,
    outcome: Result<Option<Ended>, Failure>,
    notice: Option<Notice>,
) -> Response {
    match outcome {
        Ok(Some(ended)) => {
            state.acknowledged(&ended);
            let to = path(id).with("cut", &ended.position.to_string());
            see_other(&match notice {
                Some(notice) => notice.at(to),
                None => to,
            })
        }
        Ok(None) => not_found(page),
        Err(failure) => refusal::failure(page, &failure),
    }
}

pub(super) fn not_found(page: Page) -> Response {
    refusal::refuse(page, StatusCode::NOT_FOUND, Refusal::NotFound)
}
