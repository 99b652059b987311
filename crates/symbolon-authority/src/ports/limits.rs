//! Counters that may be lost: how often something happened within a window of time.

use std::time::Duration;

use async_trait::async_trait;
use symbolon_login::{Digest, UnixMillis};

use super::StoreError;

/// What a counter says while its window is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The events of the window.
    pub events: u32,
    /// When the window ends: at this moment it is over.
    pub until: UnixMillis,
}

/// The store of counters. A crash may lose them, so they may only hold up what is harmless to let
/// through once more.
#[async_trait]
pub trait Limits: Send + Sync {
    /// Counts one event. The first one opens a window, which ends `window` later whatever follows.
    /// Atomic: of any number at once each is counted.
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError>;

    /// What was counted; none where no window is open.
    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError>;

    /// Closes the window.
    async fn forget(&self, key: Digest) -> Result<(), StoreError>;
}
