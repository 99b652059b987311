//! Stories of the log: what guards follow, and what leaves by itself.

use std::time::Duration;

use symbolon_login::{Lifetimes, Position, Snapshot};
use tokio::sync::watch;

use crate::{
    Admin, Authority, Failure,
    ports::{LogSnapshot, Tail},
};

/// Beyond the longest life of an access token: clocks that differ, leeway, a slow last request.
pub(crate) const MARGIN: Duration = Duration::from_secs(300);

/// What is left after a bite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Nothing that could leave now.
    Clean,
    /// Perhaps more: the bite was full.
    More,
}

impl Authority {
    /// The newest entry, read after the call.
    pub async fn head(&self) -> Result<Position, Failure> {
        Ok(self.logins.head().await?)
    }

    /// Up to `limit` entries after a position.
    pub async fn tail(&self, after: Position, limit: u32) -> Result<Tail, Failure> {
        Ok(self.logins.tail(after, limit).await?)
    }

    /// Wakes who follows the log. Only a hint.
    pub fn wake(&self) -> watch::Receiver<Position> {
        self.logins.wake()
    }

    /// The newest entry that this node has heard of: committed, and perhaps not the newest any more.
    /// Costs nothing.
    pub(crate) fn known_head(&self) -> Position {
        *self.logins.wake().borrow()
    }

    /// Everything that a guard needs to begin with.
    pub async fn snapshot(&self) -> Result<Snapshot, Failure> {
        let kept_since = self.kept_since();
        let LogSnapshot {
            head,
            complete_since,
            cut_offs,
            apps,
        } = self.logins.snapshot(kept_since).await?;
        // Read after the head: a key that was added up to there is among them, and one that is gone
        // since is told of by an entry after it.
        let keys = self.ring().await?.public_jwks();
        Ok(Snapshot {
            head,
            issuer: self.settings.issuer.clone(),
            complete_since: Some(complete_since),
            cut_offs,
            keys,
            apps,
        })
    }

    /// Marks that a backup is about to be taken: whatever is issued from here on is younger than
    /// anything that the backup holds, and dies when it is restored.
    pub async fn mark_backup(&self, admin: &Admin) -> Result<Position, Failure> {
        let position = self.logins.mark_backup(self.now()).await?;
        tracing::info!(%admin, %position, "a backup is being taken");
        Ok(position)
    }

    /// Removes one bite of rows that nothing can need again, small enough that no request notices.
    pub async fn sweep(&self) -> Result<Swept, Failure> {
        const BITE: u32 = 500;
        let removed = self.logins.sweep(self.kept_since(), BITE).await?;
        Ok(if removed < u64::from(BITE) {
            Swept::Clean
        } else {
            Swept::More
        })
    }

    /// The public keys as a JWK Set (RFC 7517 section 5).
    pub async fn jwks(&self) -> Result<serde_json::Value, Failure> {
        let keys = self.ring().await?.public_jwks();
        Ok(serde_json::json!({ "keys": keys }))
    }

    fn kept_since(&self) -> symbolon_login::UnixMillis {
        let back = Lifetimes::LONGEST_ACCESS_TOKEN + MARGIN;
        let millis = i64::try_from(back.as_millis()).unwrap_or(i64::MAX);
        symbolon_login::UnixMillis::from_millis(self.now().as_millis().saturating_sub(millis))
    }
}
