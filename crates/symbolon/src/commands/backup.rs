//! `symbolon backup` and `symbolon restore`.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use symbolon_server::{
    authority::ports::{Directory, World},
    login::{Position, Scope},
};
use symbolon_stores::{Postgres, Restored, RestoredLogins, Sqlite, transfer::UNFINISHED};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::copy;
use crate::{
    cli::{Backup, Restore, Target},
    data::{IfMissing, ROOT_KEY},
    operator::Operator,
    output, progress,
    store::{StoreUrl, Stores},
    world::RealWorld,
};

const WITHOUT_LOGINS: &str =
    "Logins are in Redis and not in a backup: it holds people, apps and keys";

const KEYS_COME_BACK: &str = "A signing key that was revoked after the backup was taken is valid again: if there was one, see `symbolon keys list` and revoke it";

pub(crate) async fn backup(asked: Backup) -> Result<()> {
    let Backup { file, target } = asked;
    let Stores { store, logins, .. } = target.place.clone().into();
    ensure!(
        !file.try_exists()?,
        "{} is there already, and is left as it is",
        file.display()
    );
    // Held until the copy is made: without a server it keeps one from starting in between.
    let operator = Operator::reach(&target, IfMissing::Refuse).await?;
    let marked = operator.post("/api/v1/backups", json!({})).await?;
    let head = match &store {
        StoreUrl::Sqlite(dir) => {
            let dir = dir.as_deref().unwrap_or(&target.data);
            file_of(dir, &file, target.json).await?
        }
        StoreUrl::Postgres(url) => moment_of(url, &file, target.json).await?,
    };
    // With logins in Redis the mark stands there.
    if logins.is_none() && head < mark_of(&marked)? {
        fs::remove_file(&file)?;
        bail!(
            "{store} is not what the running server keeps its logins in: name its --store and --logins, as it was told them"
        );
    }
    let position = output::member(&marked, "position");
    if target.json {
        return output::json(&json!({
            "file": file,
            "position": position,
            "holds_logins": logins.is_none(),
        }));
    }
    if logins.is_some() {
        output::line(&format!("{} is written. {WITHOUT_LOGINS}", file.display()))?;
    } else {
        output::line(&format!(
            "{} holds everything up to position {position} of the log",
            file.display()
        ))?;
    }
    output::line(&format!(
        "It is worth nothing without {}: keep a copy of that, too, and keep it elsewhere",
        target.data.join(ROOT_KEY).display()
    ))
}

/// Begins the epoch that follows when somebody else has put an old database in place.
async fn in_place(target: Target, end_all_logins: bool) -> Result<()> {
    let stores = Stores::from(target.place);
    ensure!(
        stores.pending(&target.data).await?.is_empty(),
        "there is no database of this version at {}: put one there, or run `symbolon migrate` first",
        stores.store
    );
    let open = stores.open(&target.data).await?;
    let now = RealWorld::new().now();
    let from = open.logins.head().await?;
    let mut ended = open.logins.begin_epoch(now).await?;
    if end_all_logins {
        let all = open.logins.end(Scope::Everything {}, now).await?;
        ended.position = all.position;
        ended.count += all.count;
    }
    if target.json {
        return output::json(&json!({
            "from": from,
            "position": ended.position,
            "ended": ended.count,
        }));
    }
    output::line(&format!(
        "The log ended at position {from} and goes on at {}; {} ended, and what was issued in between is refused",
        ended.position, ended.count
    ))?;
    output::line(KEYS_COME_BACK)
}

fn mark_of(marked: &Value) -> Result<Position> {
    let position = marked.get("position").cloned().unwrap_or_default();
    serde_json::from_value(position).context("the authority's answer names no position")
}

/// Copies the database of a directory. Gives the head of its log.
async fn file_of(dir: &Path, file: &Path, json: bool) -> Result<Position> {
    let bar = progress::bar("backing up", json);
    let (dir, to, told) = (dir.to_owned(), file.to_owned(), bar.clone());
    let copied = spawn_blocking(move || {
        symbolon_stores::back_up(&dir, &to, |done, all| {
            told.set_length(all);
            told.set_position(done);
        })
    });
    let head = copied.await??;
    bar.finish_and_clear();
    Ok(head)
}

