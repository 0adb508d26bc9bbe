//! The simulated host's database. Several processes use it at once; each change is one transaction.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::clock::{Anchor, Scale};
use super::record::SimZone;
use super::settings::HostSettings;
use crate::model::{Millis, ZoneName};
use crate::platform::PlatformError;
use crate::store::{parsed, parsed_optional, prepare_file, stored, unsigned, write_ahead};

const SCHEMA: &str = include_str!("schema.sql");

/// How long a process waits for another's transaction.
const BUSY: Duration = Duration::from_secs(5);

/// The database of one host, opened at its first use.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

pub(super) struct SimTransaction<'a> {
    path: &'a Path,
    connection: &'a Connection,
    real: Millis,
}

impl Database {
    pub const fn new(path: PathBuf) -> Self {
        Self { path, connection: Mutex::new(None) }
    }

    /// The folder of the database.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    /// Reads in one transaction. If there is no database, `work` sees an empty host, and nothing is created.
    pub fn read<T>(
        &self,
        real: Millis,
        work: impl FnOnce(&SimTransaction<'_>) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let failed = |source| failed(&self.path, "open it", &source);
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() && !self.path.exists() {
            let connection = Connection::open_in_memory().map_err(failed)?;
            set_up(&connection, real).map_err(failed)?;
            return work(&SimTransaction { path: &self.path, connection: &connection, real });
        }
        let connection = self.opened(&mut held, real)?;
        // One snapshot for everything that is read.
        let transaction = connection.transaction().map_err(failed)?;
        work(&SimTransaction { path: &self.path, connection: &transaction, real })
    }

    /// Changes the database in one transaction, which is rolled back if `work` fails.
    pub fn change<T>(
        &self,
        real: Millis,
        work: impl FnOnce(&SimTransaction<'_>) -> Result<T, PlatformError>,
    ) -> Result<T, PlatformError> {
        let failed = |source| failed(&self.path, "write to it", &source);
        let mut held = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = self.opened(&mut held, real)?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let value = work(&SimTransaction { path: &self.path, connection: &transaction, real })?;
        transaction.commit().map_err(failed)?;
        Ok(value)
    }

    fn opened<'a>(
        &self,
        held: &'a mut Option<Connection>,
        real: Millis,
    ) -> Result<&'a mut Connection, PlatformError> {
        if let Some(connection) = held {
            return Ok(connection);
        }
        prepare_file(&self.path).map_err(|source| PlatformError::Io {
            what: "create or open",
            path: self.path.clone(),
            source,
        })?;
        let connection = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .and_then(|connection| {
                connection.busy_timeout(BUSY)?;
                write_ahead(&connection)?;
                // A simulation need not survive a power failure.
                connection.execute_batch("PRAGMA synchronous=NORMAL")?;
                set_up(&connection, real)?;
                Ok(connection)
            })
            .map_err(|source| failed(&self.path, "open it", &source))?;
        Ok(held.insert(connection))
    }
}

fn set_up(connection: &Connection, real: Millis) -> rusqlite::Result<()> {
    let settings = serde_json::to_string(&HostSettings::default())
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    connection.execute_batch(SCHEMA)?;
    connection.execute("INSERT OR IGNORE INTO host VALUES (1, ?1, ?2, 0, 1)", params![settings, real.0])?;
    connection.execute_batch("COMMIT")
}

fn failed(path: &Path, what: &str, error: &dyn std::error::Error) -> PlatformError {
    let cause = crate::model::chain(error);
    PlatformError::Simulated(format!("simulation {}: failed to {what}: {cause}", path.display()))
}

