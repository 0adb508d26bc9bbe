//! The schema and its versions, which are kept in `PRAGMA user_version`.

use std::path::Path;

use rusqlite::Connection;

use super::{StoreError, backup};

/// The number of tables, and how many of them every version has.
const TABLES: &str =
    "SELECT count(*), count(*) FILTER (WHERE name IN ('maintenance', 'target', 'run', 'move', 'zone',
    'journal', 'reservation')) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";

/// No version will ever be higher.
const FUTURE: i64 = 1000;

/// A script for each version, each preceded by `-- v N`.
const SCRIPT: &str = include_str!("schema.sql");

/// The scripts, each of which upgrades the version before.
fn scripts() -> Vec<&'static str> {
    SCRIPT.split("-- v ").skip(1).map(|part| part.split_once('\n').map_or("", |(_, sql)| sql)).collect()
}

/// The newest version, which this program writes.
pub(super) fn known() -> i64 {
    i64::try_from(scripts().len()).unwrap_or(i64::MAX)
}

fn version(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|source| StoreError::open(path, source))
}

/// Refuses a database of a later version, or of another program.
pub(super) fn check(connection: &Connection, path: &Path) -> Result<i64, StoreError> {
    check_against(connection, path, known())
}

fn check_against(connection: &Connection, path: &Path, known: i64) -> Result<i64, StoreError> {
    let (all, ours): (i64, i64) = connection
        .query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(|source| StoreError::open(path, source))?;
    if all > 0 && ours == 0 {
        return Err(StoreError::NotADatabase { path: path.to_owned() });
    }
    let found = version(connection, path)?;
    if !(0..=FUTURE).contains(&found) {
        let what = format!("its schema version cannot be {found}");
        return Err(StoreError::Damaged { path: path.to_owned(), what });
    }
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    Ok(found)
}

/// Creates all tables, or upgrades those of a copy to the newest version. The old copy is not kept.
pub(super) fn upgrade(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    bring(connection, path, &scripts(), |_| Ok(()))
}

/// Creates all tables as they were in that version.
pub(super) fn make(connection: &Connection, path: &Path, version: i64) -> Result<(), StoreError> {
    let scripts = scripts();
    bring(connection, path, &scripts[..scripts.len().min(usize::try_from(version).unwrap_or(0))], |_| Ok(()))
}

/// Upgrades the database at that path to the newest version. A copy of the old one is made before.
pub(super) fn upgrade_file(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    bring(connection, path, &scripts(), |to| backup::keep_before(path, to))
}

/// Upgrades a database to the version of these scripts, unless it has a higher one, in one transaction. `before`
/// is called with the old version, while no other process can write.
pub(super) fn bring(
    connection: &Connection,
    path: &Path,
    scripts: &[&str],
    before: impl FnOnce(i64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let to = i64::try_from(scripts.len()).unwrap_or(i64::MAX);
    if check_against(connection, path, to)? == to {
        return Ok(());
    }
    let failed = |source| StoreError::query(path, "upgrade the schema", source);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let result = (|| {
        // Another process may have done it while this one waited.
        let found = check_against(connection, path, to)?;
        if 0 < found && found < to {
            before(to)?;
        }
        let mut sql = String::new();
        for script in scripts.iter().skip(usize::try_from(found).unwrap_or(0)) {
            sql.push_str(script);
        }
        sql.push_str(&format!("PRAGMA user_version = {to}; COMMIT;"));
        connection.execute_batch(&sql).map_err(failed)
    })();
    if result.is_err() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_new_database_has_the_newest_version_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("state/sysadm.db");
        drop(Store::open(&path).unwrap());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let connection = Connection::open(&path).unwrap();
        assert_eq!(version(&connection, &path).unwrap(), known());
    }

    #[test]
    fn a_database_of_a_later_version_is_refused_and_not_touched() {
        let folder = folder();
        let path = folder.path().join("sysadm.db");
        Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
        let error = Store::open(&path).unwrap_err().to_string();
        assert!(error.contains("schema version 99, this sysadm knows up to 1"), "{error}");
        assert!(Store::open_read_only(&path).is_err());
    }

    #[test]
    fn a_database_is_copied_before_it_is_upgraded() {
        let folder = folder();
        let path = folder.path().join("sysadm.db");
        let store = Store::open(&path).unwrap();
        crate::store::tests::sample::write(&store);
        let contents = store.contents().unwrap();
        let next = [SCRIPT, "ALTER TABLE target ADD COLUMN more TEXT;"];
        let copy = folder.path().join("sysadm.db.before-v2");
        let upgrade = |scripts: &[&str]| {
            bring(&store.lock(), &path, scripts, |to| backup::keep_before(&path, to))
                .map_err(|error| error.to_string())
        };
        // What an interruption has left behind is replaced.
        std::fs::write(&copy, "half a copy").unwrap();
        assert!(upgrade(&[SCRIPT, "NONSENSE;"]).is_err());
        assert_eq!(store.contents().unwrap(), contents, "nothing was changed");
        upgrade(&next).unwrap();
        assert_eq!(version(&store.lock(), &path).unwrap(), 2);
        let kept = Store::open_read_only(&copy).unwrap().unwrap();
        assert_eq!((kept.contents().unwrap(), version(&kept.lock(), &copy).unwrap()), (contents, 1));
        std::fs::remove_file(&copy).unwrap();
        upgrade(&next).unwrap();
        assert!(!copy.exists(), "there was nothing to upgrade");
    }

    #[test]
    fn a_database_that_cannot_be_copied_is_not_upgraded() {
        let folder = folder();
        let path = folder.path().join("sysadm.db");
        let store = Store::open(&path).unwrap();
        let next = [SCRIPT, "ALTER TABLE target ADD COLUMN more TEXT;"];
        let full = |_| Err(StoreError::Full { path: path.clone() });
        assert!(matches!(bring(&store.lock(), &path, &next, full), Err(StoreError::Full { .. })));
        assert_eq!(version(&store.lock(), &path).unwrap(), 1);
        crate::store::tests::sample::write(&store);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_kept() {
        let folder = folder();
        let path = folder.path().join("sysadm.db");
        let text = "this is a letter to my grandmother\n".repeat(100);
        std::fs::write(&path, &text).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn several_that_open_a_new_database_at_once_all_succeed() {
        for _ in 0..20 {
            let folder = folder();
            let path = folder.path().join("sysadm.db");
            let (start, others) = (std::sync::Barrier::new(8), 0..8);
            std::thread::scope(|scope| {
                let open = || {
                    start.wait();
                    Store::open(&path).map(drop)
                };
                let opens: Vec<_> = others.map(|_| scope.spawn(open)).collect();
                for open in opens {
                    open.join().unwrap().unwrap();
                }
            });
        }
    }

    #[test]
    fn no_database_reads_as_nothing() {
        assert!(Store::open_read_only(&folder().path().join("none.db")).unwrap().is_none());
    }
}
