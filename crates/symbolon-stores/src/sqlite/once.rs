//! Once-values in SQLite.

use async_trait::async_trait;
use rusqlite::{OptionalExtension, params};
use symbolon_authority::ports::{Once, Purpose, StoreError, Take};
use symbolon_login::{Digest, UnixMillis};

use super::{Sqlite, columns::insert};

#[async_trait]
impl Once for Sqlite {
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(move |tx| {
            let sql = "INSERT INTO once (purpose, key, value, expires_at, taken)
                       VALUES (?1, ?2, ?3, ?4, 0)";
            let row = params![
                purpose.as_str(),
                key.as_bytes(),
                value,
                expires_at.as_millis()
            ];
            insert(tx.conn(), sql, "once-value", row)
        })
        .await
    }

    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError> {
        self.write(move |tx| {
            let key = params![purpose.as_str(), key.as_bytes(), now.as_millis()];
            let fresh = "UPDATE once SET taken = 1
                         WHERE purpose = ?1 AND key = ?2 AND expires_at > ?3 AND taken = 0
                         RETURNING value";
            let mut fresh = tx.conn().prepare_cached(fresh)?;
            if let Some(value) = fresh.query_row(key, |row| row.get(0)).optional()? {
                return Ok(Take::Fresh(value));
            }
            let again =
                "SELECT value FROM once WHERE purpose = ?1 AND key = ?2 AND expires_at > ?3";
            let mut again = tx.conn().prepare_cached(again)?;
            let again = again.query_row(key, |row| row.get(0)).optional()?;
            Ok(again.map_or(Take::Unknown, Take::Again))
        })
        .await
    }

    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        self.read(move |conn| {
            let sql = "SELECT 1 FROM once
                       WHERE purpose = ?1 AND key = ?2 AND expires_at > ?3 AND taken = 0";
            let key = params![purpose.as_str(), key.as_bytes(), now.as_millis()];
            Ok(conn.prepare_cached(sql)?.exists(key)?)
        })
        .await
    }
}
