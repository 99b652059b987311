//! Why a database was refused: one clear line each, with the cause and the fix.

use tokio_postgres::{Error, error::SqlState};

use super::fault::{Fault, told};

/// The database was refused. Nothing in it was changed, unless the error says so.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL says something that this program does not understand.
    #[error("the URL of the database: {0}")]
    Url(String),
    /// The file of certificate authorities, or the system's, cannot be used.
    #[error("the certificate authorities for the database: {0}")]
    Roots(String),
    /// No server answers there, or TLS with it fails.
    #[error(
        "the database cannot be reached ({0}): start it, or correct host, port and sslmode in its URL"
    )]
    Unreachable(String),
    /// The server lets this user not in.
    #[error("the database refuses the user ({0}): correct user and password in its URL")]
    Refused(String),
    /// The server has no such database.
    #[error("{0}: create the database, or correct its name in the URL")]
    Missing(String),
    /// The server is too old.
    #[error("the database server is PostgreSQL {found}: use 15 or later")]
    OldServer {
        /// What it calls itself.
        found: String,
    },
    /// It acknowledges what is not on disk.
    #[error(
        "the database has synchronous_commit off, so that a crash can lose acknowledged ends: switch it on for this database"
    )]
    NotDurable,
    /// A newer version of this program was here.
    #[error(
        "the database was brought up to date by a newer version (migration {found}, this program knows up to {ours}): use that version, or another database"
    )]
    Newer {
        /// The newest applied migration.
        found: u32,
        /// The newest migration that this program knows.
        ours: u32,
    },
    /// An applied migration is not the one that this program knows by its number.
    #[error(
        "migration {number} of the database is not the one that this program knows: it was applied by another build; use that one, or another database"
    )]
    Changed {
        /// Its number.
        number: u32,
    },
    /// Anything else that the server reports.
    #[error("the database: {0}")]
    Server(String),
}

impl From<Error> for ConnectError {
    fn from(error: Error) -> Self {
        let why = told(&error);
        match error.code() {
            Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
                Self::Refused(why)
            }
            Some(&SqlState::INVALID_CATALOG_NAME) => Self::Missing(why),
            Some(_) => Self::Server(why),
            None => Self::Unreachable(why),
        }
    }
}

impl From<Fault> for ConnectError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Database(error) => error.into(),
            Fault::Store(error) => Self::Server(error.to_string()),
        }
    }
}
