//! What can go wrong inside the database, sorted by what the operator can do about it.

use rusqlite::ErrorCode;
use symbolon_authority::ports::StoreError;

/// The error of everything that talks to the database: `?` sorts it at the place where it happens.
#[derive(Debug)]
pub(super) struct Fault(StoreError);

/// The answer of a piece of work on the database.
pub(super) type Work<T> = Result<T, Fault>;

impl Fault {
    /// It may work again later.
    pub(super) fn unavailable(why: impl Into<String>) -> Self {
        Self(StoreError::Unavailable(why.into()))
    }

    /// What is stored contradicts itself.
    pub(super) fn damaged(why: impl Into<String>) -> Self {
        Self(StoreError::Damaged(why.into()))
    }

    /// The same error once more, for each of many who waited for one commit.
    pub(super) fn repeat(&self) -> StoreError {
        match &self.0 {
            StoreError::Unavailable(why) => StoreError::Unavailable(why.clone()),
            StoreError::Damaged(why) => StoreError::Damaged(why.clone()),
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            Self::damaged(error.to_string())
        } else {
            Self::unavailable(error.to_string())
        }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        fault.0
    }
}

/// Whether the error says that the file's content is wrong, rather than that it cannot be reached.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error;
    match error {
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        other => matches!(
            other.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

/// Whether the error says that a row with that key is there already.
pub(super) fn is_taken(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};
    error.sqlite_error().is_some_and(|error| {
        matches!(
            error.extended_code,
            SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_UNIQUE
        )
    })
}
