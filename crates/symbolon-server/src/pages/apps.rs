//! Pages for administrators: apps and their dials.

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use symbolon_authority::{
    AddedApp, Admin, Authority, ChangedApp, NewApp, RedirectUri, ports::AppChange,
};
use symbolon_login::{AppSettings, AtLimit, ClientId, Freshness, Lifetimes, Shape};

use super::{
    asking::Administrator,
    form::{PageForm, PageQuery, checkbox},
    limit,
    page::{Page, Section, see_other, send},
    refusal,
    return_to::LocalPath,
    views::{
        apps::{AddedPage, AppForm, AppsPage, BadApp, Dial, Turned},
        refusal::Refusal,
    },
};
use crate::ServerState;

/// What the address of the page may say about what was just done.
#[derive(Deserialize)]
pub(crate) struct Done {
    /// The app.
    #[serde(default)]
    app: String,
    /// Which of its dials.
    turned: Option<Dial>,
}

/// A turn of a dial.
#[derive(Deserialize)]
pub(crate) struct Turn {
    shape: Option<Shape>,
    freshness: Option<Freshness>,
}

/// What the form of a new app brings.
#[derive(Deserialize)]
pub(crate) struct Fields {
    client_id: String,
    #[serde(default)]
    name: String,
    shape: Shape,
    freshness: Freshness,
    #[serde(default)]
    redirect_uris: String,
    #[serde(default)]
    max_logins: String,
    #[serde(default = "end_oldest")]
    at_limit: AtLimit,
    #[serde(default, deserialize_with = "checkbox")]
    confidential: bool,
    #[serde(default, deserialize_with = "checkbox")]
    first_party: bool,
}

/// The form of an app's limit.
#[derive(Deserialize)]
pub(crate) struct LimitForm {
    #[serde(default)]
    max_logins: String,
    at_limit: AtLimit,
}

const fn end_oldest() -> AtLimit {
    AtLimit::EndOldest
}

/// `GET /admin/apps`
pub(crate) async fn list(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    PageQuery(done): PageQuery<Done>,
) -> Response {
    let turned = done.turned.map(|dial| Turned {
        dial,
        client_id: done.app,
    });
    show(
        &state,
        page,
        &admin,
        StatusCode::OK,
        turned,
        AppForm::default(),
    )
    .await
}

