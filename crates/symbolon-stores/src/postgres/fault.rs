//! What can go wrong while talking to the database, sorted by what can be done about it.

use deadpool_postgres::PoolError;
use symbolon_authority::ports::StoreError;
use tokio_postgres::{Error, error::SqlState};

/// The error of everything that talks to the database: `?` sorts it at the place where it happens.
#[derive(Debug)]
pub(super) enum Fault {
    /// What the server or the connection to it said.
    Database(Error),
    /// Sorted already.
    Store(StoreError),
}

/// The answer of a piece of work on the database.
pub(super) type Work<T> = Result<T, Fault>;

impl Fault {
    /// It may work again later.
    pub(super) fn unavailable(why: impl Into<String>) -> Self {
        Self::Store(StoreError::Unavailable(why.into()))
    }

    /// What is stored contradicts itself.
    pub(super) fn damaged(why: impl Into<String>) -> Self {
        Self::Store(StoreError::Damaged(why.into()))
    }

    /// The unique constraint that a row was refused by.
    pub(super) fn taken(&self) -> Option<&str> {
        match self {
            Self::Database(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                Some(error.as_db_error()?.constraint().unwrap_or(""))
            }
            _ => None,
        }
    }

    /// Whether the server refused the rows of the statement, so that it may take others, or another
    /// transaction got in their way.
    pub(super) fn is_of_the_rows(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        // Classes of codes: data and constraints.
        let class = error.code().and_then(|code| code.code().get(..2));
        is_conflict(error) || class.is_some_and(|class| ["22", "23"].contains(&class))
    }

    /// Whether the connection itself is in doubt: it is cut, on its way out, or hangs with work under way.
    pub(super) fn is_of_the_line(&self) -> bool {
        match self {
            // No code: not from the server. Classes of codes: connections, the server's own end.
            Self::Database(error) => error.code().is_none_or(|code| {
                ["08", "57"]
                    .iter()
                    .any(|class| code.code().starts_with(class))
            }),
            Self::Store(StoreError::Unavailable(_)) => true,
            Self::Store(StoreError::Damaged(_)) => false,
        }
    }

    /// For each of many who waited for one commit: the same error once more.
    pub(super) fn repeat(&self) -> StoreError {
        match self {
            Self::Database(error) => sorted(error),
            Self::Store(StoreError::Unavailable(why)) => StoreError::Unavailable(why.clone()),
            Self::Store(StoreError::Damaged(why)) => StoreError::Damaged(why.clone()),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Database(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Self {
        match error {
            PoolError::Backend(error) => Self::Database(error),
            PoolError::Timeout(_) => Self::unavailable(
                "no connection to the database got free in time: it is away, or too many wait for it",
            ),
            other => Self::unavailable(other.to_string()),
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(error) => sorted(&error),
            Fault::Store(error) => error,
        }
    }
}

fn sorted(error: &Error) -> StoreError {
    let damaged = [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED];
    match error.code() {
        Some(code) if damaged.contains(code) => StoreError::Damaged(told(error)),
        _ => StoreError::Unavailable(told(error)),
    }
}

/// The error with its cause, which `tokio_postgres` leaves out of its text.
pub(super) fn told(error: &Error) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(why) = cause {
        let why_text = why.to_string();
        if !text.contains(&why_text) {
            text = format!("{text}: {why_text}");
        }
        cause = why.source();
    }
    text
}

/// Whether another transaction got in the way, so that this one left nothing and may try again.
pub(super) fn is_conflict(error: &Error) -> bool {
    let conflicts = [
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    error.code().is_some_and(|code| conflicts.contains(code))
}
