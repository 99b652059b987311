//! Why a data directory was refused: one clear line each, with the path and the fix.

use std::{
    io,
    path::{Path, PathBuf},
};

use rusqlite::ErrorCode;
use symbolon_authority::ports::StoreError;

use crate::sqlite::fault::is_damage;

/// The data directory was refused. Nothing in it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{} is in use by another process: stop that one, or choose another data directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be read or written, or is not what its name says.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The directory or file.
        path: PathBuf,
        /// What is wrong with it, and the fix.
        why: String,
    },
    /// A newer version of this program wrote it.
    #[error("{} was written by a newer version (its schema is {found}, this program knows up to {ours}): use that version, or choose another data directory", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u32,
        /// The newest schema version that this program knows.
        ours: u32,
    },
    /// A step of its schema is not the one that this program knows by its number.
    #[error("migration {number} of {} is not the one that this program knows: it was applied by another build; use that one, or restore a backup", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The step.
        number: u32,
    },
    /// It is a SQLite file of another application.
    #[error("{} is a database of another application: choose another data directory", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Its content contradicts itself.
    #[error("{} is damaged ({why}): restore a backup; it was left as it is", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// There is no space left on its disk.
    #[error("no space left on the disk of {}: free some", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that the operating system reports.
    #[error("{}: {report}", path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What it said.
        report: io::Error,
    },
}

impl OpenError {
    pub(in crate::sqlite) fn no_access(path: &Path, reason: impl std::fmt::Display) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            why: format!(
                "cannot be read and written ({reason}): give this user access, or choose another data directory"
            ),
        }
    }

    /// Sorts what the operating system said.
    pub(in crate::sqlite) fn io(path: &Path, error: io::Error) -> Self {
        use io::ErrorKind;
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                Self::no_access(&path, error)
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => Self::Unreadable {
                path,
                why: "is not a directory: choose another data directory".to_owned(),
            },
            ErrorKind::IsADirectory => Self::Unreadable {
                path,
                why: "is a directory, not a file: choose another data directory".to_owned(),
            },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { path },
            _ => Self::Io {
                path,
                report: error,
            },
        }
    }

    pub(in crate::sqlite) fn there(path: &Path) -> Self {
        Self::Unreadable {
            path: path.to_owned(),
            why: "is there already and is never overwritten: choose another name".to_owned(),
        }
    }

    /// Sorts what SQLite said.
    pub(in crate::sqlite) fn sqlite(path: &Path, error: rusqlite::Error) -> Self {
        if is_damage(&error) {
            return Self::damaged(path, error.to_string());
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse {
                path: path.to_owned(),
            },
            Some(ErrorCode::DiskFull) => Self::Full {
                path: path.to_owned(),
            },
            Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
                Self::no_access(path, error)
            }
            _ => Self::Io {
                path: path.to_owned(),
                report: io::Error::other(error),
            },
        }
    }

    /// Sorts what reading the head said.
    pub(in crate::sqlite) fn store(path: &Path, error: StoreError) -> Self {
        match error {
            StoreError::Damaged(why) => Self::damaged(path, why),
            StoreError::Unavailable(why) => Self::Io {
                path: path.to_owned(),
                report: io::Error::other(why),
            },
        }
    }

    pub(in crate::sqlite) fn damaged(path: &Path, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}
