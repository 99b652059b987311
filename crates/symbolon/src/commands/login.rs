//! `symbolon login`.

use anyhow::Result;
use serde_json::Value;

use super::{say_ended, user_id};
use crate::{cli::Login, data::IfMissing, operator::Operator, output};

pub(crate) async fn login(command: Login) -> Result<()> {
    match command {
        Login::List { identifier, target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let id = user_id(&operator, &identifier).await?;
            let answer = operator.get(&format!("/api/v1/users/{id}/logins")).await?;
            if target.json {
                return output::json(&answer);
            }
            let logins = answer
                .get("logins")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let rows: Vec<Vec<String>> = logins.iter().map(row).collect();
            output::table(&["SID", "SINCE", "UNTIL", "DEVICE", "APPS"], &rows)
        }
        Login::End { sid, user, target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let path = match (sid, user) {
                (Some(sid), _) => format!("/api/v1/logins/{sid}"),
                (None, Some(user)) => {
                    format!("/api/v1/users/{}/logins", user_id(&operator, &user).await?)
                }
                (None, None) => {
                    anyhow::bail!("name a login, or --user IDENTIFIER for all of somebody")
                }
            };
            say_ended(&operator.delete(&path).await?, target.json)
        }
    }
}

fn row(login: &Value) -> Vec<String> {
    let apps = login
        .get("apps")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let apps: Vec<String> = apps
        .iter()
        .map(|app| output::member(app, "client_id"))
        .collect();
    vec![
        output::member(login, "sid"),
        output::member(login, "authenticated_at"),
        output::member(login, "expires_at"),
        output::member(login, "device"),
        apps.join(","),
    ]
}
