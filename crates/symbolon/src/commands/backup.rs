//! `symbolon backup` and `symbolon restore`.

use anyhow::{Context, Result};
use serde_json::json;
use symbolon_server::authority::ports::World;
use symbolon_stores::RestoredLogins;
use tokio::task::spawn_blocking;

use crate::{
    cli::{Backup, Restore},
    data::{IfMissing, ROOT_KEY},
    operator::Operator,
    output, progress,
    world::RealWorld,
};

pub(crate) async fn backup(asked: Backup) -> Result<()> {
    let Backup { file, target } = asked;
    // Held until the copy is made: without a server it keeps one from starting in between.
    let operator = Operator::reach(&target, IfMissing::Refuse).await?;
    let marked = operator.post("/api/v1/backups", json!({})).await?;
    let bar = progress::bar("backing up", target.json);
    let (dir, to, told) = (target.data.clone(), file.clone(), bar.clone());
    let copied = spawn_blocking(move || {
        symbolon_stores::back_up(&dir, &to, |done, all| {
            told.set_length(all);
            told.set_position(done);
        })
    });
    copied.await??;
    bar.finish_and_clear();
    let position = output::member(&marked, "position");
    if target.json {
        return output::json(&json!({ "file": file, "position": position }));
    }
    output::line(&format!(
        "{} holds everything up to position {position} of the log",
        file.display()
    ))?;
    output::line(&format!(
        "It is worth nothing without {}: keep a copy of that, too, and keep it elsewhere",
        target.data.join(ROOT_KEY).display()
    ))
}

pub(crate) async fn restore(asked: Restore) -> Result<()> {
    let Restore {
        file,
        end_all_logins,
        target,
    } = asked;
    let logins = if end_all_logins {
        RestoredLogins::End
    } else {
        RestoredLogins::Keep
    };
    let (from, dir) = (file.clone(), target.data.clone());
    let restored = spawn_blocking(move || {
        symbolon_stores::restore(&from, &dir, logins, RealWorld::new().now())
    });
    let restored = restored
        .await?
        .with_context(|| format!("cannot restore {}", file.display()))?;
    if target.json {
        return output::json(&json!({
            "from": restored.from,
            "position": restored.head,
            "ended": restored.ended,
            "replaced": restored.replaced,
        }));
    }
    output::line(&format!(
        "{} holds the backup as of position {}; the log goes on at {}, and what was issued in between is refused",
        target.data.display(),
        restored.from,
        restored.head
    ))?;
    if restored.ended > 0 {
        output::line(&format!("{} ended", restored.ended))?;
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
