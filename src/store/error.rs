//! What can go wrong with the database, and what to do about it.

use crate::model::Hinted;
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
    #[error("{path} has been locked by another process for more than 5 s")]
    Locked { path: PathBuf },
    /// Writing is not permitted.
    #[error("{path} is read-only")]
    ReadOnly { path: PathBuf },
    /// The disk is full.
    #[error("the disk is full: {path} could not be written and is unchanged")]
    Full { path: PathBuf },
    /// The file contains something else.
    #[error("{path} is not a database of sysadm")]
    NotADatabase { path: PathBuf },
    /// A later version has written it.
    #[error("{path} has schema version {found}, this sysadm knows up to {known}")]
    Newer {
        path: PathBuf,
        /// The file's schema version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// A backup does not overwrite files.
    #[error("{path} already exists; a backup overwrites nothing")]
    Exists { path: PathBuf },
    /// Its contents cannot be relied on.
    #[error("{path} is damaged: {what}")]
    Damaged { path: PathBuf, what: String },
    /// The file is missing, and something shows that it existed.
    #[error("{path} is missing, though {sign}")]
    Missing {
        path: PathBuf,
        /// What shows that it existed.
        sign: String,
        /// The file that shows it, if it is one.
        leftover: Option<PathBuf>,
    },
    /// The file was removed or replaced while this process had it open.
    #[error("{path} is no longer the file that this process opened: it was removed, moved or replaced")]
    Gone { path: PathBuf },
    /// The file cannot be replaced while other processes have it open.
    #[error("{path} is in use by another process")]
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

impl Hinted for StoreError {
    fn hints(&self) -> Vec<String> {
        const RESTORE: &str = "restore a backup: see 'sysadm store backup --help'";
        let hint = match self {
            Self::Locked { path } => {
                format!("find out which process has it open: fuser {path}", path = path.display())
            }
            Self::Create { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                "run sysadm as root".to_owned()
            }
            Self::ReadOnly { .. } => "run sysadm as root, on a file system that is writable".to_owned(),
            Self::Full { .. } => "free some space and repeat".to_owned(),
            Self::NotADatabase { .. } => {
                let start_over = "to start with an empty database, if no other host has a zone of this one: \
                                  move the file away";
                return vec![RESTORE.to_owned(), start_over.to_owned()];
            }
            Self::Newer { .. } => "use the newer sysadm that wrote it".to_owned(),
            Self::Damaged { .. } => RECOVER.to_owned(),
            Self::Missing { leftover, .. } => {
                let start_over = |leftover: &PathBuf| {
                    format!(
                        "to start with an empty database, if no other host has a zone of this one: rm {}",
                        leftover.display()
                    )
                };
                let put_back = format!("put the file back, or {RESTORE}");
                return std::iter::once(put_back).chain(leftover.iter().map(start_over)).collect();
            }
            Self::InUse { path } => format!(
                "stop that process first (an agent, for instance): fuser {path}",
                path = path.display()
            ),
            Self::Create { .. }
            | Self::Exists { .. }
            | Self::Gone { .. }
            | Self::Transition(_)
            | Self::Query { .. } => return Vec::new(),
        };
        vec![hint]
    }
}

/// What can be done about a database that is damaged.
pub(super) const RECOVER: &str =
    "keep the file, and run 'sysadm store recover' to save what can be read of it, or restore a backup";

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
