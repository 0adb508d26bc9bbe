//! Saves what can be read of a damaged database into a new one, which replaces it. The damaged file is kept.
//!
//! Every complete row is saved, table by table, whichever other pages are damaged; what is lost is reported as
//! far as that is known, especially zones that are away: by the index, or by their last move. A move or step
//! whose run is lost gets a run without a history, so that an interrupted move can still be settled.

mod image;
mod rows;
#[cfg(test)]
mod tests;
mod tree;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, params_from_iter};
use rustix::fs::{FlockOperation, fcntl_lock};

use self::image::Image;
use self::rows::{SalvagedRows, Table, search};
use self::tree::BtreeRecord;
use super::backup::ScratchFolder;
use super::contents::READERS;
use super::{NO_MUTEX, Store, StoreError, identity, integrity, schema};
use crate::file;

/// The table of zones, including those that are away.
const ZONE: &str = "zone";

/// What was saved and what was lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The path of the damaged file now.
    pub kept: PathBuf,
    /// Each table with rows, and their number.
    pub saved: Vec<(String, usize)>,
    /// What is lost, a line each.
    pub lost: Vec<String>,
}

/// Replaces a damaged database by a new one with everything that can be read; none if it is not damaged. No run
/// may begin meanwhile, which the caller ensures; that no other process has it open is checked here.
///
/// # Errors
/// Nothing was changed then.
pub fn recover(path: &Path) -> Result<Option<Recovered>, StoreError> {
    let create = |source| StoreError::Create { path: path.to_owned(), source };
    if is_whole(path)? {
        return Ok(None);
    }
    let path = &path.canonicalize().map_err(create)?;
    let mut damaged = File::options().read(true).write(true).open(path).map_err(create)?;
    // SQLite's own locks are of this kind, and every process that has a database open holds one.
    fcntl_lock(&damaged, FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| StoreError::InUse { path: path.clone() })?;
    let (mut bytes, journal_path) = (Vec::new(), beside(path, "-wal"));
    damaged.read_to_end(&mut bytes).map_err(create)?;
    let journal = match std::fs::read(&journal_path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        journal => journal.map_err(create)?,
    };
    let draft = ScratchFolder::new(path).map_err(create)?;
    let (saved, lost) = build(&draft.file(), path, &Image::new(&bytes, &journal))?;
    let kept = keep(path, &bytes, &journal).map_err(create)?;
    // A journal of the old database would be taken for one of the new one.
    for end in ["-wal", "-shm"] {
        match std::fs::remove_file(beside(path, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(create(error)),
            _ => {}
        }
    }
    draft.replace(path).map_err(create)?;
    Ok(Some(Recovered { kept, saved, lost }))
}

fn is_whole(path: &Path) -> Result<bool, StoreError> {
    let look = || {
        let Some(store) = Store::open_read_only(path)? else { return Ok(true) };
        Ok(store.damage()?.is_empty() && store.contents().map(|_| true)?)
    };
    match look() {
        Err(StoreError::Damaged { .. }) => Ok(false),
        result => result,
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Keeps the damaged database with its journal under a name that does not exist yet.
fn keep(path: &Path, bytes: &[u8], journal: &[u8]) -> std::io::Result<PathBuf> {
    let mut number = 1;
    loop {
        let kept =
            beside(path, &if number == 1 { ".damaged".to_owned() } else { format!(".damaged-{number}") });
        match file::create(&kept, bytes, 0o600) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => return Err(error),
            Ok(()) if journal.is_empty() => return Ok(kept),
            Ok(()) => return file::replace(&beside(&kept, "-wal"), journal, 0o600).map(|()| kept),
        }
    }
}

/// Tables with the number of rows saved, and what is lost.
type Salvaged = (Vec<(String, usize)>, Vec<String>);

/// Searches any bytes for rows, for the crate in `fuzz/`.
#[cfg(feature = "fuzzing")]
pub fn read_anything(bytes: &[u8]) {
    static TABLES: std::sync::OnceLock<Vec<Table>> = std::sync::OnceLock::new();
    let tables = TABLES.get_or_init(|| {
        let connection = Connection::open_in_memory().ok();
        let known = connection.filter(|one| schema::upgrade(one, Path::new("fuzz")).is_ok());
        known.and_then(|connection| Table::all(&connection).ok()).unwrap_or_default()
    });
    let middle = bytes.len() / 2;
    search(&Image::new(bytes, &[]), tables);
    search(&Image::new(&bytes[..middle], &bytes[middle..]), tables);
}

/// Creates the new database.
fn build(draft: &Path, path: &Path, image: &Image<'_>) -> Result<Salvaged, StoreError> {
    let failed = |source| StoreError::query(draft, "write what was saved", source);
    let mut connection =
        Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE | NO_MUTEX).map_err(failed)?;
    // It is synced as a whole later.
    connection.execute_batch("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF").map_err(failed)?;
    // Rows are inserted as they were found: no zone changes its place here.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false).map_err(failed)?;
    let version = image.header(60).map(i64::from).filter(|version| (1..=schema::known()).contains(version));
    schema::make(&connection, path, version.unwrap_or(schema::known()))?;
    let tables = Table::all(&connection).map_err(failed)?;
    let mut found = search(image, &tables);
    insert(&mut connection, &tables, &mut found).map_err(failed)?;
    schema::upgrade(&connection, path)?;
    let name = |(table, text): (Option<usize>, String)| match table {
        Some(table) => (Some(tables[table].name.clone()), text),
        None => (None, text),
    };
    let mut lost: Vec<(Option<String>, String)> = found.lost.into_iter().map(name).collect();
    drop_senseless(&connection, &mut lost).map_err(failed)?;
    perhaps_away(&connection, &mut lost).map_err(failed)?;
    // Zones that are away come first.
    lost.sort_by_key(|(table, _)| table.as_deref() != Some(ZONE));
    if let Some(what) = integrity::damage(&connection).map_err(failed)?.into_iter().next() {
        return Err(StoreError::Damaged { path: path.to_owned(), what });
    }
    let saved = Table::all(&connection).and_then(|tables| count(&connection, &tables)).map_err(failed)?;
    connection.close().map_err(|(_, source)| failed(source))?;
    let line = |(table, text)| match table {
        Some(table) => format!("{table}: {text}"),
        None => text,
    };
    Ok((saved, lost.into_iter().map(line).collect()))
}

fn count(connection: &Connection, tables: &[Table]) -> rusqlite::Result<Vec<(String, usize)>> {
    let mut saved = Vec::new();
    for table in tables {
        let rows: i64 =
            connection.query_row(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get(0))?;
        saved.push((table.name.clone(), usize::try_from(rows).unwrap_or(0)));
    }
    saved.retain(|(_, rows)| *rows > 0);
    Ok(saved)
}

/// Inserts the rows. If a constraint forbids a value and the row is valid without it, the value is left out;
/// otherwise the row is lost.
fn insert(connection: &mut Connection, tables: &[Table], found: &mut SalvagedRows) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    // The new database's own UUID is replaced by that of the damaged one.
    let is_host = |(number, record): &(usize, BtreeRecord)| {
        tables[*number].name == ZONE && record.values.first() == Some(&Value::Text(String::new()))
    };
    if found.rows.iter().any(is_host) {
        transaction.execute_batch("DELETE FROM zone WHERE place = 'host'")?;
    }
    for (number, record) in std::mem::take(&mut found.rows) {
        let table = &tables[number];
        let values = table.values(&record);
        if put(&transaction, table, &values)? {
            continue;
        }
        let mut missing = None;
        for column in table.optional(&values) {
            let mut others = values.clone();
            others[column] = Value::Null;
            if put(&transaction, table, &others)? {
                missing = Some(&table.columns[column].name);
                break;
            }
        }
        let text = match missing {
            Some(column) => format!("only its {column}, which contradicts the rest of it"),
            None => "it contradicts another row or itself".to_owned(),
        };
        found.lost.push((Some(number), format!("{}: {text}", table.call(&values))));
    }
    transaction.execute_batch(
        "INSERT INTO run (id, direction, user, pid, started_ms, ended_ms, outcome)
         SELECT run, 'evacuate', 'unknown', 0, 0, 0, 'lost' FROM (SELECT run FROM move UNION SELECT run FROM journal)
         WHERE run NOT IN (SELECT id FROM run)",
    )?;
    identity::make(&transaction)?;
    transaction.commit()
}

