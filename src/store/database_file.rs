//! The files of a database: whether there is one, how a new one is made, and which process has it open.

use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use super::{BUSY, NO_MUTEX, StoreError, backup, schema};

/// Device and inode of a file.
pub(super) type Inode = (u64, u64);

pub(super) fn inode(path: &Path) -> Option<Inode> {
    path.metadata().ok().map(|about| (about.dev(), about.ino()))
}

/// Whether there is a file at that path. A dangling symbolic link or an empty file was a database once.
pub(super) fn is_there(path: &Path) -> Result<bool, StoreError> {
    let failed = |source| StoreError::Create { path: path.to_owned(), source };
    match path.symlink_metadata() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        about => about.map_err(failed)?,
    };
    must_be_file(path).map_err(failed)?;
    if path.metadata().map_err(failed)?.len() == 0 {
        return Err(StoreError::Damaged { path: path.to_owned(), what: "it is empty".to_owned() });
    }
    Ok(true)
}

/// Creates a database, which gets its name when it is complete. Another process may create it at the same time.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let failed = |source| StoreError::Create { path: path.to_owned(), source };
    prepare_folder(path).map_err(failed)?;
    let draft = backup::ScratchFolder::new(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full { path: path.to_owned() },
        _ => failed(source),
    })?;
    let connection = Connection::open_with_flags(draft.file(), OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX)
        .map_err(|source| StoreError::open(path, source))?;
    schema::upgrade(&connection, path)?;
    connection.close().map_err(|(_, source)| StoreError::open(path, source))?;
    match draft.put(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error)),
        _ => Ok(()),
    }
}

/// Switches the write-ahead journal on. SQLite does not wait for other processes that do the same to a new
/// database at the same moment, whatever the busy timeout: two that have each read the file and want to write it
/// would wait for ever.
pub(crate) fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY;
    loop {
        match connection.query_row("PRAGMA journal_mode=WAL", [], |_| Ok(())) {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                #[expect(clippy::disallowed_methods, reason = "an instant, as SQLite itself waits")]
                std::thread::sleep(Duration::from_millis(2));
            }
            result => return result,
        }
    }
}

/// Whether there is a journal beside the database, with changes that are not in it yet.
pub(super) fn has_journal(path: &Path) -> bool {
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    std::fs::metadata(journal).is_ok_and(|about| about.len() > 0)
}

/// The URI by which SQLite reads a file that no process changes.
pub(super) fn immutable(path: &Path) -> PathBuf {
    let name = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{name}?immutable=1").into()
}

/// Creates the folder (0700) if it is missing.
fn prepare_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.is_dir() => crate::folder::make(folder, 0o700),
        _ => Ok(()),
    }
}

/// Creates the folder and the file (0600) if they are missing.
pub(crate) fn prepare_file(path: &Path) -> std::io::Result<()> {
    prepare_folder(path)?;
    match std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => must_be_file(path),
        Err(error) => Err(error),
    }
}

/// SQLite's own error for a folder is not helpful.
fn must_be_file(path: &Path) -> std::io::Result<()> {
    if path.metadata()?.is_file() { Ok(()) } else { Err(std::io::Error::other("it is not a file")) }
}
