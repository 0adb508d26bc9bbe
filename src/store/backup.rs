//! A copy of the database in one file, made while others read and write it.
//!
//! The copy is made in a folder of its own beside the requested file, and gets its final name when it is
//! complete, checked and synced. So a file with that name is always a whole backup.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::{NO_MUTEX, Store, StoreError, integrity};
use crate::file;

impl Store {
    /// Copies the database as it is now into a new file (0600).
    ///
    /// # Errors
    /// [`StoreError`] names the file that it is about; `file` does not exist then.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        if file.symlink_metadata().is_ok() {
            return Err(StoreError::Exists { path: file.to_owned() });
        }
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::AlreadyExists => StoreError::Exists { path: file.to_owned() },
            _ => StoreError::Create { path: file.to_owned(), source },
        };
        let draft = ScratchFolder::new(file).map_err(failed)?;
        copy(&self.lock(), &self.path, &draft.file(), file)?;
        draft.put(file).map_err(failed)
    }
}

/// Keeps a copy of the database beside it, before it is upgraded to that version.
pub(super) fn keep_before(path: &Path, version: i64) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-v{version}"));
    let file = PathBuf::from(name);
    let failed = |source| StoreError::Create { path: file.clone(), source };
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | NO_MUTEX)
        .map_err(|source| StoreError::open(path, source))?;
    let draft = ScratchFolder::new(&file).map_err(failed)?;
    copy(&database, path, &draft.file(), &file)?;
    draft.replace(&file).map_err(failed)
}

/// Copies the database at `path` into an unfinished `file`.
fn copy(database: &Connection, path: &Path, draft: &Path, file: &Path) -> Result<(), StoreError> {
    let failed = |source: rusqlite::Error| {
        let ours = source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
        StoreError::query(if ours { path } else { file }, "copy the database", source)
    };
    let mut copy =
        Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX).map_err(failed)?;
    // It is synced as a whole later.
    copy.execute_batch("PRAGMA synchronous=OFF").map_err(failed)?;
    if copy_pages(database, &mut copy).map_err(failed)? != StepResult::Done {
        return Err(StoreError::Locked { path: path.to_owned() });
    }
    if let Some(what) = integrity::damage(&copy).map_err(failed)?.into_iter().next() {
        return Err(StoreError::Damaged { path: path.to_owned(), what });
    }
    // The copy is a single file: it can be read where nothing can be written beside it.
    copy.query_row("PRAGMA journal_mode=DELETE", [], |_| Ok(())).map_err(failed)?;
    copy.close().map_err(|(_, source)| failed(source))
}

/// Copies everything in one step: with a write-ahead journal a reader does not block writers, and what it reads
/// does not change however long it takes.
pub(super) fn copy_pages(from: &Connection, to: &mut Connection) -> rusqlite::Result<StepResult> {
    Backup::new(from, to)?.step(-1)
}

/// The damage in a database that is opened for reading: looks at a copy of it in memory, which may be written.
pub(super) fn damage_of_copy(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let copied = || {
        let mut copy = Connection::open_in_memory()?;
        match copy_pages(connection, &mut copy)? {
            StepResult::Done => integrity::damage(&copy),
            _ => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_BUSY), None)),
        }
    };
    integrity::or_damage(copied())
}

/// The folder of an unfinished database, which is removed with everything that SQLite has put in it.
pub(super) struct ScratchFolder(PathBuf);

impl ScratchFolder {
    /// A folder for that file, with an empty database in it.
    pub fn new(file: &Path) -> io::Result<Self> {
        let folder = file::beside(file);
        DirBuilder::new().mode(0o700).create(&folder)?;
        let draft = Self(folder);
        file::create(&draft.file(), [], 0o600)?;
        Ok(draft)
    }

    /// The file that SQLite writes.
    pub fn file(&self) -> PathBuf {
        self.0.join("copy")
    }

    /// Gives the finished database its name, unless that exists.
    pub fn put(self, file: &Path) -> io::Result<()> {
        File::open(self.file())?.sync_all()?;
        file::name_new(&self.file(), file)
    }

    /// Gives the finished database its name, replacing an existing file.
    pub fn replace(self, file: &Path) -> io::Result<()> {
        File::open(self.file())?.sync_all()?;
        fs::rename(self.file(), file)?;
        file::sync_folder(file)
    }
}

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::store::tests::{fresh, sample};

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_copy_is_one_private_file_with_everything_in_it() {
        let (_folder, store) = fresh();
        sample::write(&store);
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("copy of 100%?.db");
        store.backup(&file).unwrap();
        assert_eq!(names(place.path()), ["copy of 100%?.db"]);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&file).unwrap()[18..20], [1, 1], "it needs no journal beside it");
        let copy = Store::open_read_only(&file).unwrap().unwrap();
        assert_eq!(copy.contents().unwrap(), sample::contents());
        assert_eq!(copy.damage().unwrap(), [] as [&str; 0]);
        drop(copy);
        assert_eq!(names(place.path()), ["copy of 100%?.db"]);
        assert_eq!(Store::open(&file).unwrap().contents().unwrap(), sample::contents(), "put back");
    }

    #[test]
    fn nothing_is_ever_overwritten() {
        let (folder, store) = fresh();
        let file = folder.path().join("letter");
        fs::write(&file, "dear grandmother").unwrap();
        let error = store.backup(&file).unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error}");
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "dear grandmother");
        // A file that appears while the copy is made.
        let draft = ScratchFolder::new(&file).unwrap();
        assert_eq!(draft.put(&file).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "dear grandmother");
    }

    #[test]
    fn what_others_write_meanwhile_neither_stops_it_nor_waits_for_it() {
        let (folder, store) = fresh();
        sample::write(&store);
        let reader = Store::open_read_only(store.path()).unwrap().unwrap();
        let file = folder.path().join("copy");
        store
            .write("hold the lock", |transaction| {
                transaction.execute("DELETE FROM target", [])?;
                reader.backup(&file).unwrap();
                Ok(())
            })
            .unwrap();
        let copy = Store::open_read_only(&file).unwrap().unwrap();
        assert_eq!(copy.contents().unwrap(), sample::contents(), "what was not committed is not in it");
    }

    #[test]
    fn a_damaged_database_makes_no_backup() {
        let (folder, store) = fresh();
        sample::write(&store);
        let orphan = "PRAGMA foreign_keys=OFF; DELETE FROM run WHERE id = 1; PRAGMA foreign_keys=ON;";
        store.lock().execute_batch(orphan).unwrap();
        let file = folder.path().join("copy");
        let error = store.backup(&file).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(names(folder.path()), ["sysadm.db", "sysadm.db-shm", "sysadm.db-wal"]);
    }
}
