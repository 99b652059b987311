//! Once-values in Redis.

use async_trait::async_trait;
use redis::cmd;
use symbolon_authority::ports::{Once, Purpose, StoreError, Take};
use symbolon_login::{Digest, UnixMillis};

use super::{Args, Redis, Reply, reply::damaged};
use crate::in_use;

fn name(purpose: Purpose, key: &Digest) -> Vec<u8> {
    [purpose.as_str().as_bytes(), b":", key.as_bytes()].concat()
}

#[async_trait]
impl Once for Redis {
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        let args = Args::default().with(name(purpose, &key)).with(value);
        let args = args.with(expires_at.as_millis());
        let mut reply = self.cell.write(&self.cell.scripts.put, &args).await?;
        match reply.text()?.as_str() {
            "kept" => Ok(()),
            _ => Err(in_use("once-value")),
        }
    }

    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError> {
        let args = Args::default().with(name(purpose, &key));
        let args = args.with(now.as_millis());
        let mut reply = self.cell.write(&self.cell.scripts.take, &args).await?;
        match reply.text()?.as_str() {
            "fresh" => reply.text().map(Take::Fresh),
            "again" => reply.text().map(Take::Again),
            "unknown" => Ok(Take::Unknown),
            other => Err(damaged(&format!("a taker was told {other}"))),
        }
    }

    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let key = [self.cell.key("o:").as_bytes(), &name(purpose, &key)].concat();
        let mut fields = cmd("HMGET");
        fields.arg(key).arg("expires").arg("taken");
        let answer = self.cell.asking.ask(&fields).await;
        let mut reply = Reply::new(answer.map_err(|error| self.cell.fault(&error))?)?;
        let expires_at = reply.maybe_text()?;
        let taken = reply.maybe_text()?.is_some();
        let expires_at = expires_at.map(|at| at.parse().map(UnixMillis::from_millis));
        let expires_at = expires_at.transpose();
        let expires_at = expires_at.map_err(|_| damaged("an expiry cannot be read"))?;
        Ok(!taken && expires_at.is_some_and(|at| now < at))
    }
}
