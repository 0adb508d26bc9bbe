//! What can go wrong with the database, and what to do about it.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_SHORT_READ};

use super::file_kind;

/// Why the database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its folder or file cannot be created or accessed.
    #[error("failed to create or open {path}")]
    Create { path: PathBuf, source: std::io::Error },
    /// Another process holds a lock.
    #[error("{path} is locked by another process for more than 5 s; see who has it open: fuser {path}")]
    Locked { path: PathBuf },
    /// Writing is not permitted.
    #[error("{path} is read-only; sysadm must run as root, and the file system must be writable")]
    ReadOnly { path: PathBuf },
    /// The disk is full.
    #[error("the disk is full: {path} could not be written and is as it was; free some space and repeat")]
    Full { path: PathBuf },
    /// The file contains something else.
    #[error("{path} is not a database of sysadm; move it away, or restore it from a backup")]
    NotADatabase { path: PathBuf },
    /// A later version has written it.
    #[error(
        "{path} has schema version {found}, this sysadm knows up to {known}; use the newer sysadm that wrote it"
    )]
    Newer {
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A backup does not overwrite files.
    #[error("{path} exists already; a backup overwrites nothing")]
    Exists { path: PathBuf },
    /// Its contents cannot be relied on.
    #[error(
        "{path} is damaged ({what}); keep the file: 'sysadm store recover' saves what can be read of it, or put a backup in its place"
    )]
    Damaged { path: PathBuf, what: String },
    /// The file is missing, and something shows that it existed.
    #[error("{path} is missing, though {sign}; put it back, or a backup in its place")]
    Missing {
        path: PathBuf,
        /// What shows that it existed.
        sign: String,
    },
    /// The file was removed or replaced while this process had it open.
    #[error(
        "{path} is not the file any more that this process has opened: it was removed, moved away or replaced"
    )]
    Gone { path: PathBuf },
    /// The file cannot be replaced while other processes have it open.
    #[error("{path} is in use by another process, an agent for instance; end that first: fuser {path}")]
    InUse { path: PathBuf },
    /// The record of a zone rules out that place.
    #[error(transparent)]
    Transition(#[from] super::IllegalPlace),
    /// Any other error.
    #[error("failed to {what} in {path}")]
    Query {
        path: PathBuf,
        /// What was tried.
        what: &'static str,
        source: rusqlite::Error,
    },
}

impl StoreError {
    pub(super) fn open(path: &Path, source: rusqlite::Error) -> Self {
        Self::query(path, "open the database", source)
    }

    pub(super) fn query(path: &Path, what: &'static str, source: rusqlite::Error) -> Self {
        if let rusqlite::Error::ToSqlConversionFailure(error) = &source
            && let Some(illegal) = error.downcast_ref::<super::IllegalPlace>()
        {
            return Self::Transition(illegal.clone());
        }
        let path = path.to_owned();
        if let Some(what) = damage_in(&source) {
            let is_ours = !file_kind::is_foreign(&path);
            return if is_ours { Self::Damaged { path, what } } else { Self::NotADatabase { path } };
        }
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly { path }
            }
            Some(ErrorCode::DiskFull) => Self::Full { path },
            // There is no room for the file that the processes share.
            Some(_)
                if source.sqlite_error().is_some_and(|error| error.extended_code == SQLITE_IOERR_SHMSIZE) =>
            {
                Self::Full { path }
            }
            _ => Self::Query { path, what, source },
        }
    }
}

/// What is damaged, if the error says so: SQLite itself finds damage, a table is missing, or a row contains what
/// no version writes.
fn damage_in(error: &rusqlite::Error) -> Option<String> {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnName, InvalidColumnType,
        SqlInputError, Utf8Error,
    };
    match error {
        FromSqlConversionFailure(_, _, what) => return Some(what.to_string()),
        // The queries never change, so these are not the tables that they are made for.
        SqlInputError { msg, .. } => return Some(msg.clone()),
        IntegralValueOutOfRange(..) | InvalidColumnName(_) | InvalidColumnType(..) | Utf8Error(..) => {
            return Some(error.to_string());
        }
        _ => {}
    }
    is_damage(error).then(|| error.to_string())
}

/// Whether SQLite finds the file damaged: explicitly, or by a missing table, an impossible length of a row, or a
/// page that ends prematurely.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use ErrorCode::{DatabaseCorrupt, NotADatabase, OutOfMemory, TooBig, Unknown};
    let Some(found) = error.sqlite_error() else { return false };
    found.extended_code == SQLITE_IOERR_SHORT_READ
        || matches!(found.code, NotADatabase | DatabaseCorrupt | Unknown | TooBig | OutOfMemory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_for_what_processes_share_is_a_full_disk() {
        let full = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(SQLITE_IOERR_SHMSIZE), None);
        let error = StoreError::open(Path::new("/nowhere/sysadm.db"), full);
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
    }
}
