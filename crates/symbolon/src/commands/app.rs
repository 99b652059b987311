//! `symbolon app`.

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::{
    cli::{App, AppChange, Dials},
    data::IfMissing,
    operator::Operator,
    output,
};

pub(crate) async fn app(command: App) -> Result<()> {
    match command {
        App::Add {
            client_id,
            name,
            shape,
            dials,
            limit,
            redirect_uris,
            public,
            first_party,
            target,
        } => {
            let operator = Operator::reach(&target, IfMissing::Create).await?;
            let mut new = Map::new();
            new.insert("client_id".to_owned(), json!(client_id));
            new.insert("shape".to_owned(), json!(shape));
            new.insert("redirect_uris".to_owned(), json!(redirect_uris));
            new.insert("confidential".to_owned(), json!(!public));
            new.insert("first_party".to_owned(), json!(first_party));
            if let Some(name) = name {
                new.insert("name".to_owned(), json!(name));
            }
            add_dials(
                &mut new,
                &dials,
                &json!(symbolon_server::login::Lifetimes::default()),
            );
            if let Some(limit) = limit.over(None)? {
                new.insert("limit".to_owned(), limit);
            }
            let added = operator.post("/api/v1/apps", Value::Object(new)).await?;
            if target.json {
                return output::json(&added);
            }
            output::line(&format!("added {client_id}, shape {shape}"))?;
            if let Some(secret) = added.get("client_secret").and_then(Value::as_str) {
                output::line(&format!("client secret, shown this once: {secret}"))?;
            }
            Ok(())
        }
        App::List { target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let answer = operator.get("/api/v1/apps").await?;
            if target.json {
                return output::json(&answer);
            }
            let apps = answer
                .get("apps")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let rows: Vec<Vec<String>> = apps.iter().map(row).collect();
            output::table(
                &["CLIENT ID", "NAME", "SHAPE", "FRESHNESS", "REDIRECT URIS"],
                &rows,
            )
        }
        App::Set(change) => set(change).await,
    }
}

async fn set(given: AppChange) -> Result<()> {
    let AppChange {
        client_id,
        shape,
        dials,
        limit,
        no_max_logins,
        name,
        redirect_uris,
        target,
    } = given;
    let operator = Operator::reach(&target, IfMissing::Refuse).await?;
    let path = format!("/api/v1/apps/{client_id}");
    let mut change = Map::new();
    if let Some(shape) = shape {
        change.insert("shape".to_owned(), json!(shape));
    }
    if let Some(name) = name {
        change.insert("name".to_owned(), json!(name));
    }
    if !redirect_uris.is_empty() {
        change.insert("redirect_uris".to_owned(), json!(redirect_uris));
    }
    let present = operator.get(&path).await?;
    if no_max_logins {
        change.insert("limit".to_owned(), Value::Null);
    }
    if let Some(limit) = limit.over(present.get("limit"))? {
        change.insert("limit".to_owned(), limit);
    }
    if dials.changes_lifetimes() {
        let lifetimes = present.get("lifetimes").cloned().unwrap_or(Value::Null);
        add_dials(&mut change, &dials, &lifetimes);
    } else {
        add_dials(&mut change, &dials, &Value::Null);
    }
    anyhow::ensure!(
        !change.is_empty(),
        "nothing to change: see `symbolon app set --help`"
    );
    let changed = operator.patch(&path, Value::Object(change)).await?;
    if target.json {
        return output::json(&changed);
    }
    let (shape, freshness) = (
        output::member(&changed, "shape"),
        output::member(&changed, "freshness"),
    );
    output::line(&format!(
        "{client_id}: shape {shape}, freshness {freshness}; nobody is signed out"
    ))
}

impl Dials {
    fn lifetimes(&self) -> [(&'static str, Option<u64>); 4] {
        [
            ("idle_seconds", self.idle),
            ("absolute_seconds", self.absolute),
            ("access_token_seconds", self.access_token),
            ("refresh_grace_seconds", self.refresh_grace),
        ]
    }

    fn changes_lifetimes(&self) -> bool {
        self.lifetimes().iter().any(|(_, given)| given.is_some())
    }
}

/// Adds what was given; of the lifetimes all, those not given as they are in `present`.
fn add_dials(members: &mut Map<String, Value>, dials: &Dials, present: &Value) {
    if let Some(freshness) = dials.freshness {
        members.insert("freshness".to_owned(), json!(freshness));
    }
    if dials.changes_lifetimes() {
        let mut lifetimes = present.as_object().cloned().unwrap_or_default();
        for (name, given) in dials.lifetimes() {
            if let Some(seconds) = given {
                lifetimes.insert(name.to_owned(), json!(seconds));
            }
        }
        members.insert("lifetimes".to_owned(), Value::Object(lifetimes));
    }
}

fn row(app: &Value) -> Vec<String> {
    ["client_id", "name", "shape", "freshness", "redirect_uris"]
        .map(|name| output::member(app, name))
        .to_vec()
}
