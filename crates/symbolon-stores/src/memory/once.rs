//! Once-values in memory.

use std::collections::hash_map::Entry;

use async_trait::async_trait;
use symbolon_authority::ports::{Once, Purpose, StoreError, Take};
use symbolon_login::{Digest, UnixMillis};

use super::{Memory, OnceValue};
use crate::in_use;

#[async_trait]
impl Once for Memory {
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        match self.lock().once.entry((purpose, *key.as_bytes())) {
            Entry::Occupied(_) => Err(in_use("once-value")),
            Entry::Vacant(free) => {
                free.insert(OnceValue {
                    value,
                    expires_at,
                    taken: false,
                });
                Ok(())
            }
        }
    }

    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError> {
        let mut state = self.lock();
        let kept = state
            .once
            .get_mut(&(purpose, *key.as_bytes()))
            .filter(|kept| now < kept.expires_at);
        Ok(match kept {
            None => Take::Unknown,
            Some(kept) if kept.taken => Take::Again(kept.value.clone()),
            Some(kept) => {
                kept.taken = true;
                Take::Fresh(kept.value.clone())
            }
        })
    }

    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        let state = self.lock();
        let kept = state.once.get(&(purpose, *key.as_bytes()));
        Ok(kept.is_some_and(|kept| !kept.taken && now < kept.expires_at))
    }
}
