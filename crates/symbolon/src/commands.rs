//! The commands that work on an authority, beside a running server or without one.

mod advise;
mod app;
mod backup;
mod copy;
mod keys;
mod login;
mod migrate;
mod token;
mod user;

pub(crate) use advise::{Advise, advise};
pub(crate) use app::app;
pub(crate) use backup::{backup, restore};
pub(crate) use copy::copy;
pub(crate) use keys::keys;
pub(crate) use login::login;
pub(crate) use migrate::migrate;
pub(crate) use token::token;
pub(crate) use user::{made_up_password, user};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use symbolon_server::login::{AtLimit, Identifier};

use crate::{cli::Limit, operator::Operator, output};

/// The id of the user with that identifier.
async fn user_id(operator: &Operator, identifier: &Identifier) -> Result<String> {
    let query: String =
        url::form_urlencoded::byte_serialize(identifier.as_str().as_bytes()).collect();
    let found = operator
        .get(&format!("/api/v1/users?identifier={query}"))
        .await?;
    found
        .pointer("/users/0/id")
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("there is no user {identifier}"))
}

impl Limit {
    /// The limit that was asked for, where one was; what was not given stays as it is in `present`.
    fn over(&self, present: Option<&Value>) -> Result<Option<Value>> {
        let given = |name: &str, given: Option<Value>| {
            let kept = || present.and_then(|present| present.get(name)).cloned();
            given.or_else(kept).filter(|value| !value.is_null())
        };
        if self.max_logins.is_none() && self.at_limit.is_none() {
            return Ok(None);
        }
        let most = given("most", self.max_logins.map(|most| json!(most)));
        let most =
            most.context("--at-limit says what one login more than --max-logins does: give both")?;
        let at_limit = given("at_limit", self.at_limit.map(|rule| json!(rule)));
        let at_limit = at_limit.unwrap_or_else(|| json!(AtLimit::EndOldest));
        Ok(Some(json!({ "most": most, "at_limit": at_limit })))
    }
}

/// Says what ended, and from which position of the log on guards refuse it.
fn say_ended(answer: &Value, json: bool) -> Result<()> {
    if json {
        return output::json(answer);
    }
    let (ended, position) = (
        output::member(answer, "ended"),
        output::member(answer, "position"),
    );
    output::line(&format!(
        "{ended} ended; guards refuse it from position {position} of the log on"
    ))
}
