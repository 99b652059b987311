//! Beside the verbs: news of the log that others append, and uses that wait to be written.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use redis::{Cmd, Value, cmd};
use symbolon_authority::ports::StoreError;
use symbolon_login::{Position, SEEN_EVERY, UnixMillis};
use tokio::time::sleep;
use tracing::{error, warn};

use super::{Args, Cell, address::Address, link::Link, log, reply::entry_position};

/// How long one question for news waits at the server: also how often the head is looked at in any case.
const BLOCK: Duration = Duration::from_secs(1);
const AFTER_A_FAULT: Duration = Duration::from_millis(200);
/// How long noted uses wait for others to go along with.
const USES_WAIT: Duration = Duration::from_secs(1);

/// Wakes followers of the log. Only a hint: nothing rests on it, and it connects again by itself.
pub(super) async fn follow(cell: Arc<Cell>, address: Address) {
    loop {
        match Link::waiting(&address, BLOCK).await {
            Ok(link) => {
                // What broke this line broke that one, too: better that this hears of it than the next write.
                let _ = cell.writing.ask(&cmd("PING")).await;
                listen(&cell, &link).await;
            }
            Err(error) => warn!("the log is not followed: {}", cell.fault(&error)),
        }
        sleep(AFTER_A_FAULT).await;
    }
}

async fn listen(cell: &Cell, link: &Link) {
    loop {
        let known = *cell.wake.borrow();
        match link.ask(&news_after(cell, known)).await {
            // Read by a question of its own: another node may have appended more by now.
            Ok(_) => match look(cell, known).await {
                Ok(()) => {}
                Err(error) => {
                    warn!("the log is not followed: {error}");
                    return;
                }
            },
            Err(error) => {
                warn!("the log is not followed: {}", cell.fault(&error));
                return;
            }
        }
    }
}

/// Reads the head. Begins a new epoch if it went back: positions that guards know must never be given out anew.
async fn look(cell: &Cell, known: Position) -> Result<(), StoreError> {
    let head = cell.read_head().await?;
    if head < known {
        error!(
            "the log of {} went back from {known} to {head}: a failover or restart lost its end; a new epoch begins",
            cell.shown
        );
        let now = wall_clock();
        log::begin_epoch(cell, head, known.next_epoch(now), now).await?;
    }
    Ok(())
}

/// The time of what no caller gave a time for.
pub(crate) fn wall_clock() -> UnixMillis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    UnixMillis::from_secs(0).plus(now.unwrap_or_default())
}

fn news_after(cell: &Cell, known: Position) -> Cmd {
    let mut news = cmd("XREAD");
    news.arg("COUNT").arg(1);
    news.arg("BLOCK").arg(BLOCK.as_millis());
    news.arg("STREAMS").arg(cell.key("log"));
    news.arg(format!("{}-{}", known.epoch(), known.number()));
    news
}

/// Writes the uses that wait, about once a second.
pub(super) async fn flush(cell: Arc<Cell>) {
    loop {
        cell.touched.notified().await;
        sleep(USES_WAIT).await;
        while cell.touches.any() {
            if let Err(error) = cell.write_uses().await {
                warn!("uses were not noted: {error}");
            }
        }
    }
}

impl Cell {
    /// Another key of the cell.
    pub(super) fn key(&self, name: &str) -> String {
        let prefix = self.head.strip_suffix("head").unwrap_or_default();
        format!("{prefix}{name}")
    }

    /// The newest entry of the log.
    pub(super) async fn read_head(&self) -> Result<Position, StoreError> {
        let mut fields = cmd("HMGET");
        fields.arg(&self.head).arg("epoch").arg("number");
        let answer = self.asking.ask(&fields).await;
        let mut reply = match answer.map_err(|error| self.fault(&error))? {
            Value::Array(fields) if fields.contains(&Value::Nil) => {
                return Err(self.lost());
            }
            fields => super::Reply::new(fields)?,
        };
        let head = entry_position(&format!("{}-{}", reply.text()?, reply.text()?))?;
        self.saw(head);
        Ok(head)
    }

    /// Writes a bounded number of the uses that wait. Failed, they are forgotten: a use may be lost.
    pub(super) async fn write_uses(&self) -> Result<(), StoreError> {
        let _one = self.flushing.lock().await;
        let uses = self.touches.take();
        if uses.is_empty() {
            return Ok(());
        }
        let mut args = Args::default().with(SEEN_EVERY.as_millis().to_string());
        for (grant, at) in &uses {
            args = args.with(grant.as_bytes()).with(at.as_millis());
        }
        let times = async {
            let mut times = self.write_loosely(&self.scripts.touch, &args).await?;
            let mut written = Vec::new();
            for (grant, _) in &uses {
                written.extend(times.maybe_time()?.map(|used_at| (*grant, used_at)));
            }
            Ok(written)
        };
        let written = times.await;
        let (written, done) = match written {
            Ok(written) => (written, Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        };
        self.touches.written(written);
        done
    }
}