impl SimTransaction<'_> {
    pub fn sql<T>(
        &self,
        what: &str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, PlatformError> {
        work(self.connection).map_err(|source| failed(self.path, what, &source))
    }

    /// Serializes a value for a column.
    pub fn json(&self, value: &impl Serialize) -> Result<String, PlatformError> {
        serde_json::to_string(value).map_err(|source| failed(self.path, "write JSON", &source))
    }

    /// Deserializes a column.
    pub fn parsed<T: DeserializeOwned>(&self, text: &str) -> Result<T, PlatformError> {
        serde_json::from_str(text).map_err(|source| failed(self.path, "understand JSON", &source))
    }

    pub fn host(&self) -> Result<HostSettings, PlatformError> {
        let text: String = self.sql("read the host", |connection| {
            connection.query_row("SELECT settings FROM host", [], |row| row.get(0))
        })?;
        self.parsed(&text)
    }

    /// Changes the host's settings. Its virtual time continues from its present value.
    pub fn put_host(&self, settings: &HostSettings) -> Result<(), PlatformError> {
        let (text, now) = (self.json(settings)?, self.now()?);
        self.sql("change the host", |connection| {
            connection.execute(
                "UPDATE host SET settings = ?1, real_ms = ?2, virtual_ms = ?3",
                params![text, self.real.0, now.0],
            )
        })?;
        Ok(())
    }

    pub fn now(&self) -> Result<Millis, PlatformError> {
        let anchor = self.sql("read the clock", |connection| {
            connection.query_row("SELECT real_ms, virtual_ms FROM host", [], |row| {
                Ok(Anchor { real: Millis(row.get(0)?), virtual_time: Millis(row.get(1)?) })
            })
        })?;
        Ok(anchor.now(self.host()?.scale, self.real))
    }

    /// Time jumps to that moment if it stands still otherwise.
    pub fn jump(&self, to: Millis) -> Result<(), PlatformError> {
        if self.host()?.scale == Scale::Instant {
            self.sql("move the clock", |connection| {
                connection.execute("UPDATE host SET virtual_ms = max(virtual_ms, ?1)", [to.0])
            })?;
        }
        Ok(())
    }

    /// A number for a zone that boots, never used before.
    pub fn fresh_id(&self) -> Result<u32, PlatformError> {
        self.sql("number a zone", |connection| {
            connection.query_row("UPDATE host SET next_id = next_id + 1 RETURNING next_id - 1", [], |row| {
                row.get(0)
            })
        })
    }

    /// All zones, sorted by name.
    pub fn zones(&self) -> Result<Vec<SimZone>, PlatformError> {
        self.sql("read the zones", |connection| {
            connection
                .prepare_cached("SELECT * FROM zone ORDER BY name")?
                .query_map([], read_record)?
                .collect()
        })
    }

    pub fn named(&self, zone: &ZoneName) -> Result<SimZone, PlatformError> {
        self.sql("read a zone", |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM zone WHERE name = ?1")?;
            statement.query_row([zone.as_str()], read_record).optional()
        })?
        .ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))
    }

    pub fn identified(&self, uuid: Uuid) -> Result<Option<SimZone>, PlatformError> {
        self.sql("read a zone", |connection| {
            let mut statement = connection.prepare_cached("SELECT * FROM zone WHERE uuid = ?1")?;
            statement.query_row([uuid.to_string()], read_record).optional()
        })
    }

    /// Writes a zone. One that is not persistent is removed when it no longer runs.
    pub fn save(&self, zone: &SimZone) -> Result<(), PlatformError> {
        if !zone.persistent && !zone.zone().is_running() {
            return self.delete(zone.config.uuid);
        }
        self.sql("write a zone", |connection| {
            connection.execute(
                "INSERT OR REPLACE INTO zone
                 (uuid, name, config, autostart, state, aux, id, counted, since_ms, former, keeper,
                  persistent, ended)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
                params![
                    zone.config.uuid.to_string(),
                    zone.config.name.as_str(),
                    zone.text,
                    zone.autostart,
                    zone.state.as_str(),
                    zone.aux.map(crate::model::Aux::as_str),
                    zone.id,
                    stored(zone.counted),
                    zone.since.map(|since| since.0),
                    zone.former,
                    zone.keeper.map(|keeper| keeper.to_string()),
                    zone.persistent,
                    zone.ended.map(crate::model::Ended::as_str),
                ],
            )
        })?;
        Ok(())
    }

    pub fn delete(&self, uuid: Uuid) -> Result<(), PlatformError> {
        self.sql("forget a zone", |connection| {
            connection.execute("DELETE FROM zone WHERE uuid = ?1", [uuid.to_string()])
        })?;
        Ok(())
    }
}

fn read_record(row: &Row<'_>) -> rusqlite::Result<SimZone> {
    let text: String = row.get("config")?;
    let config = serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(SimZone {
        config,
        text,
        autostart: row.get("autostart")?,
        state: parsed(row, "state")?,
        aux: parsed_optional(row, "aux")?,
        id: row.get("id")?,
        counted: unsigned(row, "counted")?,
        since: row.get::<_, Option<i64>>("since_ms")?.map(Millis),
        former: row.get("former")?,
        keeper: parsed_optional(row, "keeper")?,
        persistent: row.get("persistent")?,
        ended: parsed_optional(row, "ended")?,
    })
}
