//! Every page of a database zeroed in turn, the file truncated at every page, garbage: nothing is read wrongly,
//! nothing is taken for another program's file, and everything on other pages is saved.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::Step;
use crate::store::tests::sample;
use crate::store::{Contents, Mark, Move, MoveState, Place};

const PAGE: usize = 4096;

/// A database of many pages: long configurations, and enough rows for trees with more than one level.
fn written(store: &Store) {
    sample::write(store);
    for n in 0..40 {
        let zone = format!("zone{n:02}");
        let (row, mut manifest) =
            (sample::record(&zone, 1000 + n, Place::Away), sample::manifest_of(&zone, 1000 + n));
        // Some on more than one page of their own.
        manifest.config = format!("<!-- {} -->", "long ".repeat(if n % 8 == 0 { 2000 } else { 50 }));
        sample::begin(store, &row, &manifest);
        let dest = row.location.clone();
        let a_move = Move { state: MoveState::Evacuated, dest, ..Move::new(row.zone.clone()) };
        store.save_moves(1, &[a_move]).unwrap();
        for mark in [Mark::Intent, Mark::Done] {
            store.log_step(1, &sample::entry(row.zone.as_str(), Step::Settle, mark)).unwrap();
        }
    }
}

/// The bytes of a database, and its contents.
fn database() -> (Vec<u8>, Contents) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sysadm.db");
    let store = Store::open(&path).unwrap();
    written(&store);
    let contents = store.contents().unwrap();
    drop(store);
    (std::fs::read(&path).unwrap(), contents)
}

