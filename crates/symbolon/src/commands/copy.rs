//! `symbolon copy`.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use symbolon_stores::transfer::{self, MOVED, Source, Target};

use crate::{cli::Copy, output, progress};

/// Where `sqlite:` without a directory is.
const DATA: &str = "symbolon-data";

pub(crate) async fn copy(asked: Copy) -> Result<()> {
    let Copy {
        from,
        to,
        keep_source,
        json,
    } = asked;
    ensure!(from != to, "--from and --to are the same store");
    let data = Path::new(DATA);
    // Opening it would make one.
    ensure!(
        from.exists(data).await.context("--from")?,
        "--from: there is no authority in {from}"
    );
    let source = from.open(data).await.context("--from")?;
    let target = to.open(data).await.context("--to")?;
    let copied = all(source.target(), target.target(), "copying", json).await;
    let copied = copied.with_context(|| format!("{from} to {to}"))?;
    if !keep_source {
        source.mark(MOVED).await?;
    }
    source.close()?;
    target.close()?;
    if json {
        return output::json(&json!({ "records": copied, "source_usable": keep_source }));
    }
    output::line(&format!(
        "{copied} records are in {to}. Nobody is signed out; serve it with the root key that belongs to them"
    ))?;
    if !keep_source {
        output::line(&format!("{from} is marked as moved and is served no more"))?;
    }
    Ok(())
}

/// Copies everything under a bar.
pub(super) async fn all(
    from: &dyn Source,
    to: &dyn Target,
    what: &'static str,
    json: bool,
) -> Result<u64> {
    let bar = progress::bar(what, json);
    let copied = transfer::copy(from, to, |progress| {
        bar.set_length(progress.all);
        bar.set_position(progress.done);
    });
    let copied = copied.await?;
    bar.finish_and_clear();
    Ok(copied)
}
