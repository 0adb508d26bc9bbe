//! Which process migrates a zone. A simulated hypervisor is part of the processes that use it, so a zone that is
//! being migrated belongs to one of them. When that process has ended, in whatever way, its lock is free; other
//! processes notice that, and repair the zone.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// A user of the simulation, until this is dropped.
#[derive(Debug)]
pub(super) struct ProcessLock {
    pub id: Uuid,
    path: PathBuf,
    _lock: File,
}

fn lock_file(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("sim-{}.lock", id.simple()))
}

impl ProcessLock {
    /// A new user, with its lock file in `folder`.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        let id = Uuid::new_v4();
        let path = lock_file(folder, id);
        let lock = File::create_new(&path)?;
        lock.lock()?;
        Ok(Self { id, path, _lock: lock })
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether that user still exists. In doubt, it does.
pub(super) fn lives(folder: &Path, id: Uuid) -> bool {
    let path = lock_file(folder, id);
    match OpenOptions::new().write(true).open(&path) {
        Ok(file) => match file.try_lock() {
            Ok(()) => {
                let _ = std::fs::remove_file(&path);
                false
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => true,
        },
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_lives_until_it_is_dropped_or_loses_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = ProcessLock::new(folder.path()).unwrap();
        assert!(lives(folder.path(), keeper.id));
        let id = keeper.id;
        drop(keeper);
        assert!(!lives(folder.path(), id));
        // As after kill -9: the file exists, but is not locked.
        File::create_new(lock_file(folder.path(), id)).unwrap();
        assert!(!lives(folder.path(), id));
    }
}
