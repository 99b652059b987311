//! The ports of the authority on memory, on SQLite, on PostgreSQL, and with logins in Redis.
//!
//! [`Memory`] is the reference: one struct behind one mutex, gone with the process, for tests.
//! [`Sqlite`] is the embedded default: one file in a data directory, one writer thread that commits
//! many waiting requests at once and answers each only after they are on disk. [`Postgres`] is one
//! database that many nodes share. [`Redis`] holds logins, the log, counters and once-values, and [`Bridged`]
//! puts it beside an SQL store for the rest. All pass the same conformance suite
//! (`tests/conformance`).
//!
//! Stores hold no rules: they call the pure functions of `symbolon-login` inside their transaction
//! and decide races.

mod bounded_counters;
mod bridged;
mod memory;
mod migration;
mod postgres;
mod redis;
mod room;
mod sqlite;
mod touches;
pub mod transfer;

use symbolon_authority::ports::StoreError;

pub use bridged::Bridged;
pub use memory::Memory;
pub use migration::Migration;
pub use postgres::{ConnectError as PostgresError, Moment, Postgres};
pub use redis::{ConnectError as RedisError, Durability, Redis, UnknownDurability};
pub use sqlite::{
    OpenError, Restored, RestoredLogins, Sqlite, Statistics, back_up, pending_migrations, restore,
};

/// An id that is in use is never overwritten (session fixation, tower-sessions before 0.12): whoever
/// made it has to make another.
fn in_use(what: &str) -> StoreError {
    StoreError::Unavailable(format!("that {what} is in use; nothing was written"))
}
