//! Counters in Redis. They are acknowledged when the primary has them: they may be lost.

use std::time::Duration;

use async_trait::async_trait;
use redis::cmd;
use symbolon_authority::ports::{Counted, Limits, StoreError};
use symbolon_login::{Digest, UnixMillis};

use super::{Args, Redis, Reply, reply::damaged};

impl Redis {
    fn counter(&self, key: &Digest) -> Vec<u8> {
        [self.cell.key("c:").as_bytes(), key.as_bytes()].concat()
    }
}

#[async_trait]
impl Limits for Redis {
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError> {
        let window = now.plus(window).since(now).as_millis().to_string();
        let args = Args::default().with(key.as_bytes().as_slice()).with(window);
        let args = args.with(now.as_millis());
        let count = &self.cell.scripts.count;
        let mut reply = self.cell.write_loosely(count, &args).await?;
        Ok(Counted {
            events: u32::try_from(reply.count()?).unwrap_or(u32::MAX),
            until: reply.time()?,
        })
    }

    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError> {
        let mut fields = cmd("HMGET");
        fields.arg(self.counter(&key)).arg("events").arg("until");
        let answer = self.cell.asking.ask(&fields).await;
        let mut reply = Reply::new(answer.map_err(|error| self.cell.fault(&error))?)?;
        let (Some(events), Some(until)) = (reply.maybe_text()?, reply.maybe_text()?) else {
            return Ok(None);
        };
        let (Ok(events), Ok(until)) = (events.parse(), until.parse()) else {
            return Err(damaged("a counter cannot be read"));
        };
        let until = UnixMillis::from_millis(until);
        Ok((now < until).then_some(Counted { events, until }))
    }

    async fn forget(&self, key: Digest) -> Result<(), StoreError> {
        let mut delete = cmd("DEL");
        delete.arg(self.counter(&key));
        let written = self.cell.writing.write(&delete, None).await;
        written.map_err(|error| self.cell.fault(&error))?;
        Ok(())
    }
}
