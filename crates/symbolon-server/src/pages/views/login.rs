//! One login in a list of devices.

use std::collections::HashMap;

use symbolon_authority::{App, ports::LoginWithGrants};
use symbolon_login::{ClientId, Shape, Sid, UnixMillis, UserId};

use crate::pages::{moment::Moment, words::Words};

/// A row of the list.
#[derive(Clone, Debug)]
pub(crate) struct LoginRow {
    pub(crate) device: String,
    /// Whether the page is looked at with this login.
    pub(crate) current: bool,
    pub(crate) since: Moment,
    pub(crate) used: Moment,
    pub(crate) expires: Moment,
    pub(crate) apps: Vec<AppShare>,
    /// Where its end is asked for.
    pub(crate) end_action: String,
    /// What the button says, and what it says to those who do not see the row.
    pub(crate) end_text: String,
    pub(crate) end_label: String,
}

/// Who would end it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EndedBy {
    /// Its owner.
    Owner,
    /// An administrator, on the page of this user.
    Admin(UserId),
}

/// An app that has a share in the login.
#[derive(Clone, Debug)]
pub(crate) struct AppShare {
    pub(crate) name: String,
    pub(crate) shape: String,
}

impl LoginRow {
    /// The row of a login; `apps` are those of its grants, as they are now.
    pub(crate) fn new(
        t: Words,
        found: &LoginWithGrants,
        apps: &HashMap<ClientId, App>,
        current: Sid,
        by: EndedBy,
    ) -> Self {
        let LoginWithGrants { login, grants } = found;
        let device = login.device.clone().unwrap_or_else(|| t.unknown_device());
        let sid = login.sid;
        let (end_action, end_text, end_label) = match by {
            EndedBy::Owner => (
                format!("/account/logins/{sid}/end"),
                t.end_own_login(),
                t.end_own_login_label(&device),
            ),
            EndedBy::Admin(id) => (
                format!("/admin/users/{id}/logins/{sid}/end"),
                t.force_logout(),
                t.force_logout_label(&device),
            ),
        };
        Self {
            device,
            current: current == sid,
            end_action,
            end_text,
            end_label,
            since: login.authenticated_at.into(),
            used: last_used(found).into(),
            expires: login.expires_at.into(),
            apps: grants
                .iter()
                .filter_map(|grant| apps.get(&grant.client_id))
                .map(|app| AppShare {
                    name: app.name.clone(),
                    shape: shape(t, app.settings.shape),
                })
                .collect(),
        }
    }
}

/// When a login was last used, in whatever app.
pub(crate) fn last_used(found: &LoginWithGrants) -> UnixMillis {
    let used = found.grants.iter().map(|grant| grant.used_at);
    used.max().unwrap_or(found.login.authenticated_at)
}

/// The name of a shape.
pub(crate) fn shape(t: Words, shape: Shape) -> String {
    match shape {
        Shape::Session => t.shape_session(),
        Shape::Jwt => t.shape_jwt(),
    }
}
