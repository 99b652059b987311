//! Pages for administrators: what one person may do, and what their logins are held to.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::StatusCode;
use serde::Deserialize;
use symbolon_authority::ChangedRoles;
use symbolon_login::{AtLimit, BadLoginPolicy, LoginPolicy, Role, UserId};

use super::{
    asking::Administrator,
    form::PageForm,
    limit,
    page::{Section, see_other},
    refusal,
    user::{Asked, after_end, not_found, path, send_page},
    views::{notice::Notice, user::BadRules},
};
use crate::ServerState;

/// The roles, separated by blanks.
#[derive(Deserialize)]
pub(crate) struct RolesForm {
    roles: String,
}

/// The policy; what is empty is left to the authority and the apps.
#[derive(Deserialize)]
pub(crate) struct PolicyForm {
    #[serde(default)]
    idle: String,
    #[serde(default)]
    absolute: String,
    #[serde(default)]
    max_logins: String,
    at_limit: AtLimit,
}

/// `POST /admin/users/{id}/roles`: replaces them, which ends all logins of the user.
pub(crate) async fn set_roles(
    State(state): State<ServerState>,
    mut asker: Administrator,
    Path(id): Path<String>,
    PageForm(form): PageForm<RolesForm>,
) -> Response {
    asker.page.section = Section::Users;
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(asker.page);
    };
    let typed = form.roles.split_whitespace();
    let bad = match typed.map(str::parse::<Role>).collect() {
        Err(_) => BadRules::Role,
        Ok(roles) => match state.authority().set_roles(&asker.admin, id, roles).await {
            Ok(ChangedRoles::Oneself) => BadRules::OwnRole,
            Ok(ChangedRoles::Changed(ended)) => {
                let notice = Some(Notice::RolesChanged);
                return after_end(&state, asker.page, id, Ok(Some(ended)), notice);
            }
            Ok(ChangedRoles::Unknown) => return not_found(asker.page),
            Err(failure) => return refusal::failure(asker.page, &failure),
        },
    };
    asker.page.here = path(id);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    send_page(&state, asker, id, status, &Asked::default(), |typed| {
        typed.roles = form.roles;
        typed.bad = Some(bad);
    })
    .await
}

/// `POST /admin/users/{id}/policy`
pub(crate) async fn set_policy(
    State(state): State<ServerState>,
    mut asker: Administrator,
    Path(id): Path<String>,
    PageForm(form): PageForm<PolicyForm>,
) -> Response {
    asker.page.section = Section::Users;
    let Ok(id) = id.parse::<UserId>() else {
        return not_found(asker.page);
    };
    let bad = match policy(&form) {
        Err(bad) => bad,
        Ok(policy) => {
            let authority = state.authority();
            return match authority.set_login_policy(&asker.admin, id, policy).await {
                Ok(true) => see_other(&Notice::PolicyChanged.at(path(id))),
                Ok(false) => not_found(asker.page),
                Err(failure) => refusal::failure(asker.page, &failure),
            };
        }
    };
    asker.page.here = path(id);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    send_page(&state, asker, id, status, &Asked::default(), |typed| {
        typed.idle = form.idle;
        typed.absolute = form.absolute;
        typed.max_logins = form.max_logins;
        typed.at_limit = form.at_limit;
        typed.bad = Some(bad);
    })
    .await
}

fn policy(form: &PolicyForm) -> Result<LoginPolicy, BadRules> {
    let span = |typed: &str, bad| match typed.trim() {
        "" => Ok(None),
        typed => typed
            .parse()
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .map_err(|_| bad),
    };
    let idle = span(&form.idle, BadRules::Idle)?;
    let absolute = span(&form.absolute, BadRules::Absolute)?;
    let limit = limit::read(&form.max_logins, form.at_limit).map_err(|_| BadRules::Limit)?;
    LoginPolicy::new(idle, absolute, limit).map_err(|bad| match bad {
        BadLoginPolicy::Idle => BadRules::Idle,
        BadLoginPolicy::Absolute => BadRules::Absolute,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(idle: &str, absolute: &str, max_logins: &str) -> PolicyForm {
        PolicyForm {
            idle: idle.to_owned(),
            absolute: absolute.to_owned(),
            max_logins: max_logins.to_owned(),
            at_limit: AtLimit::Ask,
        }
    }

    #[test]
    fn a_policy_is_read_into_narrow_types() {
        assert_eq!(policy(&form("", " ", "")), Ok(LoginPolicy::default()));
        let full = policy(&form("60", "120", "2"));
        assert!(full.is_ok_and(|full| {
            full.idle() == Some(Duration::from_secs(60))
                && full.absolute() == Some(Duration::from_secs(120))
                && full.limit().is_some_and(|limit| limit.most.get() == 2)
        }));
        for (typed, bad) in [
            (form("x", "", ""), BadRules::Idle),
            (form("121", "120", ""), BadRules::Idle),
            (form("", "0", ""), BadRules::Absolute),
            (form("", "1e3", ""), BadRules::Absolute),
            (form("", "", "0"), BadRules::Limit),
        ] {
            assert_eq!(policy(&typed), Err(bad));
        }
    }
}