/// Inserts a row; false if a constraint forbids it.
fn put(connection: &Connection, table: &Table, values: &[Value]) -> rusqlite::Result<bool> {
    let columns = table.columns.iter().take(values.len()).map(|column| column.name.as_str());
    let columns = columns.collect::<Vec<_>>().join(", ");
    let marks = vec!["?"; values.len()].join(", ");
    let sql = format!("INSERT OR IGNORE INTO {} ({columns}) VALUES ({marks})", table.name);
    match connection.prepare_cached(&sql)?.execute(params_from_iter(values)) {
        Ok(rows) => Ok(rows == 1),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Deletes rows that this program cannot read.
fn drop_senseless(connection: &Connection, lost: &mut Vec<(Option<String>, String)>) -> rusqlite::Result<()> {
    let tables = Table::all(connection)?;
    for (name, read) in READERS {
        let mut senseless = Vec::new();
        let mut statement = connection.prepare(&format!("SELECT *, rowid AS the_number FROM {name}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if let Err(error) = read(row) {
                let table = tables.iter().find(|table| table.name == *name);
                let columns = table.map_or(0, |table| table.columns.len());
                let values = (0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()?;
                let called = table.map(|table| table.call(&values)).unwrap_or_default();
                senseless.push((row.get::<_, i64>("the_number")?, format!("{called}: {error}")));
            }
        }
        for (number, text) in senseless {
            connection.execute(&format!("DELETE FROM {name} WHERE rowid = ?1"), [number])?;
            lost.push((Some((*name).to_owned()), text));
        }
    }
    Ok(())
}

/// If records of zones may be lost without their names, reports which zones these may be by their last moves.
fn perhaps_away(connection: &Connection, lost: &mut Vec<(Option<String>, String)>) -> rusqlite::Result<()> {
    if !lost.iter().any(|(table, _)| table.as_deref().is_none_or(|table| table == ZONE)) {
        return Ok(());
    }
    let sql = "SELECT zone, ifnull(dest, 'another host') FROM move JOIN run ON run.id = move.run
        WHERE run = (SELECT max(run) FROM move AS other WHERE other.zone = move.zone)
        AND state IN ('EVACUATED', 'MIGRATING', 'UNKNOWN')
        AND direction = 'evacuate' AND zone NOT IN (SELECT name FROM zone WHERE place <> 'here') ORDER BY zone";
    let mut statement = connection.prepare(sql)?;
    let zones = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for zone in zones {
        let (zone, dest) = zone?;
        lost.push((Some(ZONE.to_owned()), format!("{zone} may be away: its last move was to {dest}")));
    }
    Ok(())
}
