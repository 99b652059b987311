//! What the store keeps in memory beside the file.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OptionalExtension};
use symbolon_login::{GrantId, Position, UserId};

use super::{columns::bytes, fault::Work, living::Living, roll::Roll, unmarked::Unmarked};

/// How many people the writer remembers. Beyond it, it begins anew.
const PEOPLE: usize = 1 << 17;

/// Whose logins there are, which have ended without a mark in their rows, who may sign in, and which ids of
/// grants are free.
pub(super) struct Memory {
    pub(super) roll: Arc<Roll>,
    pub(super) living: Living,
    pub(super) unmarked: Unmarked,
    pub(super) welcome: Welcome,
    pub(super) further: Further,
}

impl Memory {
    /// What the file's log says. The roll and the living are not known yet.
    pub(super) fn load(conn: &Connection) -> Work<Self> {
        Ok(Self {
            roll: Arc::new(Roll::new()),
            living: Living::default(),
            unmarked: Unmarked::load(conn)?,
            welcome: Welcome::default(),
            further: Further::load(conn)?,
        })
    }
}

/// People that the writer found not disabled a while ago, and where all their logins were ended last: so
/// that a sign-in reads no page of the many people's.
///
/// Only the writer reads it, and it is right because there is one writer: every change of a person's row
/// takes them out, and a transaction that is undone takes everyone out.
#[derive(Default)]
pub(super) struct Welcome(Mutex<HashMap<UserId, Option<Position>>>);

/// Whether all logins of a person were ended last no later than `since`.
pub(super) fn fits(cut: Option<Position>, since: Option<Position>) -> bool {
    since.is_none_or(|since| cut <= Some(since))
}

impl Welcome {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Option<Position>>> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the person may sign in on what was known of them at `since`. None: not remembered.
    pub(super) fn judge(&self, user: UserId, since: Option<Position>) -> Option<bool> {
        self.lock().get(&user).map(|cut| fits(*cut, since))
    }

    pub(super) fn remember(&self, user: UserId, cut: Option<Position>) {
        let mut known = self.lock();
        if known.len() >= PEOPLE {
            known.clear();
        }
        known.insert(user, cut);
    }

    pub(super) fn forget(&self, user: UserId) {
        self.lock().remove(&user);
    }

    pub(super) fn forget_all(&self) {
        self.lock().clear();
    }
}

/// The newest id among the grants that have rows of their own, or one that is newer still: so that a new
/// login, whose id is newer than these but for the few of its own moment, looks at no row of theirs to know
/// that its id is free.
///
/// It is right because there is one writer, who notes each such row before it is inserted.
pub(super) struct Further(Mutex<Option<GrantId>>);

impl Further {
    fn load(conn: &Connection) -> Work<Self> {
        let sql = "SELECT id FROM grant ORDER BY id DESC LIMIT 1";
        let newest = conn.query_row(sql, [], |row| bytes(row, 0));
        let newest = newest.optional()?.map(GrantId::from_bytes);
        Ok(Self(Mutex::new(newest)))
    }

    fn lock(&self) -> MutexGuard<'_, Option<GrantId>> {
        // Nothing under the lock panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one of them may have this id.
    pub(super) fn may_have(&self, id: GrantId) -> bool {
        Some(id) <= *self.lock()
    }

    pub(super) fn note(&self, id: GrantId) {
        let mut newest = self.lock();
        *newest = (*newest).max(Some(id));
    }
}
