//! The record of each zone of which this host must know something that its platform does not: one row for a zone,
//! so that a zone is in one place.
//!
//! What the platform has is here, whatever the record says: there may have been a crash between the two. A record
//! that only says that the zone is here is removed.

use std::collections::HashSet;
use std::path::PathBuf;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::place::{IllegalPlace, Place};
use super::{Expectation, Store, StoreError, parsed, parsed_optional, stored, unsigned};
use crate::model::document::Written;
use crate::model::{Brand, Home, HostUri, Location, Manifest, Method, Millis, Zone, ZoneName};

/// All columns except for the configurations, which are long and read only when they are needed.
pub(super) const COLUMNS: &str =
    "name, uuid, brand, place, location, relocating_to, home, home_id, owners, position,
    since_ms, ended_ms, was_running, kind, bytes, downtime_ms, expected_start_ms, expected_duration_ms,
    expected_downtime_ms, down, zonepath, user, written";

/// All zones by name. The host itself is not a zone.
pub(super) const ZONES: &str = "WHERE place <> 'host' ORDER BY name, uuid";

/// What is recorded of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneRecord {
    pub zone: ZoneName,
    pub uuid: Uuid,
    pub brand: Brand,
    pub place: Place,
    /// The other host: where the zone is, goes, or was last.
    pub location: Option<HostUri>,
    pub relocating_to: Option<HostUri>,
    /// The host to which the zone belongs, if that is another one.
    pub home: Option<Home>,
    /// The hosts that may fetch it: those that brought it, and those for which they did.
    pub owners: Vec<String>,
    /// Its position in the order in which zones were stopped here.
    pub position: Option<i64>,
    /// When it began to leave or to stop.
    pub since: Millis,
    /// When it had arrived or had stopped.
    pub ended: Option<Millis>,
    /// Whether it ran before it left.
    pub was_running: bool,
    /// How it left.
    pub kind: Option<Method>,
    /// Bytes sent.
    pub bytes: u64,
    /// In milliseconds.
    pub downtime: Option<u64>,
    /// The estimate of its move.
    pub expected: Option<Expectation>,
    /// Why it does not run although it ran when it left, if that is known.
    pub down: Option<String>,
    /// Its zonepath, in which its manifest lies too, if it is configured.
    pub zonepath: Option<PathBuf>,
    /// The user who detached or created it.
    pub user: Option<String>,
    /// Where and when its manifest was written, if it is configured.
    pub written: Option<Written>,
}

/// What happens to the configuration that is kept of a zone.
pub(super) enum Configuration<'a> {
    Keep,
    Replace(&'a Manifest),
    Drop,
}

impl ZoneRecord {
    /// A zone of which only is known that it is here.
    pub(super) fn new(zone: &ZoneName, uuid: Uuid, brand: Brand) -> Self {
        Self {
            zone: zone.clone(),
            uuid,
            brand,
            place: Place::Here,
            location: None,
            relocating_to: None,
            home: None,
            owners: Vec::new(),
            position: None,
            since: Millis(0),
            ended: None,
            was_running: false,
            kind: None,
            bytes: 0,
            downtime: None,
            expected: None,
            down: None,
            zonepath: None,
            user: None,
            written: None,
        }
    }

    /// The record of the same zone, which is here now.
    pub(super) fn here(self) -> Self {
        let Self { zone, uuid, brand, home, owners, .. } = self;
        Self { home, owners, ..Self::new(&zone, uuid, brand) }
    }

    /// Whether the record says only that the zone is here.
    fn is_void(&self) -> bool {
        self.place == Place::Here && self.home.is_none() && self.owners.is_empty()
    }

    /// Where the zone is: here if `is_present` on this host's platform, or as recorded.
    pub fn known_location(&self, is_present: bool) -> Location {
        if is_present {
            return self.home.clone().map_or(Location::Here, Location::Guest);
        }
        match (self.place, &self.location) {
            (Place::Migrated, Some(to)) => Location::Migrated(to.clone()),
            (Place::Configured, _) => Location::Configured,
            (place, Some(at)) if place.is_elsewhere() => Location::Evacuated(at.clone()),
            _ => Location::Unknown,
        }
    }

    /// Whether only its configuration is here: it may be attached, unless its host has it.
    pub const fn is_configured(&self) -> bool {
        matches!(self.place, Place::Configured | Place::Migrated) && self.written.is_some()
    }

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let home = row.get::<_, Option<String>>("home")?;
        let home_id = parsed_optional(row, "home_id")?;
        let owners: String = row.get("owners")?;
        let written = row.get::<_, Option<String>>("written")?;
        Ok(Self {
            zone: parsed(row, "name")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            place: parsed(row, "place")?,
            location: parsed_optional(row, "location")?,
            relocating_to: parsed_optional(row, "relocating_to")?,
            home: home.map(|name| Home { name, id: home_id }),
            owners: from_json(&owners)?,
            position: row.get("position")?,
            since: Millis(row.get("since_ms")?),
            ended: row.get::<_, Option<i64>>("ended_ms")?.map(Millis),
            was_running: row.get("was_running")?,
            kind: parsed_optional(row, "kind")?,
            bytes: unsigned(row, "bytes")?,
            downtime: row.get::<_, Option<i64>>("downtime_ms")?.map(|ms| u64::try_from(ms).unwrap_or(0)),
            expected: Expectation::read(row)?,
            down: row.get("down")?,
            zonepath: match row.get_ref("zonepath")? {
                ValueRef::Null => None,
                path => Some(PathBuf::from(path.as_str()?)),
            },
            user: row.get("user")?,
            written: written.as_deref().map(from_json).transpose()?,
        })
    }
}

