//! Page for administrators: one app, its traffic, and what the adviser thinks of its settings.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use symbolon_login::ClientId;

use super::{
    asking::Administrator,
    page::{Section, send},
    refusal,
    views::{app::AppPage, refusal::Refusal},
};
use crate::{ServerState, advice::Opinion};

/// `GET /admin/apps/{client_id}/advice`
pub(crate) async fn show(
    State(state): State<ServerState>,
    Administrator { mut page, .. }: Administrator,
    Path(client_id): Path<String>,
) -> Response {
    page.section = Section::Apps;
    let authority = state.authority();
    let app = match client_id.parse::<ClientId>() {
        Ok(client_id) => authority.app(&client_id).await,
        Err(_) => Ok(None),
    };
    match app {
        // The pages' own dials stay as they are: there is nothing to advise.
        Ok(Some(app)) if app.settings.client_id != *authority.console() => {
            let opinion = Opinion::of(&app, state.board().traffic(&app.settings.client_id));
            let lang = page.t.language().into();
            let report = opinion.report(&app, authority.issuer(), lang);
            send(
                StatusCode::OK,
                &AppPage::new(page, lang, &app, &opinion, &report),
            )
        }
        Ok(_) => refusal::refuse(page, StatusCode::NOT_FOUND, Refusal::NotFound),
        Err(failure) => refusal::failure(page, &failure),
    }
}
