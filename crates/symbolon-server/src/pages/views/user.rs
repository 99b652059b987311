//! One user, their logins, and how fast the guards took up a cut-off.

use std::time::Duration;

use askama::Template;
use symbolon_authority::User;
use symbolon_login::{AtLimit, Position, Role};

use super::{limit::LimitFields, login::LoginRow, notice::Notice};
use crate::{
    board::GuardReport,
    pages::{
        moment::{Moment, millis},
        page::Page,
        words::Words,
    },
};

/// The page of a user.
#[derive(Template)]
#[template(path = "user.html")]
pub(crate) struct UserPage {
    pub(crate) page: Page,
    pub(crate) t: Words,
    pub(crate) id: String,
    pub(crate) identifier: String,
    pub(crate) roles: Vec<String>,
    pub(crate) created: Moment,
    pub(crate) disabled: Option<Moment>,
    /// Whether it is the visitor's own account: nobody locks themselves out from here.
    pub(crate) you: bool,
    pub(crate) notice: Option<Notice>,
    pub(crate) logins: Vec<LoginRow>,
    pub(crate) cut: Option<Cut>,
    pub(crate) form: RulesForm,
    pub(crate) limit: LimitFields,
}

/// What somebody may do and is held to, as text in fields.
#[derive(Clone, Debug)]
pub(crate) struct RulesForm {
    pub(crate) roles: String,
    pub(crate) idle: String,
    pub(crate) absolute: String,
    pub(crate) max_logins: String,
    pub(crate) at_limit: AtLimit,
    /// What was wrong with it.
    pub(crate) bad: Option<BadRules>,
}

impl RulesForm {
    /// What holds now.
    pub(crate) fn of(user: &User) -> Self {
        let seconds = |span: Option<Duration>| {
            span.map_or_else(String::new, |span| span.as_secs().to_string())
        };
        let roles: Vec<&str> = user.roles.iter().map(Role::as_str).collect();
        let limit = user.policy.limit();
        Self {
            roles: roles.join(" "),
            idle: seconds(user.policy.idle()),
            absolute: seconds(user.policy.absolute()),
            max_logins: limit.map_or_else(String::new, |limit| limit.most.to_string()),
            at_limit: limit.map_or(AtLimit::EndOldest, |limit| limit.at_limit),
            bad: None,
        }
    }
}

/// Why roles or rules were not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadRules {
    /// Not a role.
    Role,
    /// An administrator does not take the role from themselves.
    OwnRole,
    /// Not an idle timeout.
    Idle,
    /// Not an absolute timeout.
    Absolute,
    /// Not a number of logins.
    Limit,
}

impl BadRules {
    /// The sentence.
    pub(crate) fn text(self, t: Words) -> String {
        match self {
            Self::Role => t.bad_role(),
            Self::OwnRole => t.bad_own_role(),
            Self::Idle => t.bad_idle(),
            Self::Absolute => t.bad_absolute(),
            Self::Limit => t.bad_limit(),
        }
    }
}

/// A cut-off that was just acknowledged, and the guards.
#[derive(Clone, Debug)]
pub(crate) struct Cut {
    pub(crate) position: String,
    pub(crate) guards: Vec<GuardRow>,
    /// The longest time in milliseconds, once every guard has applied it.
    pub(crate) slowest: Option<String>,
    /// How many guards had applied it.
    pub(crate) applied: u64,
    /// How many had not.
    pub(crate) missing: u64,
}

/// One guard.
#[derive(Clone, Debug)]
pub(crate) struct GuardRow {
    pub(crate) client_id: String,
    /// The first characters of its id.
    pub(crate) guard: String,
    /// Milliseconds from acknowledgement until it had applied the cut-off; none: not yet.
    pub(crate) applied_after: Option<String>,
}

impl UserPage {
    /// The page of `user`.
    pub(crate) fn new(
        page: Page,
        user: &User,
        you: bool,
        notice: Option<Notice>,
        logins: Vec<LoginRow>,
        cut: Option<Cut>,
        form: RulesForm,
    ) -> Self {
        let t = page.t;
        Self {
            page,
            t,
            id: user.id.to_string(),
            identifier: user.identifier.to_string(),
            roles: user.roles.iter().map(|role| role_name(t, role)).collect(),
            created: user.created_at.into(),
            disabled: user.disabled_at.map(Moment::from),
            you,
            notice,
            logins,
            cut,
            limit: LimitFields::typed(t, form.max_logins.clone(), form.at_limit),
            form,
        }
    }
}

impl Cut {
    /// What the guards reported for `position`, the fastest first.
    pub(crate) fn new(position: Position, mut reports: Vec<GuardReport>) -> Self {
        reports.sort_by_key(|report| (report.applied_after.is_none(), report.applied_after));
        let missing = count(&reports, |report| report.applied_after.is_none());
        let slowest = reports
            .last()
            .and_then(|report| report.applied_after)
            .map(millis);
        Self {
            position: position.to_string(),
            slowest,
            applied: count(&reports, |report| report.applied_after.is_some()),
            missing,
            guards: reports
                .into_iter()
                .map(|report| GuardRow {
                    client_id: report.client_id.to_string(),
                    guard: report.guard.to_string().chars().take(8).collect(),
                    applied_after: report.applied_after.map(millis),
                })
                .collect(),
        }
    }
}

/// The name of a role: those that Symbolon knows have words.
pub(crate) fn role_name(t: Words, role: &Role) -> String {
    if role.as_str() == Role::ADMIN {
        t.role_admin()
    } else {
        role.to_string()
    }
}

fn count(reports: &[GuardReport], which: impl Fn(&GuardReport) -> bool) -> u64 {
    reports
        .iter()
        .filter(|report| which(report))
        .count()
        .try_into()
        .unwrap_or(u64::MAX)
}
