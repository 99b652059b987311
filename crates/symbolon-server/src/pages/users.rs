//! Pages for administrators: who has an account.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde::Deserialize;
use symbolon_authority::{
    AddedUser, Admin, Authority, BadNewPassword, Failure, NewPassword, NewUser, User,
};
use symbolon_login::{Identifier, Role};

use super::{
    asking::Administrator,
    form::{PageForm, PageQuery, checkbox},
    page::{Page, Section, see_other, send},
    refusal,
    return_to::LocalPath,
    views::{
        notice::Notice,
        users::{BadUser, UserForm, UserRow, UsersPage},
    },
};
use crate::ServerState;

/// How many users a page lists.
const PAGE_LENGTH: usize = 50;

/// What is asked of the list.
#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    /// The beginning of an identifier.
    #[serde(default)]
    q: String,
    /// The last identifier of the page before.
    #[serde(default)]
    after: String,
}

/// What the form brings. No Debug: it holds a password.
#[derive(Deserialize)]
pub(crate) struct Fields {
    identifier: String,
    password: String,
    #[serde(default, deserialize_with = "checkbox")]
    admin: bool,
}

/// `GET /admin/users`
pub(crate) async fn list(
    State(state): State<ServerState>,
    Administrator { page, admin, .. }: Administrator,
    PageQuery(asked): PageQuery<Asked>,
) -> Response {
    show(
        &state,
        page,
        &admin,
        StatusCode::OK,
        asked,
        UserForm::default(),
    )
    .await
}

/// `POST /admin/users`
pub(crate) async fn add(
    State(state): State<ServerState>,
    Administrator {
        mut page, admin, ..
    }: Administrator,
    PageForm(fields): PageForm<Fields>,
) -> Response {
    page.here = LocalPath::to("/admin/users");
    let mut form = UserForm {
        identifier: fields.identifier.clone(),
        admin: fields.admin,
        bad: None,
    };
    let roles = fields
        .admin
        .then(|| Role::ADMIN.parse::<Role>().ok())
        .flatten();
    let new = match new_user(
        &fields.identifier,
        fields.password,
        roles.into_iter().collect(),
    ) {
        Ok(new) => new,
        Err(bad) => {
            form.bad = Some(bad);
            return show(
                &state,
                page,
                &admin,
                StatusCode::UNPROCESSABLE_ENTITY,
                Asked::default(),
                form,
            )
            .await;
        }
    };
    match state.authority().add_user(&admin, new).await {
        Ok(AddedUser::Added(user)) => see_other(&Notice::UserAdded.at(super::user::path(user.id))),
        Ok(AddedUser::Taken) => {
            form.bad = Some(BadUser::Taken);
            show(
                &state,
                page,
                &admin,
                StatusCode::CONFLICT,
                Asked::default(),
                form,
            )
            .await
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

/// Reads what was typed for a new account.
pub(crate) fn new_user(
    identifier: &str,
    password: String,
    roles: Vec<Role>,
) -> Result<NewUser, BadUser> {
    let identifier: Identifier = identifier.trim().parse().map_err(|_| BadUser::Identifier)?;
    let password = NewPassword::new(password).map_err(|bad| match bad {
        BadNewPassword::Short => BadUser::PasswordShort,
        BadNewPassword::Long => BadUser::PasswordLong,
    })?;
    Ok(NewUser {
        identifier,
        password,
        roles,
    })
}

async fn show(
    state: &ServerState,
    mut page: Page,
    admin: &Admin,
    status: StatusCode,
    asked: Asked,
    form: UserForm,
) -> Response {
    page.section = Section::Users;
    match found(state.authority(), admin, &asked).await {
        Ok((users, more)) => {
            let next = more.then(|| users.last()).flatten().map(|last| {
                list_after(&asked.q, last.identifier.as_str())
                    .as_str()
                    .to_owned()
            });
            let users = users
                .iter()
                .map(|user| UserRow::new(page.t, user))
                .collect();
            let later = !asked.after.is_empty();
            send(
                status,
                &UsersPage {
                    t: page.t,
                    page,
                    query: asked.q,
                    users,
                    next,
                    later,
                    form,
                },
            )
        }
        Err(failure) => refusal::failure(page, &failure),
    }
}

fn list_after(query: &str, after: &str) -> LocalPath {
    let list = LocalPath::to("/admin/users");
    let list = if query.is_empty() {
        list
    } else {
        list.with("q", query)
    };
    list.with("after", after)
}

/// One page of users, and whether there are more.
async fn found(
    authority: &Authority,
    admin: &Admin,
    asked: &Asked,
) -> Result<(Vec<User>, bool), Failure> {
    let asked_for = asked.q.trim();
    let prefix = match asked_for.parse::<Identifier>() {
        Ok(prefix) => Some(prefix),
        Err(_) if asked_for.is_empty() => None,
        // No identifier begins so.
        Err(_) => return Ok((Vec::new(), false)),
    };
    let after = asked.after.parse::<Identifier>().ok();
    let mut users = Vec::new();
    // In the order of identifiers, those with a prefix are the prefix itself and then a stretch
    // right after it.
    if let (Some(prefix), None) = (&prefix, &after) {
        users.extend(authority.user_named(admin, prefix).await?);
    }
    let from = after.or_else(|| prefix.clone());
    let limit = u32::try_from(PAGE_LENGTH + 1).unwrap_or(u32::MAX);
    users.extend(authority.users(admin, from, limit).await?);
    if let Some(prefix) = &prefix {
        users.retain(|user| user.identifier.as_str().starts_with(prefix.as_str()));
    }
    let more = users.len() > PAGE_LENGTH;
    users.truncate(PAGE_LENGTH);
    Ok((users, more))
}
