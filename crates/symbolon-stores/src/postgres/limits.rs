//! Counters in PostgreSQL.

use std::time::Duration;

use async_trait::async_trait;
use symbolon_authority::ports::{Counted, Limits, StoreError};
use symbolon_login::{Digest, UnixMillis};
use tokio_postgres::Row;

use super::{
    Postgres,
    columns::{Values, execute, maybe_row, value},
    fault::Work,
};

/// One statement, so that of any number at once each is counted; a window that is over begins anew.
const COUNT: &str = "INSERT INTO counters (key, events, until_at) VALUES ($1, 1, $2)
     ON CONFLICT (key) DO UPDATE SET
         events = CASE WHEN counters.until_at > $3 THEN counters.events + 1 ELSE 1 END,
         until_at = CASE WHEN counters.until_at > $3 THEN counters.until_at
                    ELSE excluded.until_at END
     RETURNING events, until_at";

#[async_trait]
impl Limits for Postgres {
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError> {
        let client = self.database.client().await?;
        let key = key.as_bytes().as_slice();
        let (until, now) = (now.plus(window).as_millis(), now.as_millis());
        let values: Values<'_> = &[&key, &until, &now];
        let counted = maybe_row(&client, COUNT, values).await?;
        let counted = counted.as_ref().map(read).transpose()?;
        counted.ok_or_else(|| StoreError::Damaged("a counter has no row".to_owned()))
    }

    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError> {
        let client = self.database.client().await?;
        let sql = "SELECT events, until_at FROM counters WHERE key = $1 AND until_at > $2";
        let key = key.as_bytes().as_slice();
        let found = maybe_row(&client, sql, &[&key, &now.as_millis()]).await?;
        Ok(found.as_ref().map(read).transpose()?)
    }

    async fn forget(&self, key: Digest) -> Result<(), StoreError> {
        let client = self.database.client().await?;
        let sql = "DELETE FROM counters WHERE key = $1";
        execute(&client, sql, &[&key.as_bytes().as_slice()]).await?;
        Ok(())
    }
}

fn read(row: &Row) -> Work<Counted> {
    let events: i64 = value(row, 0)?;
    Ok(Counted {
        events: u32::try_from(events).unwrap_or(u32::MAX),
        until: UnixMillis::from_millis(value(row, 1)?),
    })
}