fn plant(folder: &Path, bytes: &[u8]) -> PathBuf {
    for entry in std::fs::read_dir(folder).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let path = folder.join("sysadm.db");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Whether it is read correctly; otherwise it must be reported as damaged.
#[track_caller]
fn read(path: &Path, contents: &Contents, what: &str) -> bool {
    let opened = Store::open_read_only(path).map(Option::unwrap).and_then(|store| store.contents());
    let written = Store::open(path).and_then(|store| store.contents());
    let mut right = true;
    for result in [opened, written] {
        match result {
            Ok(found) => assert_eq!(found, *contents, "{what}"),
            Err(StoreError::Damaged { .. }) => right = false,
            Err(error) => panic!("{what}: {}", crate::model::chain(&error)),
        }
    }
    right
}

fn zones(contents: &Contents) -> BTreeSet<String> {
    let away = contents.zones.iter().filter(|(record, _)| record.place.is_elsewhere());
    away.map(|(record, _)| record.zone.to_string()).collect()
}

/// All rows, a line each.
fn lines(contents: &Contents) -> BTreeSet<String> {
    let targets = contents.targets.iter().map(|row| format!("{row:?}"));
    let runs = contents.runs.iter().map(|row| format!("{row:?}"));
    let moves = contents.moves.iter().map(|row| format!("{row:?}"));
    let journal = contents.journal.iter().map(|row| format!("{row:?}"));
    let zones = contents.zones.iter().map(|row| format!("{row:?}"));
    let held_replicas = contents.held_replicas.iter().map(|row| format!("{row:?}"));
    targets.chain(runs).chain(moves).chain(journal).chain(zones).chain(held_replicas).collect()
}

/// Recovers it: the result is intact, contains nothing that was not there before, and every zone that is away and
/// missing is reported. Returns the number of lines about losses.
#[track_caller]
fn recovers(path: &Path, before: &[u8], contents: &Contents, what: &str) -> usize {
    let Some(recovered) = recover(path).unwrap_or_else(|error| panic!("{what}: {error}")) else { return 0 };
    assert_eq!(std::fs::read(&recovered.kept).unwrap(), before, "{what}");
    let store = Store::open(path).unwrap();
    assert_eq!(store.damage().unwrap(), [] as [&str; 0], "{what}");
    let found = store.contents().unwrap();
    let told = recovered.lost.join("\n");
    for zone in zones(contents).difference(&zones(&found)) {
        assert!(told.contains(zone.as_str()), "{what}: of {zone} nothing is said: {told}");
    }
    let made_up: Vec<_> = lines(&found).difference(&lines(contents)).cloned().collect();
    assert!(made_up.iter().all(|line| line.contains("\"lost\"")), "{what}: {made_up:?}");
    let missing = lines(contents).len() - (lines(&found).len() - made_up.len());
    assert!(missing == 0 || !recovered.lost.is_empty(), "{what}: {missing} rows are lost without a word");
    missing
}

#[test]
fn whichever_page_is_zeroed_the_rest_is_read_right_or_saved() {
    let (bytes, contents) = database();
    let folder = tempfile::tempdir().unwrap();
    let pages = bytes.len() / PAGE;
    assert!(pages > 40, "{pages}");
    let mut damaged = 0;
    for page in 0..pages {
        let what = format!("page {}", page + 1);
        let mut bytes = bytes.clone();
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        let right = read(&plant(folder.path(), &bytes), &contents, &what);
        damaged += usize::from(!right);
        let path = plant(folder.path(), &bytes);
        let missing = recovers(&path, &bytes, &contents, &what);
        assert!(missing <= 100, "{what}: {missing} rows for one page");
    }
    assert!(damaged > pages / 2, "{damaged}");
}

#[test]
fn wherever_the_file_is_cut_what_is_left_is_saved() {
    let (bytes, contents) = database();
    let folder = tempfile::tempdir().unwrap();
    for page in 0..bytes.len() / PAGE {
        for length in [page * PAGE, page * PAGE + 100, page * PAGE + PAGE / 2] {
            let what = format!("cut at {length}");
            let path = plant(folder.path(), &bytes[..length]);
            assert!(!read(&path, &contents, &what), "{what}: it is read as if it were whole");
            let path = plant(folder.path(), &bytes[..length]);
            let recovered = recover(&path).unwrap().unwrap();
            assert!(!recovered.lost.is_empty(), "{what}");
            let store = Store::open(&path).unwrap();
            assert_eq!(store.damage().unwrap(), [] as [&str; 0], "{what}");
            let found = lines(&store.contents().unwrap());
            assert!(found.difference(&lines(&contents)).all(|line| line.contains("\"lost\"")), "{what}");
        }
    }
}

#[test]
fn what_is_not_damaged_is_left_alone_and_what_is_no_database_is_not_touched() {
    let (bytes, contents) = database();
    let folder = tempfile::tempdir().unwrap();
    let path = plant(folder.path(), &bytes);
    assert_eq!(recover(&path).unwrap(), None);
    assert_eq!(Store::open(&path).unwrap().contents().unwrap(), contents);
    let path = plant(folder.path(), "dear grandmother, ".repeat(1000).as_bytes());
    assert!(matches!(recover(&path), Err(StoreError::NotADatabase { .. })));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_only_in_the_journal_is_saved_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sysadm.db");
    let store = Store::open(&path).unwrap();
    written(&store);
    let contents = store.contents().unwrap();
    let (mut bytes, journal) = (std::fs::read(&path).unwrap(), std::fs::read(beside(&path, "-wal")).unwrap());
    assert!(journal.len() > 10 * PAGE);
    drop(store);
    // As after a crash in which the file was overwritten, too, and the journal was truncated in the middle of a
    // change.
    bytes.fill(0);
    let elsewhere = tempfile::tempdir().unwrap();
    let path = plant(elsewhere.path(), &bytes);
    std::fs::write(beside(&path, "-wal"), [&journal[..], &[7; 5000]].concat()).unwrap();
    // SQLite itself may succeed.
    if let Some(recovered) = recover(&path).unwrap() {
        assert_eq!(std::fs::read(beside(&recovered.kept, "-wal")).unwrap()[..journal.len()], journal);
    }
    let found = Store::open(&path).unwrap().contents().unwrap();
    assert!(zones(&found).len() >= zones(&contents).len() - 5, "{:?}", zones(&found));
}

#[test]
fn a_second_damaged_file_does_not_replace_the_first() {
    let (bytes, _) = database();
    let folder = tempfile::tempdir().unwrap();
    let path = plant(folder.path(), &bytes[..PAGE]);
    for (round, name) in ["sysadm.db.damaged", "sysadm.db.damaged-2"].into_iter().enumerate() {
        std::fs::write(&path, &bytes[..PAGE * (round + 1)]).unwrap();
        assert_eq!(recover(&path).unwrap().unwrap().kept.file_name().unwrap(), name);
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap().len(), PAGE * (round + 1));
    }
}

#[test]
fn a_row_that_no_sysadm_can_read_is_named_and_left_out() {
    let (bytes, contents) = database();
    let folder = tempfile::tempdir().unwrap();
    let path = plant(folder.path(), &bytes);
    let sql = "PRAGMA ignore_check_constraints=1; UPDATE zone SET manifest = '{' WHERE name = 'gone';
        UPDATE zone SET relocating_to = 'ssh://h9' WHERE name = 'web'; UPDATE move SET state = 'LOST' WHERE zone = 'zz';";
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let recovered = recover(&path).unwrap().unwrap();
    let told = recovered.lost.join("\n");
    for words in [
        "zone: web, ",
        "ssh://root@h2: only its relocating_to, which contradicts",
        "zone: gone, ",
        "move: 1, zz: ",
    ] {
        assert!(told.contains(words), "{told}");
    }
    let found = Store::open(&path).unwrap().contents().unwrap();
    assert_eq!(zones(&found).len(), zones(&contents).len() - 1);
    let web =
        |contents: &Contents| contents.zones.iter().find(|(row, _)| row.zone.as_str() == "web").cloned();
    assert_eq!(web(&found), web(&contents));
}

