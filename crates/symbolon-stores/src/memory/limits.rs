//! Counters in memory.

use std::time::Duration;

use async_trait::async_trait;
use symbolon_authority::ports::{Counted, Limits, StoreError};
use symbolon_login::{Digest, UnixMillis};

use super::Memory;

#[async_trait]
impl Limits for Memory {
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError> {
        Ok(self.lock().counters.count(&key, window, now))
    }

    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError> {
        Ok(self.lock().counters.counted(&key, now))
    }

    async fn forget(&self, key: Digest) -> Result<(), StoreError> {
        self.lock().counters.forget(&key);
        Ok(())
    }
}
