//! Once-values in PostgreSQL.

use async_trait::async_trait;
use symbolon_authority::ports::{Once, Purpose, StoreError, Take};
use symbolon_login::{Digest, UnixMillis};

use super::{
    Postgres,
    columns::{execute, maybe_row, refused, value},
};

#[async_trait]
impl Once for Postgres {
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        let client = self.database.client().await?;
        let sql = "INSERT INTO once_values (purpose, key, value, expires_at, taken)
                   VALUES ($1, $2, $3, $4, false)";
        let key = key.as_bytes().as_slice();
        let values: super::columns::Values<'_> =
            &[&purpose.as_str(), &key, &value, &expires_at.as_millis()];
        let put = execute(&client, sql, values).await;
        put.map_err(|fault| refused(fault, |_| "once-value"))?;
        Ok(())
    }

    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError> {
        let client = self.database.client().await?;
        let key = key.as_bytes().as_slice();
        let (purpose, now) = (purpose.as_str(), now.as_millis());
        let values: super::columns::Values<'_> = &[&purpose, &key, &now];
        let fresh = "UPDATE once_values SET taken = true
                     WHERE purpose = $1 AND key = $2 AND expires_at > $3 AND NOT taken
                     RETURNING value";
        if let Some(fresh) = maybe_row(&client, fresh, values).await? {
            return Ok(Take::Fresh(value(&fresh, 0)?));
        }
        let again = "SELECT value FROM once_values
                     WHERE purpose = $1 AND key = $2 AND expires_at > $3";
        let again = maybe_row(&client, again, values).await?;
        let again = again.map(|again| value(&again, 0)).transpose()?;
        Ok(again.map_or(Take::Unknown, Take::Again))
    }

    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let client = self.database.client().await?;
        let sql = "SELECT 1 FROM once_values
                   WHERE purpose = $1 AND key = $2 AND expires_at > $3 AND NOT taken";
        let key = key.as_bytes().as_slice();
        let found = maybe_row(&client, sql, &[&purpose.as_str(), &key, &now.as_millis()]).await?;
        Ok(found.is_some())
    }
}
