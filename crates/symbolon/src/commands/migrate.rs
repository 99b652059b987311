//! `symbolon migrate`.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{cli::Migrate, output, store::Stores};

pub(crate) async fn migrate(asked: Migrate) -> Result<()> {
    let Migrate { dry_run, target } = asked;
    let Stores { store, .. } = target.place.into();
    let pending = store.pending(&target.data).await?;
    if !dry_run {
        // A file without the key that belongs to it could not be served.
        ensure!(
            store.directory(&target.data).is_none() || store.exists(&target.data).await?,
            "there is no authority in {store} yet: `symbolon serve` makes it, with its tables"
        );
        store.open(&target.data).await?.close()?;
    }
    if target.json {
        let pending: Vec<Value> = pending
            .iter()
            .map(|step| {
                json!({ "number": step.number, "name": step.name, "checksum": step.checksum() })
            })
            .collect();
        return output::json(&json!({ "migrations": pending, "applied": !dry_run }));
    }
    if pending.is_empty() {
        return output::line("The tables are up to date");
    }
    let done = if dry_run { "would apply" } else { "applied" };
    for step in &pending {
        output::line(&format!(
            "{done} migration {}: {} ({})",
            step.number,
            step.name,
            step.checksum()
        ))?;
    }
    Ok(())
}
