//! The table of zones: how records are found and written, and what is asked of them.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::place::{IllegalPlace, Place};
use super::zone_record::ZoneRecord;
use super::{Store, StoreError, from_json, to_json};
use crate::model::Manifest;

/// All columns except for the configurations, which are long and read only when they are needed.
pub(super) const COLUMNS: &str =
    "name, uuid, brand, place, location, relocating_to, home, home_id, owners, position,
    since_ms, was_running, down, zonepath, user, written";

/// All zones by name. The host itself is not a zone.
pub(super) const ZONES: &str = "WHERE place <> 'host' ORDER BY name, uuid";

/// What happens to the configuration that is kept of a zone.
pub(super) enum Configuration<'a> {
    Keep,
    Replace(&'a Manifest),
    Drop,
}

/// The record of a zone, if there is one.
pub(super) fn find(connection: &Connection, uuid: Uuid) -> rusqlite::Result<Option<ZoneRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM zone WHERE uuid = ?1");
    connection.prepare_cached(&sql)?.query_row([uuid.to_string()], ZoneRecord::read).optional()
}

/// The records that fulfil a condition.
pub(super) fn select(connection: &Connection, which: &str) -> rusqlite::Result<Vec<ZoneRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM zone {which}");
    connection.prepare_cached(&sql)?.query_map([], ZoneRecord::read)?.collect()
}

/// Writes a record in place of an earlier one, if the zone may go to its place from the earlier one.
pub(super) fn save(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    let uuid = record.uuid.to_string();
    let from = find(transaction, record.uuid)?.map_or(Place::Here, |known| known.place);
    if !from.may_become(record.place) {
        let illegal = IllegalPlace { zone: record.zone.clone(), from, to: record.place };
        return Err(rusqlite::Error::ToSqlConversionFailure(illegal.into()));
    }
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO zone (name, uuid, brand, place, owners, since_ms, was_running)
             VALUES (?1, ?2, ?3, 'here', '[]', 0, 0)",
        )?
        .execute(params![record.zone.as_str(), uuid, record.brand.as_str()])?;
    let manifest = match configuration {
        Configuration::Replace(manifest) => Some(to_json(manifest)?),
        Configuration::Keep | Configuration::Drop => None,
    };
    transaction
        .prepare_cached(
            "UPDATE zone SET name = ?2, brand = ?3, place = ?4, location = ?5, relocating_to = ?6, home = ?7, home_id = ?8,
             owners = ?9, position = ?10, since_ms = ?11, was_running = ?12, down = ?13, zonepath = ?14, user = ?15,
             written = ?16, manifest = CASE WHEN ?17 THEN manifest ELSE ?18 END WHERE uuid = ?1",
        )?
        .execute(params![
            uuid,
            record.zone.as_str(),
            record.brand.as_str(),
            record.place.as_str(),
            record.location.as_ref().map(ToString::to_string),
            record.relocating_to.as_ref().map(ToString::to_string),
            record.home.as_ref().map(|home| &home.name),
            record.home.as_ref().and_then(|home| home.id).map(|id| id.to_string()),
            to_json(&record.owners)?,
            record.position,
            record.since.0,
            record.was_running,
            record.down,
            record.zonepath.as_ref().map(|path| path.display().to_string()),
            record.user,
            record.written.as_ref().map(to_json).transpose()?,
            matches!(configuration, Configuration::Keep),
            manifest,
        ])?;
    if record.is_void() {
        transaction.execute("DELETE FROM zone WHERE uuid = ?1", [uuid])?;
    }
    Ok(())
}

impl Store {
    /// The records of all zones, by name.
    pub fn zones(&self) -> Result<Vec<ZoneRecord>, StoreError> {
        self.read("read the records of zones", |connection| select(connection, ZONES))
    }

    /// The record of a zone, if there is one.
    pub fn zone(&self, uuid: Uuid) -> Result<Option<ZoneRecord>, StoreError> {
        self.read("read the record of a zone", |connection| find(connection, uuid))
    }

    /// The configuration that is kept of a zone, if there is one.
    pub fn manifest_of(&self, uuid: Uuid) -> Result<Option<Manifest>, StoreError> {
        self.read("read the configuration of a zone", |connection| {
            let sql = "SELECT manifest FROM zone WHERE uuid = ?1";
            let text = connection
                .prepare_cached(sql)?
                .query_row([uuid.to_string()], |row| row.get::<_, Option<String>>(0))
                .optional()?;
            text.flatten().as_deref().map(from_json).transpose()
        })
    }

    /// All zones that are elsewhere or on their way, by name.
    pub fn away(&self) -> Result<Vec<ZoneRecord>, StoreError> {
        self.read("read the zones that are away", |connection| {
            let away = "place IN ('leaving', 'migrating', 'away', 'returning', 'relocating')";
            select(connection, &format!("WHERE {away} ORDER BY name"))
        })
    }

    /// All zones that were stopped or suspended here, in the order in which they were.
    pub fn stopped(&self) -> Result<Vec<ZoneRecord>, StoreError> {
        self.read("read the zones that were stopped", |connection| {
            select(connection, "WHERE position IS NOT NULL ORDER BY position")
        })
    }

    /// All zones of which only the configuration is here, by name; also those that the platform has.
    pub fn configured(&self) -> Result<Vec<ZoneRecord>, StoreError> {
        self.read("read the zones that are configured", |connection| {
            select(
                connection,
                "WHERE place IN ('configured', 'migrated') AND written IS NOT NULL ORDER BY name",
            )
        })
    }
}