/// Copies one moment of a database on a server into a directory, and makes a backup of that.
async fn moment_of(url: &str, file: &Path, json: bool) -> Result<Position> {
    // Beside the file: there is room for a backup there, and it is meant to hold one.
    let beside = file.parent().filter(|parent| *parent != Path::new(""));
    let beside = beside.unwrap_or(Path::new("."));
    let draft = tempfile::Builder::new()
        .prefix(".symbolon-backup-")
        .tempdir_in(beside)
        .with_context(|| format!("cannot write beside {}", file.display()))?;
    let store = Postgres::connect(url).await?;
    let moment = store.moment().await?;
    let to = Sqlite::open(draft.path())?;
    copy::all(&moment, &to, "backing up", json).await?;
    to.close()?;
    file_of(draft.path(), file, json).await
}

pub(crate) async fn restore(asked: Restore) -> Result<()> {
    let Restore {
        file,
        in_place: _,
        end_all_logins,
        target,
    } = asked;
    let Some(file) = file else {
        return in_place(target, end_all_logins).await;
    };
    let Stores { store, logins, .. } = target.place.into();
    let (restored, place) = {
        let restored = match &store {
            StoreUrl::Sqlite(dir) => {
                let dir = dir.as_deref().unwrap_or(&target.data);
                let restored = into_directory(&file, dir, end_all_logins).await;
                restored.map(|restored| (restored, dir.display().to_string()))
            }
            StoreUrl::Postgres(url) => {
                let restored = into_postgres(&file, url, end_all_logins, target.json).await;
                restored.map(|restored| (restored, store.to_string()))
            }
        };
        restored.with_context(|| format!("cannot restore {}", file.display()))?
    };
    if target.json {
        return output::json(&json!({
            "from": restored.from,
            "position": restored.head,
            "ended": restored.ended,
            "withdrawn_keys": restored.withdrawn,
            "replaced": restored.replaced,
            "holds_logins": logins.is_none(),
        }));
    }
    output::line(&format!(
        "{place} holds the backup as of position {}; the log goes on at {}, and what was issued in between is refused",
        restored.from, restored.head
    ))?;
    if restored.ended > 0 {
        output::line(&format!("{} ended", restored.ended))?;
    }
    if logins.is_some() {
        output::line(WITHOUT_LOGINS)?;
    }
    match &restored.withdrawn {
        None => output::line(KEYS_COME_BACK)?,
        Some(keys) => keys.iter().try_for_each(|kid| {
            output::line(&format!(
                "The signing key {kid} was withdrawn after the backup was taken, and stays so"
            ))
        })?,
    }
    if let Some(replaced) = &restored.replaced {
        output::line(&format!("What was there is kept as {}", replaced.display()))?;
    }
    let root_key = target.data.join(ROOT_KEY);
    if !root_key.try_exists()? {
        output::line(&format!(
            "Before you start the server, put the root key of that authority into {}",
            root_key.display()
        ))?;
    }
    Ok(())
}

async fn into_directory(file: &Path, dir: &Path, end_all_logins: bool) -> Result<Restored> {
    let (file, dir) = (file.to_owned(), dir.to_owned());
    let logins = if end_all_logins {
        RestoredLogins::End
    } else {
        RestoredLogins::Keep
    };
    let restored = spawn_blocking(move || {
        symbolon_stores::restore(&file, &dir, logins, RealWorld::new().now())
    });
    Ok(restored.await??)
}

/// Restores into a directory, where the new epoch begins, and copies that.
async fn into_postgres(
    file: &Path,
    url: &str,
    end_all_logins: bool,
    json: bool,
) -> Result<Restored> {
    let to = Postgres::connect(url).await?;
    // It would go on where that one stopped, with what it may have left alive.
    ensure!(
        !to.is_marked(UNFINISHED).await?,
        "the target holds a part of a copy or restore that was cut short: begin with an empty one"
    );
    let draft = TempDir::with_prefix("symbolon-restore-")?;
    let restored = into_directory(file, draft.path(), end_all_logins).await?;
    let from = Sqlite::open(draft.path())?;
    copy::all(&from, &to, "restoring", json).await?;
    from.close()?;
    Ok(restored)
}
