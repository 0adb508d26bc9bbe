//! Databases that earlier versions of this program have written, kept as text: a reviewer sees what they contain,
//! and a difference between two of them is a difference between two versions.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::sample;
use crate::store::{Contents, Store, StoreError, schema};

fn fixture(version: i64) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/store/v{version}.sql"))
}

/// What the present program must read from the fixture of that version.
fn expected(version: i64) -> Contents {
    match version {
        1 => sample::contents(),
        _ => panic!("say here what v{version}.sql holds"),
    }
}

/// A database as that version has left it.
fn old(version: i64, folder: &Path) -> PathBuf {
    let path = folder.join("sysadm.db");
    let text = std::fs::read_to_string(fixture(version)).unwrap();
    let connection = Connection::open(&path).unwrap();
    crate::store::write_ahead(&connection).unwrap();
    connection.execute_batch(&text).unwrap();
    path
}

/// A whole database as text from which it can be created again.
fn dump(connection: &Connection) -> String {
    let lines = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut text = "BEGIN;\n".to_owned();
    for sql in lines("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid") {
        let _ = writeln!(text, "{sql};");
    }
    for table in lines("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid") {
        let columns = lines(&format!("SELECT 'quote(' || name || ')' FROM pragma_table_info('{table}')"));
        for values in lines(&format!("SELECT {} FROM {table} ORDER BY rowid", columns.join(" || ', ' || "))) {
            let _ = writeln!(text, "INSERT INTO {table} VALUES ({values});");
        }
    }
    let _ = writeln!(text, "PRAGMA user_version = {};\nCOMMIT;", schema::known());
    text
}

/// Every table and index, word for word. (A released script is never edited, not even its comments.)
fn shape(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare("SELECT type || ' ' || name || ': ' || ifnull(sql, '') FROM sqlite_schema ORDER BY 1")
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_version_of_the_schema_has_a_fixture() {
    let newest = fixture(schema::known());
    if !newest.exists() {
        let (_folder, store) = super::fresh();
        sample::write(&store);
        std::fs::write(newest.with_extension("sql.new"), dump(&store.lock())).unwrap();
    }
    let missing: Vec<_> = (1..=schema::known()).map(fixture).filter(|path| !path.exists()).collect();
    assert!(
        missing.is_empty(),
        "there is no {missing:?}; a proposal for the newest is beside it, named .new"
    );
}

#[test]
fn a_database_of_every_earlier_version_is_upgraded_and_keeps_everything() {
    for version in 1..=schema::known() {
        let folder = tempfile::tempdir().unwrap();
        let path = old(version, folder.path());
        let store = Store::open(&path).unwrap();
        assert_eq!(store.contents().unwrap(), expected(version), "v{version}");
        assert_eq!(store.damage().unwrap(), [] as [&str; 0], "v{version}");
        assert_eq!(schema::check(&store.lock(), &path).unwrap(), schema::known());
        let (_new, fresh) = super::fresh();
        assert_eq!(shape(&path), shape(fresh.path()), "v{version} has become something else than a new one");
        for (what, write) in super::writes::WRITES {
            write(&store).unwrap_or_else(|error| panic!("v{version}: {what}: {error}"));
        }
    }
}

#[test]
fn whoever_only_reads_understands_every_earlier_version_and_changes_none() {
    for version in 1..=schema::known() {
        let folder = tempfile::tempdir().unwrap();
        let path = old(version, folder.path());
        let before = std::fs::read(&path).unwrap();
        let store = Store::open_read_only(&path).unwrap().unwrap();
        assert_eq!(store.contents().unwrap(), expected(version), "v{version}");
        drop(store);
        assert_eq!(std::fs::read(&path).unwrap(), before, "v{version}");
    }
}

#[test]
fn a_file_without_content_was_a_database_and_one_of_somebody_elses_never_was() {
    let folder = tempfile::tempdir().unwrap();
    for theirs in [false, true] {
        let path = folder.path().join(format!("{theirs}.db"));
        crate::store::prepare_file(&path).unwrap();
        if theirs {
            let connection = Connection::open(&path).unwrap();
            crate::store::write_ahead(&connection).unwrap();
            let sql = "CREATE TABLE left_by_somebody (x); PRAGMA user_version = 2";
            connection.execute_batch(sql).unwrap();
        }
        let before = std::fs::read(&path).unwrap();
        for error in [Store::open_read_only(&path).map(drop).unwrap_err(), Store::open(&path).unwrap_err()] {
            match theirs {
                false => assert!(matches!(error, StoreError::Damaged { .. }), "{error}"),
                true => assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}"),
            }
        }
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
