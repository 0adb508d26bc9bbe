//! Every write while another process holds the lock, on a full disk and on a read-only one: it fails and says
//! why, the old contents are still there, and the same write succeeds once the cause is gone.
//!
//! Full and read-only disks are real ones: the test program starts itself again in a mount namespace of its own,
//! which does not need root if users may create such namespaces. (`max_page_count` would refuse only what makes
//! the database grow, `query_only` never asks the file system.)

#[path = "../../../tests/fixtures/small_disk.rs"]
mod small_disk;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;

use self::small_disk::{fill, on_a_small_disk};
use super::sample;
use super::writes::WRITES;
use crate::store::{Store, StoreError};

/// A closed database with the sample in it.
fn seed(folder: &Path) -> PathBuf {
    let path = folder.join("seed.db");
    sample::write(&Store::open(&path).unwrap());
    path
}

/// A copy of it, without other files.
fn plant(seed: &Path, disk: &Path) -> PathBuf {
    let path = disk.join("sysadm.db");
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&path, end));
    }
    std::fs::copy(seed, &path).unwrap();
    path
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Everything is as it was, also for a process that opens the database now.
#[track_caller]
fn nothing_is_lost(path: &Path, what: &str) {
    let store = Store::open_read_only(path).unwrap().unwrap();
    assert_eq!(store.contents().unwrap(), sample::contents(), "{what}");
    assert_eq!(store.damage().unwrap(), [] as [&str; 0], "{what}");
}

/// The write works again, and changes something.
#[track_caller]
fn succeeds(write: fn(&Store) -> Result<(), StoreError>, store: &Store, what: &str) {
    write(store).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_ne!(store.contents().unwrap(), sample::contents(), "{what}");
}

#[test]
fn a_write_that_another_process_keeps_out_says_so_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let seed = seed(folder.path());
    for (what, write) in WRITES {
        let path = plant(&seed, folder.path());
        let store = Store::open_within(&path, Duration::ZERO).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = write(&store);
        assert!(matches!(refused, Err(StoreError::Locked { .. })), "{what}: {refused:?}");
        nothing_is_lost(&path, what);
        drop(other);
        succeeds(*write, &store, what);
    }
}

#[test]
fn an_upgrade_that_another_process_keeps_out_says_so_and_is_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sysadm.db");
    let other = Connection::open(&path).unwrap();
    crate::store::write_ahead(&other).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = Store::open_within(&path, Duration::ZERO);
    assert!(matches!(refused, Err(StoreError::Locked { .. })), "{refused:?}");
    drop(other);
    sample::write(&Store::open(&path).unwrap());
    nothing_is_lost(&path, "upgrade");
}

#[test]
fn a_write_on_a_full_disk_says_so_and_loses_nothing() {
    let Some(disk) = on_a_small_disk(module_path!(), "a_write_on_a_full_disk_says_so_and_loses_nothing")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let seed = seed(folder.path());
    for (what, write) in WRITES {
        let path = plant(&seed, &disk);
        let store = Store::open(&path).unwrap();
        let filler = fill(&disk);
        let refused = write(&store);
        assert!(matches!(refused, Err(StoreError::Full { .. })), "{what}: {refused:?}");
        assert_eq!(store.contents().unwrap(), sample::contents(), "{what}");
        nothing_is_lost(&path, what);
        std::fs::remove_file(filler).unwrap();
        succeeds(*write, &store, what);
    }
}

#[test]
fn a_database_that_cannot_be_made_on_a_full_disk_is_made_later() {
    let Some(disk) =
        on_a_small_disk(module_path!(), "a_database_that_cannot_be_made_on_a_full_disk_is_made_later")
    else {
        return;
    };
    let path = disk.join("sysadm.db");
    let filler = fill(&disk);
    let refused = Store::open(&path);
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    std::fs::remove_file(filler).unwrap();
    sample::write(&Store::open(&path).unwrap());
    nothing_is_lost(&path, "made later");
}

#[test]
fn a_backup_on_a_full_disk_says_so_and_leaves_nothing_behind() {
    let Some(disk) =
        on_a_small_disk(module_path!(), "a_backup_on_a_full_disk_says_so_and_leaves_nothing_behind")
    else {
        return;
    };
    let (_folder, store) = super::fresh();
    sample::write(&store);
    let filler = fill(&disk);
    let refused = store.backup(&disk.join("copy"));
    assert!(matches!(refused, Err(StoreError::Full { .. })), "{refused:?}");
    std::fs::remove_file(filler).unwrap();
    assert_eq!(std::fs::read_dir(&disk).unwrap().count(), 0);
    store.backup(&disk.join("copy")).unwrap();
}

fn remount(disk: &Path, mode: &str) {
    let option = format!("remount,{mode}");
    let status = Command::new("mount").args(["-o", &option]).arg(disk).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_write_on_a_read_only_disk_says_so_and_loses_nothing() {
    let Some(disk) = on_a_small_disk(module_path!(), "a_write_on_a_read_only_disk_says_so_and_loses_nothing")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let seed = seed(folder.path());
    for (what, write) in WRITES {
        // Closed properly, and as a crash leaves it: with all of its rows in the journal beside it.
        for crashed in [false, true] {
            let path = plant(&seed, &disk);
            if crashed {
                plant_crashed(folder.path(), &path);
            }
            remount(&disk, "ro");
            let refused = Store::open(&path).and_then(|store| write(&store));
            assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{what}: {refused:?}");
            nothing_is_lost(&path, what);
            remount(&disk, "rw");
            succeeds(*write, &Store::open(&path).unwrap(), what);
        }
    }
}

/// Puts the files of a database in its place that was never closed.
fn plant_crashed(folder: &Path, path: &Path) {
    let living = folder.join("living.db");
    let store = Store::open(&living).unwrap();
    if store.contents().unwrap().runs.is_empty() {
        sample::write(&store);
    }
    for end in ["", "-wal", "-shm"] {
        std::fs::copy(beside(&living, end), beside(path, end)).unwrap();
    }
    drop(store);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&living, end));
    }
}
