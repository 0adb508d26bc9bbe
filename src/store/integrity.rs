//! Whether the file is whole, as far as SQLite itself can tell.

use rusqlite::{Connection, ErrorCode};

/// What is damaged, a line each; nothing if all is well.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    match look(connection) {
        // So damaged that not even the look comes to its end.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            Ok(vec![error.to_string()])
        }
        result => result,
    }
}

fn look(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut pages = connection.prepare("PRAGMA integrity_check(20)")?;
    let mut found: Vec<String> = pages.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    found.retain(|line| line != "ok");
    let mut orphans = connection.prepare("PRAGMA foreign_key_check")?;
    let orphans = orphans.query_map([], |row| {
        let (table, row_id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!("row {} of table {table} belongs to no row of table {parent}", row_id.unwrap_or_default()))
    })?;
    for orphan in orphans {
        found.push(orphan?);
    }
    Ok(found)
}
