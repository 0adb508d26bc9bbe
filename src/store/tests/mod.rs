//! Tests of the store as a whole: old databases, and writes that fail.

mod findings;
mod fixtures;
mod outages;
pub(crate) mod sample;
mod writes;

use super::*;

/// An empty store that exists as long as its folder.
pub(crate) fn fresh() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("sysadm.db")).unwrap();
    (folder, store)
}

#[test]
fn a_reader_does_not_wait_for_a_writer() {
    let (folder, store) = fresh();
    let reader = Store::open_read_only(&folder.path().join("sysadm.db")).unwrap().unwrap();
    store
        .write("hold the lock", |_| {
            assert!(reader.away().unwrap().is_empty());
            Ok(())
        })
        .unwrap();
}
