//! `symbolon user`.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use symbolon_server::login::Identifier;

use super::user_id;
use crate::{
    cli::{Rules, User},
    data::IfMissing,
    operator::Operator,
    output,
};

pub(crate) async fn user(command: User) -> Result<()> {
    match command {
        User::Add {
            identifier,
            roles,
            password_stdin,
            generate,
            target,
        } => {
            let password = if generate {
                made_up_password()?
            } else {
                ask_password(password_stdin)?
            };
            let operator = Operator::reach(&target, IfMissing::Create).await?;
            let new = json!({ "identifier": identifier, "password": password, "roles": roles });
            let mut added = operator.post("/api/v1/users", new).await?;
            if target.json {
                if let (true, Some(members)) = (generate, added.as_object_mut()) {
                    members.insert("password".to_owned(), Value::String(password));
                }
                return output::json(&added);
            }
            output::line(&format!(
                "added {identifier} ({})",
                output::member(&added, "id")
            ))?;
            if generate {
                output::line(&format!("password: {password}"))?;
            }
            Ok(())
        }
        User::List { target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let users = all_users(&operator).await?;
            if target.json {
                return output::json(&json!({ "users": users }));
            }
            let rows: Vec<Vec<String>> = users.iter().map(row).collect();
            output::table(&["IDENTIFIER", "ID", "ROLES", "STATE", "SINCE"], &rows)
        }
        User::Set {
            identifier,
            roles,
            no_roles,
            rules,
            target,
        } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let path = format!("/api/v1/users/{}", user_id(&operator, &identifier).await?);
            let mut change = Map::new();
            if no_roles || !roles.is_empty() {
                change.insert("roles".to_owned(), json!(roles));
            }
            let present = operator.get(&path).await?;
            if let Some(policy) = rules.over(present.get("policy"))? {
                change.insert("policy".to_owned(), policy);
            }
            ensure!(
                !change.is_empty(),
                "nothing to change: see `symbolon user set --help`"
            );
            let changed = operator.patch(&path, Value::Object(change)).await?;
            if target.json {
                return output::json(&changed);
            }
            let roles = output::member(&changed, "roles");
            let policy = changed.get("policy").unwrap_or(&Value::Null);
            output::line(&format!(
                "{identifier}: roles {roles}, logins held to {policy}"
            ))?;
            match changed.get("ended") {
                Some(ended) => output::line(&format!("{ended} logins ended")),
                None => Ok(()),
            }
        }
        User::Disable { identifier, target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let disabled = set_disabled(&operator, &identifier, true).await?;
            if target.json {
                return output::json(&disabled);
            }
            let ended = output::member(&disabled, "ended");
            output::line(&format!("{identifier} is disabled; {ended} logins ended"))
        }
        User::Enable { identifier, target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let enabled = set_disabled(&operator, &identifier, false).await?;
            if target.json {
                return output::json(&enabled);
            }
            output::line(&format!("{identifier} may sign in again"))
        }
    }
}

impl Rules {
    /// The policy that was asked for, where one was; what was not given stays as it is in `present`.
    fn over(&self, present: Option<&Value>) -> Result<Option<Value>> {
        if self.no_limits {
            return Ok(Some(json!({})));
        }
        let mut policy = present.and_then(Value::as_object).cloned();
        let policy = policy.get_or_insert_default();
        let mut asked = false;
        for (name, given) in [
            ("idle_seconds", self.idle.map(|seconds| json!(seconds))),
            (
                "absolute_seconds",
                self.absolute.map(|seconds| json!(seconds)),
            ),
            ("limit", self.limit.over(policy.get("limit"))?),
        ] {
            if let Some(value) = given {
                policy.insert(name.to_owned(), value);
                asked = true;
            }
        }
        Ok(asked.then(|| Value::Object(policy.clone())))
    }
}

async fn set_disabled(
    operator: &Operator,
    identifier: &Identifier,
    disabled: bool,
) -> Result<Value> {
    let id = user_id(operator, identifier).await?;
    operator
        .patch(
            &format!("/api/v1/users/{id}"),
            json!({ "disabled": disabled }),
        )
        .await
}

async fn all_users(operator: &Operator) -> Result<Vec<Value>> {
    let mut users = Vec::new();
    let mut path = "/api/v1/users?limit=500".to_owned();
    loop {
        let page = operator.get(&path).await?;
        users.extend(
            page.get("users")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .cloned(),
        );
        match page.get("next").and_then(Value::as_str) {
            Some(next) => {
                let after: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
                path = format!("/api/v1/users?limit=500&after={after}");
            }
            None => return Ok(users),
        }
    }
}

fn row(user: &Value) -> Vec<String> {
    let disabled = user
        .get("disabled")
        .and_then(Value::as_bool)
        .unwrap_or_default();
    vec![
        output::member(user, "identifier"),
        output::member(user, "id"),
        output::member(user, "roles"),
        if disabled {
            "disabled".to_owned()
        } else {
            "active".to_owned()
        },
        output::member(user, "created_at"),
    ]
}

/// 20 characters of base64url: 120 random bits.
pub(crate) fn made_up_password() -> Result<String> {
    let mut random = [0_u8; 15];
    rand::fill(&mut random)
        .ok()
        .context("the operating system gave no randomness")?;
    Ok(URL_SAFE_NO_PAD.encode(random))
}

fn ask_password(from_stdin: bool) -> Result<String> {
    if from_stdin {
        let mut line = String::new();
        stdin().read_line(&mut line)?;
        let password = line.strip_suffix('\n').unwrap_or(&line);
        let password = password.strip_suffix('\r').unwrap_or(password);
        ensure!(
            !password.is_empty(),
            "standard input has no password on its first line"
        );
        return Ok(password.to_owned());
    }
    if !stdin().is_terminal() {
        bail!("there is no terminal to ask for the password: use --password-stdin or --generate");
    }
    let prompt = dialoguer::Password::new()
        .with_prompt("Password")
        .with_confirmation("Again", "They differ.");
    Ok(prompt.interact()?)
}