/// Reads a JSON column.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

/// Writes a JSON column.
pub(super) fn to_json(value: &impl serde::Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
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
            "INSERT OR IGNORE INTO zone (name, uuid, brand, place, owners, since_ms, was_running, bytes)
             VALUES (?1, ?2, ?3, 'here', '[]', 0, 0, 0)",
        )?
        .execute(params![record.zone.as_str(), uuid, record.brand.as_str()])?;
    let [start, duration, downtime] = Expectation::columns(record.expected);
    let manifest = match configuration {
        Configuration::Replace(manifest) => Some(to_json(manifest)?),
        Configuration::Keep | Configuration::Drop => None,
    };
    transaction
        .prepare_cached(
            "UPDATE zone SET name = ?2, brand = ?3, place = ?4, location = ?5, relocating_to = ?6, home = ?7, home_id = ?8,
             owners = ?9, position = ?10, since_ms = ?11, ended_ms = ?12, was_running = ?13, kind = ?14, bytes = ?15,
             downtime_ms = ?16, expected_start_ms = ?17, expected_duration_ms = ?18, expected_downtime_ms = ?19,
             down = ?20, zonepath = ?21, user = ?22, written = ?23,
             manifest = CASE WHEN ?24 THEN manifest ELSE ?25 END WHERE uuid = ?1",
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
            record.ended.map(|time| time.0),
            record.was_running,
            record.kind.map(Method::as_str),
            stored(record.bytes),
            record.downtime.map(stored),
            start,
            duration,
            downtime,
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

/// Records that a zone is here. Its configuration is known to the platform.
pub(super) fn settle_here(transaction: &Transaction<'_>, record: ZoneRecord) -> rusqlite::Result<()> {
    save(transaction, &record.here(), &Configuration::Drop)
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

    /// Records that a zone is here: it is back, has never left, runs again or was attached. Returns whether it
    /// was recorded as being elsewhere.
    pub fn zone_is_here(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("record that a zone is here", |transaction| {
            let Some(record) = find(transaction, uuid)? else { return Ok(false) };
            let was_elsewhere = record.place != Place::Here;
            settle_here(transaction, record)?;
            Ok(was_elsewhere)
        })
    }

    /// Removes the record of a zone that is configured here or was migrated. Returns whether there was one.
    pub fn delete_zone(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("delete the record of a zone", |transaction| {
            Ok(transaction.execute("DELETE FROM zone WHERE uuid = ?1", [uuid.to_string()])? > 0)
        })
    }

    /// Records to which other host a zone belongs that is here or will arrive.
    pub fn set_home(&self, zone: &Zone, home: &Home) -> Result<(), StoreError> {
        self.write("record whose zone it is", |transaction| {
            let known = find(transaction, zone.uuid)?;
            let record = known.unwrap_or_else(|| ZoneRecord::new(&zone.name, zone.uuid, zone.brand));
            save(transaction, &ZoneRecord { home: Some(home.clone()), ..record }, &Configuration::Keep)
        })
    }

    /// Records that a zone does not belong to another host, or does not arrive. Returns whether it did.
    pub fn remove_home(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("record that a zone belongs to no other host", |transaction| {
            let Some(record) = find(transaction, uuid)?.filter(|record| record.home.is_some()) else {
                return Ok(false);
            };
            save(transaction, &ZoneRecord { home: None, ..record }, &Configuration::Keep)?;
            Ok(true)
        })
    }

    /// Records which hosts bring a zone, or have it brought, and so may fetch it. `is_here`: in addition to those
    /// that are known. Deletes such records of zones that no longer exist; those in `present` are on the
    /// platform.
    pub fn bring(
        &self,
        zone: &Zone,
        hosts: &[String],
        is_here: bool,
        present: &HashSet<Uuid>,
    ) -> Result<(), StoreError> {
        self.write("record who brings a zone", |transaction| {
            let traceless =
                "WHERE place = 'here' AND uuid NOT IN (SELECT uuid FROM reservation) ORDER BY name";
            for record in select(transaction, traceless)? {
                if !present.contains(&record.uuid) && record.uuid != zone.uuid {
                    let record = ZoneRecord { owners: Vec::new(), ..record };
                    save(transaction, &record, &Configuration::Keep)?;
                }
            }
            let known = find(transaction, zone.uuid)?;
            let mut record = known.unwrap_or_else(|| ZoneRecord::new(&zone.name, zone.uuid, zone.brand));
            if !is_here {
                record.owners.clear();
            }
            record.owners.extend_from_slice(hosts);
            record.owners.sort();
            record.owners.dedup();
            save(transaction, &record, &Configuration::Keep)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};
    use crate::store::{Away, AwayPhase, RestPhase, RestWay};

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn zone(uuid: u128) -> Zone {
        Zone { uuid: Uuid::from_u128(uuid), ..sample::manifest(&format!("z{uuid}")).zone }
    }

    fn owners(store: &Store, uuid: u128) -> Vec<String> {
        store.zone(Uuid::from_u128(uuid)).unwrap().map(|record| record.owners).unwrap_or_default()
    }

    #[test]
    fn a_guest_is_known_with_its_home_until_it_goes_home_and_where_it_went_is_kept() {
        let (_folder, store) = fresh();
        let home = sample::home();
        let (row, manifest) = sample::moving("web");
        let row = Away { home: Some(home.clone()), ..row };
        let come_and_leave = || {
            store.set_home(&manifest.zone, &home).unwrap();
            assert_eq!(store.zone(row.uuid).unwrap().unwrap().home.as_ref(), Some(&home));
            store.begin_away(&row, &manifest).unwrap();
        };
        come_and_leave();
        let to = sample::uri("rads://h3");
        store.passed_on(row.uuid, Some(&to)).unwrap();
        let record = store.zone(row.uuid).unwrap().unwrap();
        assert_eq!(record.known_location(false), Location::Migrated(to));
        assert!(!record.is_configured(), "its configuration is no affair of this host");
        assert_eq!((store.away().unwrap(), store.detached().unwrap()), (vec![], vec![]));
        come_and_leave();
        store.passed_on(row.uuid, None).unwrap();
        assert_eq!(store.zones().unwrap(), []);
        assert!(!store.remove_home(row.uuid).unwrap());
    }

    #[test]
    fn a_zone_that_comes_anew_is_of_those_that_bring_it_now() {
        let (_folder, store) = fresh();
        let (none, here) = (HashSet::new(), HashSet::from([zone(1).uuid]));
        store.bring(&zone(1), &hosts(&["h1", "h3"]), false, &none).unwrap();
        store.bring(&zone(1), &hosts(&["h4"]), true, &here).unwrap();
        assert_eq!(owners(&store, 1), ["h1", "h3", "h4"]);
        store.bring(&zone(1), &hosts(&["h5"]), false, &none).unwrap();
        assert_eq!(owners(&store, 1), ["h5"]);
    }

    #[test]
    fn who_has_brought_a_zone_is_forgotten_with_its_last_trace() {
        let (_folder, store) = fresh();
        let all: HashSet<_> = [1, 7, 22, 4].map(|uuid| zone(uuid).uuid).into();
        for uuid in [1, 7, 22, 4] {
            store.bring(&zone(uuid), &hosts(&["h1"]), false, &all).unwrap();
        }
        let (row, manifest) = sample::away("web", AwayPhase::Away);
        store.begin_away(&row, &manifest).unwrap();
        store.begin_detached(&sample::detached("ready", 22, None)).unwrap();
        let reservation = sample::reservation("guest", 99);
        store.reserve(&reservation, Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
        store.bring(&zone(9), &hosts(&["h1"]), false, &[zone(1).uuid, zone(4).uuid].into()).unwrap();
        store.bring(&zone(5), &hosts(&["h1"]), false, &[zone(1).uuid].into()).unwrap();
        assert_eq!([1, 7, 22, 4, 9].map(|uuid| owners(&store, uuid).len()), [1, 1, 1, 0, 1]);
        assert_eq!(store.zone(zone(4).uuid).unwrap(), None);
    }

    #[test]
    fn what_the_platform_has_is_here_whatever_is_recorded() {
        for (record, _) in sample::contents().zones {
            let expected = match &record.home {
                Some(home) => Location::Guest(home.clone()),
                None => Location::Here,
            };
            assert_eq!(record.known_location(true), expected, "{}", record.zone);
            let location = record.location.clone();
            let expected = match record.place {
                Place::Here | Place::Stopping | Place::Stopped | Place::Suspending | Place::Suspended => {
                    Location::Unknown
                }
                Place::Leaving | Place::Migrating | Place::Away | Place::Returning | Place::Relocating => {
                    Location::Evacuated(location.unwrap())
                }
                Place::Configured => Location::Configured,
                Place::Migrated => Location::Migrated(location.unwrap()),
            };
            assert_eq!(record.known_location(false), expected, "{}", record.zone);
        }
    }

    #[test]
    fn a_zone_in_one_place_does_not_get_into_another_one_and_the_error_names_both() {
        let (_folder, store) = fresh();
        let (row, manifest) = sample::away("web", AwayPhase::Away);
        store.begin_away(&row, &manifest).unwrap();
        let rest = sample::rest_with("web", 7, RestWay::Stop, RestPhase::Stopping);
        let error = store.begin_rest(&rest).unwrap_err();
        assert!(matches!(error, StoreError::Transition(_)), "{error}");
        assert_eq!(error.to_string(), "zone 'web' is recorded as away and cannot become stopping");
        assert_eq!((store.away().unwrap(), store.rests().unwrap()), (vec![row], vec![]));
    }
}
