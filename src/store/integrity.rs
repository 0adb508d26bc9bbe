//! Whether the file is intact, as far as SQLite can tell.

use rusqlite::Connection;

use super::error::is_damage;

/// What is damaged, a line each; empty if nothing is. The connection must be able to write: others do not know
/// the tables' constraints.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    or_damage(look(connection))
}

/// Converts the error of a check that damage has ended prematurely.
pub(super) fn or_damage(found: rusqlite::Result<Vec<String>>) -> rusqlite::Result<Vec<String>> {
    match found {
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
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
    // Rows with the same fault have the same line.
    found.dedup();
    Ok(found)
}
