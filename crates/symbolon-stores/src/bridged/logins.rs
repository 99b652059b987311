//! Logins, counters and once-values: in Redis, for people of the SQL store.

use std::time::Duration;

use async_trait::async_trait;
use symbolon_authority::ports::{
    Advance, Counted, Directory, Ended, Join, Limits, LogSnapshot, LoginWithGrants, Logins,
    NewGrant, Once, Open, Presented, Purpose, Standpoint, StoreError, Tail, Take, Terms,
};
use symbolon_login::{
    ClientId, Digest, GrantId, Lifetimes, Login, LoginLimit, Position, Scope, Sid, UnixMillis,
    UserId,
};
use tokio::sync::watch;

use super::Bridged;

#[async_trait]
impl<D: Directory + Logins + 'static> Logins for Bridged<D> {
    async fn open(
        &self,
        login: Login,
        grant: NewGrant,
        terms: Terms,
        now: UnixMillis,
    ) -> Result<Open, StoreError> {
        // Read before the account is: a disabling that the look at the account misses comes after it in the log.
        let since = match terms.since {
            Some(since) => since,
            None => self.bridge.redis.head().await?,
        };
        let user = self.bridge.sql.user(login.user).await?;
        if user.is_none_or(|user| user.disabled_at.is_some()) {
            return Ok(Open::UserGone);
        }
        let terms = Terms {
            since: Some(since),
            ..terms
        };
        self.bridge.redis.open(login, grant, terms, now).await
    }

    async fn join(
        &self,
        sid: Sid,
        grant: NewGrant,
        per_app: Option<LoginLimit>,
        now: UnixMillis,
    ) -> Result<Join, StoreError> {
        self.bridge.redis.join(sid, grant, per_app, now).await
    }

    async fn find(&self, grant: GrantId) -> Result<Option<Standpoint>, StoreError> {
        self.bridge.redis.find(grant).await
    }

    async fn login(&self, sid: Sid) -> Result<Option<LoginWithGrants>, StoreError> {
        self.bridge.redis.login(sid).await
    }

    async fn logins_of(
        &self,
        user: UserId,
        now: UnixMillis,
    ) -> Result<Vec<LoginWithGrants>, StoreError> {
        self.bridge.redis.logins_of(user, now).await
    }

    async fn advance(
        &self,
        presented: Presented,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        now: UnixMillis,
    ) -> Result<Advance, StoreError> {
        let redis = &self.bridge.redis;
        redis.advance(presented, client_id, lifetimes, now).await
    }

    async fn touch(&self, grant: GrantId, now: UnixMillis) -> Result<(), StoreError> {
        self.bridge.redis.touch(grant, now).await
    }

    async fn end(&self, scope: Scope, now: UnixMillis) -> Result<Ended, StoreError> {
        self.bridge.redis.end(scope, now).await
    }

    async fn end_own(
        &self,
        user: UserId,
        sid: Sid,
        now: UnixMillis,
    ) -> Result<Option<Ended>, StoreError> {
        self.bridge.redis.end_own(user, sid, now).await
    }

    async fn mark_backup(&self, now: UnixMillis) -> Result<Position, StoreError> {
        self.bridge.redis.mark_backup(now).await
    }

    async fn begin_epoch(&self, now: UnixMillis) -> Result<Ended, StoreError> {
        self.bridge.redis.begin_epoch(now).await
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.bridge.redis.head().await
    }

    async fn tail(&self, after: Position, limit: u32) -> Result<Tail, StoreError> {
        self.bridge.redis.tail(after, limit).await
    }

    async fn snapshot(&self, kept_since: UnixMillis) -> Result<LogSnapshot, StoreError> {
        let mut snapshot = self.bridge.redis.snapshot(kept_since).await?;
        // Read after the head: newer settings than it says come once more as an entry.
        let apps = self.bridge.sql.apps().await?;
        snapshot.apps = apps.into_iter().map(|app| app.settings).collect();
        Ok(snapshot)
    }

    fn wake(&self) -> watch::Receiver<Position> {
        self.bridge.redis.wake()
    }

    async fn sweep(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        let (sql, redis) = (&self.bridge.sql, &self.bridge.redis);
        // The outbox loses nothing that was not carried. Its entries stand in Redis's log, which counts them.
        if redis.carried_through().await? == sql.head().await? {
            sql.sweep(before, limit).await?;
        }
        redis.sweep(before, limit).await
    }
}

#[async_trait]
impl<D: Directory + Logins + 'static> Once for Bridged<D> {
    async fn put(
        &self,
        purpose: Purpose,
        key: Digest,
        value: String,
        expires_at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.bridge.redis.put(purpose, key, value, expires_at).await
    }

    async fn take(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<Take, StoreError> {
        self.bridge.redis.take(purpose, key, now).await
    }

    async fn peek(
        &self,
        purpose: Purpose,
        key: Digest,
        now: UnixMillis,
    ) -> Result<bool, StoreError> {
        self.bridge.redis.peek(purpose, key, now).await
    }
}

#[async_trait]
impl<D: Directory + Logins + 'static> Limits for Bridged<D> {
    async fn count(
        &self,
        key: Digest,
        window: Duration,
        now: UnixMillis,
    ) -> Result<Counted, StoreError> {
        self.bridge.redis.count(key, window, now).await
    }

    async fn counted(&self, key: Digest, now: UnixMillis) -> Result<Option<Counted>, StoreError> {
        self.bridge.redis.counted(key, now).await
    }

    async fn forget(&self, key: Digest) -> Result<(), StoreError> {
        self.bridge.redis.forget(key).await
    }
}
