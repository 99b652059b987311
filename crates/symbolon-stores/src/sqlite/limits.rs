//! Counters beside SQLite: in memory, because one process holds the file and they may be lost.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use symbolon_authority::ports::{Counted, Limits, StoreError};
use symbolon_login::{Digest, UnixMillis};

use super::Sqlite;
use crate::bounded_counters::BoundedCounters;

impl Sqlite {
    fn counters(&self) -> MutexGuard<'_, BoundedCounters> {
        // Nothing under the lock panics half-way.
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Limits for Sqlite {
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError> {
        Ok(self.counters().count(&key, window, now))
    }

    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError> {
        Ok(self.counters().counted(&key, now))
    }

    async fn forget(&self, key: Digest) -> Result<(), StoreError> {
        self.counters().forget(&key);
        Ok(())
    }
}