#[test]
fn every_table_has_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("sysadm.db")).unwrap();
    let tables = Table::all(&store.lock()).unwrap();
    let names: BTreeSet<_> = tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, READERS.iter().map(|(name, _)| *name).collect());
}

#[test]
fn all_is_saved_without_the_schema() {
    let (mut bytes, contents) = database();
    let folder = tempfile::tempdir().unwrap();
    // The first page, and every page with a part of the schema.
    let has_schema = |page: &[u8]| page.windows(13).any(|window| window == b"CREATE TABLE ");
    let schema: Vec<_> = (0..bytes.len() / PAGE)
        .filter(|page| *page == 0 || has_schema(&bytes[page * PAGE..(page + 1) * PAGE]))
        .collect();
    for page in schema {
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
    }
    let path = plant(folder.path(), &bytes);
    let recovered = recover(&path).unwrap().unwrap();
    let found = Store::open(&path).unwrap().contents().unwrap();
    assert_eq!(found, contents, "{:?}", recovered.lost);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn garbage_anywhere_is_never_taken_for_a_foreign_file(
        places in proptest::collection::vec((0.0..1.0f64, proptest::collection::vec(any::<u8>(), 1..5000)), 1..6),
    ) {
        static DATABASE: std::sync::OnceLock<(Vec<u8>, Contents)> = std::sync::OnceLock::new();
        let (bytes, _) = DATABASE.get_or_init(database);
        let mut bytes = bytes.clone();
        for (place, garbage) in places {
            let start = (place * (bytes.len() - garbage.len()) as f64) as usize;
            bytes[start..start + garbage.len()].copy_from_slice(&garbage);
        }
        let folder = tempfile::tempdir().unwrap();
        let path = plant(folder.path(), &bytes);
        let results = [Store::open_read_only(&path).map(drop), Store::open(&path).and_then(|s| s.contents()).map(drop)];
        for result in results {
            let is_expected = matches!(
                result,
                Ok(()) | Err(StoreError::Damaged { .. } | StoreError::Newer { .. } | StoreError::ReadOnly { .. })
            );
            prop_assert!(is_expected, "{:?}", result);
        }
        let path = plant(folder.path(), &bytes);
        match recover(&path) {
            Ok(_) => prop_assert!(Store::open(&path).unwrap().contents().is_ok()),
            Err(StoreError::Newer { .. } | StoreError::ReadOnly { .. }) => {}
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn nothing_but_garbage_is_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20_000)) {
        let folder = tempfile::tempdir().unwrap();
        let path = plant(folder.path(), &bytes);
        prop_assert!(Store::open(&path).is_err());
        let path = plant(folder.path(), &[&super::super::file_kind::MAGIC[..], &bytes].concat());
        let _ = recover(&path);
        let image = Image::new(&bytes, &bytes);
        let _ = search(&image, &[]);
    }
}

#[test]
fn pages_that_only_the_header_claims_are_lost_as_one_range() {
    let (mut bytes, _) = database();
    let pages = bytes.len() / PAGE;
    bytes[28..32].copy_from_slice(&(1_u32 << 20).to_be_bytes());
    let found = search(&Image::new(&bytes, &[]), &[]);
    let text =
        format!("pages {}-1048576 of the file cannot be read; its former contents are unknown", pages + 1);
    assert_eq!(found.lost.last(), Some(&(None, text)));
}

#[test]
fn cells_that_claim_the_same_bytes_are_not_read_again_and_again() {
    let mut page = vec![0; 2 * PAGE];
    let at = PAGE + 1000;
    page[PAGE] = 13;
    page[PAGE + 4] = 100;
    for cell in 0..100 {
        page[PAGE + 8 + 2 * cell..][..2].copy_from_slice(&1000_u16.to_be_bytes());
    }
    // 3000 bytes in row 1, and a header of two bytes for one blob.
    page[at..at + 6].copy_from_slice(&[0x97, 0x38, 1, 3, 0xae, 0x68]);
    let image = Image::new(&page, &[]);
    let records = tree::BtreePage::of(&image, 2).unwrap().records(&mut BTreeSet::new());
    assert_eq!(records.len(), 100);
    assert_eq!(records.iter().flatten().count(), 1);
}
