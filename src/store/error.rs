//! What can go wrong with the database, in words that say what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its folder or file cannot be made or looked at.
    #[error("failed to create or open {path}")]
    Create {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process holds it.
    #[error("{path} is locked by another process for more than 5 s; see who has it open: fuser {path}")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// No right to write.
    #[error("{path} is read-only; sysadm must run as root, and the file system must be writable")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// No room.
    #[error("the disk is full: {path} could not be written and is as it was; free some space and repeat")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// Something else is in the file.
    #[error("{path} is not a database of sysadm; move it away, or restore it from a backup")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A later sysadm has written it.
    #[error(
        "{path} has schema version {found}, this sysadm knows up to {known}; use the newer sysadm that wrote it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// A backup overwrites nothing.
    #[error("{path} exists already; a backup overwrites nothing")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// What is in it cannot be relied on.
    #[error("{path} is damaged ({what}) and was not copied; 'sysadm store check' tells all")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        what: String,
    },
    /// Anything else.
    #[error("failed to {what} in {path}")]
    Query {
        /// The file.
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: rusqlite::Error,
    },
}

impl StoreError {
    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        Self::query(path, "open the database", source)
    }

    pub(super) fn query(path: &Path, what: &'static str, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::NotADatabase { path },
            _ => Self::Query { path, what, source },
        }
    }
}
