//! An SQL store for users, apps and keys, with logins in Redis beside it.

mod directory;
mod logins;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use symbolon_authority::ports::{Directory, Ended, Logins, StoreError, Tail};
use symbolon_login::{Change, LogEntry, Position, Scope, UnixMillis};
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{sleep, timeout},
};
use tracing::{error, warn};

use crate::{
    Redis,
    redis::{Carried, wall_clock},
};

/// The mark of a store whose logins are in Redis.
const MARK: &str = "logins in Redis";
/// How many entries are read from the SQL store at once.
const STRETCH: u32 = 64;
/// How often it is looked for deeds that nobody carries any more.
const LOOK: Duration = Duration::from_secs(3);
const AFTER_A_FAULT: Duration = Duration::from_millis(250);

/// All ports on two stores: `Directory` on an SQL store, `Logins`, `Limits` and `Once` on Redis.
///
/// What a verb of the directory has to tell guards stands in the SQL store's own log, committed with the deed: that log is
/// the outbox. Each entry is carried over into Redis's log once and in order: the place in the
/// outbox stands in Redis and is moved by the script that appends. A verb answers after its entry was carried, with its
/// position in Redis. If Redis is away, the deed is done and the caller hears that it is not known everywhere yet; the
/// entry follows as soon as Redis is back, also when another process has to carry it.
///
/// A sign-in is decided on the log's head read *before* the account: whoever is disabled in between is ended or refused
/// by the cut-off of their disabling, in whatever order the two reach Redis.
pub struct Bridged<D> {
    bridge: Arc<Bridge<D>>,
    task: AbortHandle,
}

struct Bridge<D> {
    sql: D,
    redis: Redis,
    carrying: tokio::sync::Mutex<()>,
    late: Arc<Late>,
}

/// The time of a deed that could not be carried.
#[derive(Default)]
struct Late {
    at: Mutex<Option<UnixMillis>>,
    noted: Notify,
}

impl Late {
    fn at(&self) -> MutexGuard<'_, Option<UnixMillis>> {
        // Nothing under the lock panics half-way.
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Directory + Logins + 'static> Bridged<D> {
    /// Puts the two together, and carries over what a crash left behind.
    ///
    /// If the SQL store had its logins in Redis and this cell is new, Redis has lost everything: an epoch begins that
    /// outranks what was lost.
    pub async fn new(sql: D, redis: Redis, now: UnixMillis) -> Result<Self, StoreError> {
        if sql.is_marked(MARK).await? {
            if redis.is_new() {
                error!(
                    "the cell in Redis was lost: a new epoch begins, and everyone signs in anew"
                );
                redis.begin_epoch(now).await?;
            }
        } else {
            sql.mark(MARK).await?;
        }
        redis.confirm().await?;
        let bridge = Arc::new(Bridge {
            sql,
            redis,
            carrying: tokio::sync::Mutex::default(),
            late: Arc::default(),
        });
        bridge.carry_through(bridge.sql.head().await?, now).await?;
        let task = tokio::spawn(catch_up(Arc::downgrade(&bridge), Arc::clone(&bridge.late)));
        Ok(Self {
            bridge,
            task: task.abort_handle(),
        })
    }
}

impl<D> Drop for Bridged<D> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<D: Directory + Logins> Bridge<D> {
    /// Carries the entry of a deed that was committed, and gives where it stands in Redis.
    async fn publish(&self, entry: Position, now: UnixMillis) -> Result<Ended, StoreError> {
        let published = async {
            self.carry_through(entry, now).await?;
            self.redis.carried(entry).await
        };
        published.await.map_err(|why| {
            self.late.at().get_or_insert(now);
            self.late.noted.notify_one();
            StoreError::Unavailable(format!(
                "it is done and stored, but guards have not heard of it yet; they will as soon as Redis is back: {why}"
            ))
        })
    }

    /// Takes up a deed whose request was given up, or whose process died, before it was carried: one that was there to be
    /// carried at the last look, too. Gives what there is to carry now.
    async fn look_for_overdue(&self, seen: Option<Position>) -> Option<Position> {
        let head = self.sql.head().await.ok()?;
        let cursor = self.redis.carried_through().await.ok()?;
        let open = Some(head).filter(|head| cursor < *head);
        if open.is_some() && seen.is_some_and(|seen| cursor < seen) {
            self.late.at().get_or_insert(wall_clock());
        }
        open
    }

    /// Carries everything up to `target`.
    async fn carry_through(&self, target: Position, now: UnixMillis) -> Result<(), StoreError> {
        let _one = self.carrying.lock().await;
        let mut cursor = self.redis.carried_through().await?;
        let mut own = false;
        while cursor < target {
            let stretch = match self.sql.tail(cursor, STRETCH).await? {
                Tail::Entries(entries) => entries,
                Tail::Reset => instead_of_lost(target),
            };
            if stretch.is_empty() {
                break;
            }
            for entry in stretch {
                match self.redis.carry(cursor, &entry, now).await? {
                    Carried::Now => cursor = entry.position,
                    Carried::Changed(at) => {
                        cursor = at;
                        break;
                    }
                }
                own = true;
            }
        }
        if own {
            Ok(())
        } else {
            self.redis.confirm().await
        }
    }
}

/// Carries what a verb could not, until it is done. Keeps no store open that is wanted no more.
async fn catch_up<D: Directory + Logins>(bridge: Weak<Bridge<D>>, late: Arc<Late>) {
    let mut seen = None;
    loop {
        if timeout(LOOK, late.noted.notified()).await.is_err() {
            let Some(bridge) = bridge.upgrade() else {
                return;
            };
            seen = bridge.look_for_overdue(seen).await;
        }
        loop {
            let since = late.at().take();
            let (Some(now), Some(bridge)) = (since, bridge.upgrade()) else {
                break;
            };
            let carried = async {
                let head = bridge.sql.head().await?;
                bridge.carry_through(head, now).await
            };
            let carried = carried.await;
            drop(bridge);
            if let Err(why) = carried {
                warn!("what was done in the SQL store is not known in Redis yet: {why}");
                late.at().get_or_insert(now);
                sleep(AFTER_A_FAULT).await;
            }
        }
    }
}

/// Stands in for entries of the outbox that were lost before they were carried (a restored backup, a sweep): whatever
/// they ended, this ends it.
fn instead_of_lost(target: Position) -> Vec<LogEntry> {
    error!("entries of the SQL store's log were lost before Redis had them: all logins are ended");
    let covers = Scope::Everything {};
    vec![LogEntry {
        position: target,
        change: Change::CutOff { covers },
    }]
}
