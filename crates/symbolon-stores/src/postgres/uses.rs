//! Uses that were only seen: kept in memory and written a second later, many in one statement.

use std::{collections::HashMap, sync::Arc, time::Duration};

use symbolon_login::{GrantId, UnixMillis};
use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};

use super::{Database, columns::execute, fault::Work, rows};
use crate::touches::Touches;

/// How long noted uses wait for others.
const WAIT: Duration = Duration::from_secs(1);

/// The uses that wait, and who writes them.
#[derive(Default)]
pub(super) struct Uses {
    touches: Touches,
    noted: Notify,
    writing: Mutex<()>,
}

impl Uses {
    pub(super) fn note(&self, grant: GrantId, now: UnixMillis) {
        if self.touches.note(grant, now) {
            self.noted.notify_one();
        }
    }

    /// Those that wait, for adding to what was read.
    pub(super) fn touches(&self) -> &Touches {
        &self.touches
    }
}

/// Writes what is noted, for as long as the store is open.
pub(super) async fn write(database: Arc<Database>) {
    loop {
        database.uses.noted.notified().await;
        sleep(WAIT).await;
        // What could not be written is forgotten: uses may be lost.
        drop(database.write_uses().await);
    }
}

impl Database {
    /// Writes all uses that wait.
    pub(super) async fn write_uses(&self) -> Work<()> {
        let _alone = self.uses.writing.lock().await;
        while self.uses.touches.any() {
            let taken = self.uses.touches.take();
            let written = self.write_taken(taken).await;
            self.uses.touches.written(match &written {
                Ok(times) => times.clone(),
                Err(_) => Vec::new(),
            });
            written?;
        }
        Ok(())
    }

    /// Gives the times of use that stand now.
    async fn write_taken(
        &self,
        taken: Vec<(GrantId, UnixMillis)>,
    ) -> Work<Vec<(GrantId, UnixMillis)>> {
        let client = self.client().await?;
        let ids: Vec<_> = taken
            .iter()
            .map(|(id, _)| id.as_bytes().as_slice())
            .collect();
        let seen: HashMap<_, _> = taken.iter().copied().collect();
        let mut found = rows::find_all(&client, &ids).await?;
        let (mut ids, mut times) = (Vec::new(), Vec::new());
        for found in &mut found {
            let seen = seen.get(&found.grant.id);
            if let Some(used_at) = seen.and_then(|seen| found.grant.seen(&found.login, *seen)) {
                found.grant.used_at = used_at;
                ids.push(found.grant.id.as_bytes().as_slice().to_vec());
                times.push(used_at.as_millis());
            }
        }
        if !ids.is_empty() {
            let sql = "UPDATE grants SET used_at = greatest(used_at, seen.at)
                       FROM unnest($1::bytea[], $2::bigint[]) AS seen(id, at)
                       WHERE grants.id = seen.id AND grants.ended_at IS NULL";
            execute(&client, sql, &[&ids, &times]).await?;
        }
        let grants = found.into_iter().map(|found| found.grant);
        Ok(grants.map(|grant| (grant.id, grant.used_at)).collect())
    }
}