/// `POST /admin/apps`: shows the client secret, this once.
pub(crate) async fn add(
    State(state): State<ServerState>,
    Administrator {
        mut page, admin, ..
    }: Administrator,
    PageForm(fields): PageForm<Fields>,
) -> Response {
    page.here = LocalPath::to("/admin/apps");
    page.section = Section::Apps;
    let new = match new_app(&fields) {
        Ok(new) => new,
        Err(bad) => {
            let form = form_again(fields, bad);
            return show(
                &state,
                page,
                &admin,
                StatusCode::UNPROCESSABLE_ENTITY,
                None,
                form,
            )
            .await;
        }
    };
    match state.authority().add_app(&admin, new).await {
        Ok(AddedApp::Added { app, secret }) => send(
            StatusCode::CREATED,
            &AddedPage::new(page, &app, secret.as_ref().map(|secret| secret.as_str())),
        ),
        Ok(AddedApp::Taken) => {
            let form = form_again(fields, BadApp::Taken);
            show(&state, page, &admin, StatusCode::CONFLICT, None, form).await
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// `POST /admin/apps/{client_id}`: turns a dial on the running system.
pub(crate) async fn change(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path(client_id): Path<String>,
    PageForm(turn): PageForm<Turn>,
) -> Response {
    let Ok(client_id) = client_id.parse::<ClientId>() else {
        return not_found(page);
    };
    let dial = if turn.shape.is_some() {
        Dial::Shape
    } else {
        Dial::Freshness
    };
    let change = AppChange {
        shape: turn.shape,
        freshness: turn.freshness,
        ..AppChange::default()
    };
    apply(&state, page, &admin, &client_id, change, dial).await
}

/// `POST /admin/apps/{client_id}/limit`: how many logins a person may have in it at once.
pub(crate) async fn set_limit(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    Path(client_id): Path<String>,
    PageForm(form): PageForm<LimitForm>,
) -> Response {
    let Ok(client_id) = client_id.parse::<ClientId>() else {
        return not_found(page);
    };
    // The page's own field takes nothing else.
    let Ok(limit) = limit::read(&form.max_logins, form.at_limit) else {
        let status = StatusCode::BAD_REQUEST;
        return refusal::refuse(page, status, Refusal::of(status));
    };
    let change = AppChange {
        limit: Some(limit),
        ..AppChange::default()
    };
    apply(&state, page, &admin, &client_id, change, Dial::Limit).await
}

/// Makes the change, and back to the list that tells of it.
async fn apply(
    state: &ServerState,
    page: Page,
    admin: &Admin,
    client_id: &ClientId,
    change: AppChange,
    dial: Dial,
) -> Response {
    match state.authority().change_app(admin, client_id, change).await {
        Ok(ChangedApp::Changed(_)) => see_other(
            &LocalPath::to("/admin/apps")
                .with("app", client_id.as_str())
                .with("turned", dial.name()),
        ),
        Ok(ChangedApp::Unknown) => not_found(page),
        // The page has no form for it.
        Ok(ChangedApp::Console) => refusal::refuse(
            page,
            StatusCode::FORBIDDEN,
            Refusal::of(StatusCode::FORBIDDEN),
        ),
        Err(failure) => refusal::failure(page, &failure),
    }
}

async fn show(
    state: &ServerState,
    mut page: Page,
    admin: &Admin,
    status: StatusCode,
    turned: Option<Turned>,
    form: AppForm,
) -> Response {
    page.section = Section::Apps;
    let authority: &Authority = state.authority();
    match authority.apps(admin).await {
        Ok(apps) => {
            let guards = state.board().guards();
            let traffic = |app: &ClientId| state.board().traffic(app);
            send(
                status,
                &AppsPage::new(
                    page,
                    &apps,
                    authority.console(),
                    &guards,
                    traffic,
                    turned,
                    form,
                ),
            )
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

fn new_app(fields: &Fields) -> Result<NewApp, BadApp> {
    let client_id: ClientId = fields
        .client_id
        .trim()
        .parse()
        .map_err(|_| BadApp::ClientId)?;
    let name = match fields.name.trim() {
        "" => client_id.to_string(),
        name if name.chars().count() <= 64 && !name.chars().any(char::is_control) => {
            name.to_owned()
        }
        _ => return Err(BadApp::Name),
    };
    let redirect_uris = fields
        .redirect_uris
        .split_ascii_whitespace()
        .map(str::parse::<RedirectUri>)
        .collect::<Result<_, _>>()
        .map_err(|_| BadApp::RedirectUri)?;
    let limit = limit::read(&fields.max_logins, fields.at_limit).map_err(|_| BadApp::Limit)?;
    let settings = AppSettings {
        client_id,
        shape: fields.shape,
        freshness: fields.freshness,
        lifetimes: Lifetimes::default(),
    };
    Ok(NewApp {
        settings,
        name,
        limit,
        redirect_uris,
        confidential: fields.confidential,
        first_party: fields.first_party,
    })
}

fn form_again(fields: Fields, bad: BadApp) -> AppForm {
    let Fields {
        client_id,
        name,
        shape,
        freshness,
        redirect_uris,
        max_logins,
        at_limit,
        confidential,
        first_party,
    } = fields;
    AppForm {
        client_id,
        name,
        shape,
        freshness,
        redirect_uris,
        max_logins,
        at_limit,
        confidential,
        first_party,
        bad: Some(bad),
    }
}

fn not_found(page: Page) -> Response {
    refusal::refuse(page, StatusCode::NOT_FOUND, Refusal::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(client_id: &str, name: &str, redirect_uris: &str) -> Fields {
        Fields {
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            shape: Shape::Jwt,
            freshness: Freshness::default(),
            redirect_uris: redirect_uris.to_owned(),
            max_logins: "3".to_owned(),
            at_limit: AtLimit::Ask,
            confidential: true,
            first_party: false,
        }
    }

    #[test]
    fn an_app_is_read_into_narrow_types() {
        let new = new_app(&fields(
            " shop ",
            "",
            "https://a.test/cb\r\nhttp://localhost:3000/cb\n",
        ));
        assert!(new.is_ok_and(|new| {
            new.name == "shop"
                && new.redirect_uris.len() == 2
                && new.settings.client_id.as_str() == "shop"
                && new.limit.is_some_and(|limit| limit.most.get() == 3)
        }));
        for (bad, why) in [
            (fields("Shop", "", ""), BadApp::ClientId),
            (fields("shop", "a\u{7}b", ""), BadApp::Name),
            (fields("shop", &"a".repeat(65), ""), BadApp::Name),
            (fields("shop", "", "http://a.test/cb"), BadApp::RedirectUri),
            (
                fields("shop", "", "https://a.test/cb#x"),
                BadApp::RedirectUri,
            ),
            (
                fields("shop", "", "javascript:alert(1)"),
                BadApp::RedirectUri,
            ),
        ] {
            assert_eq!(new_app(&bad).err(), Some(why));
        }
        let none = Fields {
            max_logins: "0".to_owned(),
            ..fields("shop", "", "")
        };
        assert_eq!(new_app(&none).err(), Some(BadApp::Limit));
    }
}
