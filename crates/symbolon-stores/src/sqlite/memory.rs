//! What the store keeps in memory beside the file.

use std::sync::Arc;

use rusqlite::Connection;

use super::{fault::Work, roll::Roll, unmarked::Unmarked};

/// Whose logins there are, and which have ended without a mark in their rows.
pub(super) struct Memory {
    pub(super) roll: Arc<Roll>,
    pub(super) unmarked: Unmarked,
}

impl Memory {
    /// What the file's log says. The roll names nothing yet.
    pub(super) fn load(conn: &Connection) -> Work<Self> {
        Ok(Self {
            roll: Arc::new(Roll::new()),
            unmarked: Unmarked::load(conn)?,
        })
    }
}
