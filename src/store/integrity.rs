//! Whether the file is whole, as far as SQLite itself can tell.

use rusqlite::Connection;

use super::error::is_damage;

/// What is damaged, a line each; nothing if all is well. The connection must be one that may write: others do not know
/// the rules of the tables.
pub(super) fn damage(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    or_damage(look(connection))
}

/// So damaged that not even the look comes to its end.
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
    // Of many rows with the same fault each has the same line.
    found.dedup();
    Ok(found)
}
