//! `symbolon keys`.

use anyhow::Result;
use serde_json::{Value, json};

use crate::{cli::SigningKeys, data::IfMissing, operator::Operator, output};

pub(crate) async fn keys(command: SigningKeys) -> Result<()> {
    match command {
        SigningKeys::List { target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let answer = operator.get("/api/v1/keys").await?;
            if target.json {
                return output::json(&answer);
            }
            let keys = answer
                .get("keys")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default();
            let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
            output::table(
                &["KID", "ALGORITHM", "STAGE", "SIGNS FROM", "LEAVES AT"],
                &rows,
            )
        }
        SigningKeys::Rotate { target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            let key = operator.post("/api/v1/keys", json!({})).await?;
            if target.json {
                return output::json(&key);
            }
            let (kid, from) = (
                output::member(&key, "kid"),
                output::member(&key, "signs_from"),
            );
            output::line(&format!(
                "published {kid}; it signs from {from} on, and the key before it leaves by itself"
            ))
        }
        SigningKeys::Revoke { kid, target } => {
            let operator = Operator::reach(&target, IfMissing::Refuse).await?;
            // No space is in a key id: this is how a part of a path is written, too.
            let encoded: String =
                url::form_urlencoded::byte_serialize(kid.as_str().as_bytes()).collect();
            let revoked = operator.delete(&format!("/api/v1/keys/{encoded}")).await?;
            if target.json {
                return output::json(&revoked);
            }
            let position = output::member(&revoked, "position");
            let signing = revoked.get("signing").unwrap_or(&Value::Null);
            output::line(&format!(
                "revoked {kid}; guards refuse its tokens from position {position} of the log on, nobody is signed out"
            ))?;
            output::line(&format!("{} signs now", output::member(signing, "kid")))
        }
    }
}

fn row(key: &Value) -> Vec<String> {
    ["kid", "algorithm", "stage", "signs_from", "leaves_at"]
        .map(|name| output::member(key, name))
        .to_vec()
}
