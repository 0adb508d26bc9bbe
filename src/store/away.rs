//! The zones that belong here and are elsewhere. A row is there before a zone leaves and until it is back or
//! given up on purpose; no new maintenance and no new run erases it.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::{Detached, Expectation, Store, StoreError, detached, parsed, parsed_optional, stored, unsigned};
use crate::model::{Brand, HostUri, Kind, Manifest, Millis, ZoneName, words};

words! {
    /// How certain it is that the zone is away.
    AwayPhase, "phase of an absence" {
        /// It is being moved away, or its move was interrupted.
        Leaving = "leaving",
        /// It is at its refuge.
        Away = "away",
        /// It is being brought back, or that was interrupted.
        Returning = "returning",
        /// It is being brought from its refuge to another one, or that was interrupted.
        Aside = "aside",
    }
}

/// One zone that is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Its name.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    /// The host that it belongs to.
    pub origin: String,
    /// Where it was brought.
    pub refuge: HostUri,
    /// Where it steps aside to, in that phase.
    pub aside: Option<HostUri>,
    /// It leaves for good: it is on this list only while it moves.
    pub one_way: bool,
    /// Whether it ran before it left.
    pub was_running: bool,
    /// How it left.
    pub kind: Kind,
    /// How certain it is.
    pub phase: AwayPhase,
    /// When it began to leave.
    pub started: Millis,
    /// When it had arrived.
    pub ended: Option<Millis>,
    /// Bytes sent.
    pub bytes: u64,
    /// How long it did not answer, in milliseconds.
    pub downtime: Option<u64>,
    /// What had been expected of its move, if that was known.
    pub expected: Option<Expectation>,
    /// Why it does not run although it ran when it left, as far as was seen.
    pub down: Option<String>,
}

impl Away {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            origin: row.get("origin")?,
            refuge: parsed(row, "refuge")?,
            aside: parsed_optional(row, "aside")?,
            one_way: row.get("one_way")?,
            was_running: row.get("was_running")?,
            kind: parsed(row, "kind")?,
            phase: parsed(row, "phase")?,
            started: Millis(row.get("started_ms")?),
            ended: row.get::<_, Option<i64>>("ended_ms")?.map(Millis),
            bytes: unsigned(row, "bytes")?,
            downtime: row.get::<_, Option<i64>>("downtime_ms")?.map(|ms| u64::try_from(ms).unwrap_or(0)),
            expected: Expectation::read(row)?,
            down: row.get("down")?,
        })
    }
}

impl Away {
    /// The hosts from and to which it moves, or has moved, as its origin `here` calls them.
    pub fn ends<'a>(&'a self, here: &'a str) -> [&'a str; 2] {
        let refuge = self.refuge.host.as_str();
        match self.phase {
            AwayPhase::Leaving | AwayPhase::Away => [here, refuge],
            AwayPhase::Returning => [refuge, here],
            AwayPhase::Aside => [refuge, self.aside.as_ref().map_or("its next refuge", |uri| &uri.host)],
        }
    }
}

/// A configuration as it is kept.
pub(super) fn read_manifest(text: &str) -> rusqlite::Result<Manifest> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into())
    })
}

impl Store {
    /// Records a zone that is about to leave, with its whole configuration, in place of what was there of it. Another zone of
    /// its name that is away is an error: this may be all that there is of that one.
    pub fn begin_away(&self, away: &Away, manifest: &Manifest) -> Result<(), StoreError> {
        let manifest = serde_json::to_string(manifest).unwrap_or_default();
        self.write("record a zone that leaves", |transaction| {
            transaction.execute(
                "DELETE FROM away WHERE zone = ?1 AND uuid = ?2",
                params![away.zone.as_str(), away.uuid.to_string()],
            )?;
            transaction.execute(
                "INSERT INTO away (zone, uuid, brand, origin, refuge, was_running, kind, phase, started_ms,
                 manifest, aside, one_way) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    away.zone.as_str(),
                    away.uuid.to_string(),
                    away.brand.as_str(),
                    away.origin,
                    away.refuge.to_string(),
                    away.was_running,
                    away.kind.as_str(),
                    away.phase.as_str(),
                    away.started.0,
                    manifest,
                    away.aside.as_ref().map(ToString::to_string),
                    away.one_way,
                ],
            )?;
            Ok(())
        })
    }

    /// Changes what is known of a zone's absence. Its identity and configuration stay.
    pub fn update_away(&self, away: &Away) -> Result<(), StoreError> {
        self.write("record a zone that is away", |transaction| update(transaction, away))
    }

    /// The same of one that is about to come back, with the notes in its configuration of what its networks are called
    /// where it is.
    pub fn begin_return(&self, away: &Away, manifest: &Manifest) -> Result<(), StoreError> {
        let manifest = serde_json::to_string(manifest).unwrap_or_default();
        self.write("record a zone that comes back", |transaction| {
            update(transaction, away)?;
            let sql = "UPDATE away SET manifest = ?2 WHERE zone = ?1";
            transaction.execute(sql, params![away.zone.as_str(), manifest]).map(drop)
        })
    }

    /// The configuration of a zone that is away, as it was here; none if it is not away.
    pub fn manifest_of(&self, zone: &ZoneName) -> Result<Option<Manifest>, StoreError> {
        self.read("read the configuration of a zone that is away", |connection| {
            let text = connection
                .query_row("SELECT manifest FROM away WHERE zone = ?1", [zone.as_str()], |row| {
                    row.get::<_, String>(0)
                })
                .optional()?;
            text.as_deref().map(read_manifest).transpose()
        })
    }

    /// Takes a row away: the zone is back, never left, or was given up. Whether there was one.
    pub fn remove_away(&self, zone: &ZoneName) -> Result<bool, StoreError> {
        self.write("remove a zone from the away list", |transaction| {
            Ok(transaction.execute("DELETE FROM away WHERE zone = ?1", [zone.as_str()])? > 0)
        })
    }

    /// Gives up a zone that is away. Nobody else need have its configuration: it is `configured` here then.
    pub fn give_up(&self, row: &Detached) -> Result<bool, StoreError> {
        self.write("give up a zone that is away", |transaction| {
            detached::insert(transaction, row)?;
            Ok(transaction.execute("DELETE FROM away WHERE zone = ?1", [row.zone.as_str()])? > 0)
        })
    }

    /// All zones that are away, by name.
    pub fn away(&self) -> Result<Vec<Away>, StoreError> {
        self.read("read the away list", |connection| {
            connection
                // Not the configurations: they are long, and `*` would read them all.
                .prepare_cached(
                    "SELECT zone, uuid, brand, origin, refuge, aside, one_way, was_running, kind, phase, started_ms,
                     ended_ms, bytes, downtime_ms, expected_start_ms, expected_duration_ms, expected_downtime_ms, down
                     FROM away ORDER BY zone",
                )?
                .query_map([], Away::read)?
                .collect()
        })
    }
}

fn update(transaction: &Transaction<'_>, away: &Away) -> rusqlite::Result<()> {
    let [start, duration, downtime] = Expectation::columns(away.expected);
    transaction.execute(
        "UPDATE away SET phase = ?2, ended_ms = ?3, bytes = ?4, downtime_ms = ?5, refuge = ?6, aside = ?7,
         expected_start_ms = ?8, expected_duration_ms = ?9, expected_downtime_ms = ?10, down = ?11 WHERE zone = ?1",
        params![
            away.zone.as_str(),
            away.phase.as_str(),
            away.ended.map(|time| time.0),
            stored(away.bytes),
            away.downtime.map(stored),
            away.refuge.to_string(),
            away.aside.as_ref().map(ToString::to_string),
            start,
            duration,
            downtime,
            away.down,
        ],
    )?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::{Zone, ZoneState};
    use crate::store::{self, tests::fresh};

    /// A zone with every field set.
    pub(crate) fn sample_zone(name: &str) -> Zone {
        Zone {
            name: name.parse().unwrap(),
            uuid: Uuid::from_u128(7),
            brand: Brand::KVM,
            state: ZoneState::Running,
            aux: None,
            id: Some(3),
            autostart: true,
            persistent: true,
            ended: None,
            memory: 96 << 20,
            cpus: 1,
        }
    }

    /// A row with every field set.
    pub(crate) fn sample(zone: &str) -> Away {
        Away {
            zone: zone.parse().unwrap(),
            uuid: Uuid::from_u128(7),
            brand: Brand::KVM,
            origin: "h1".into(),
            refuge: "ssh://root@h2".parse().unwrap(),
            aside: None,
            one_way: false,
            was_running: true,
            kind: Kind::Live,
            phase: AwayPhase::Away,
            started: Millis(1),
            ended: Some(Millis(2)),
            bytes: 5,
            downtime: Some(240),
            expected: Some(Expectation { start: Millis(1), duration: 2, downtime: Some(200) }),
            down: Some("it is down".into()),
        }
    }

    fn manifest(zone: &str) -> Manifest {
        Manifest {
            zone: sample_zone(zone),
            config: "<domain/>".into(),
            platform: "libvirt".into(),
            disks: vec![],
            networks: vec![],
            interfaces: vec![],
            obstacles: vec![],
            software: None,
            processor: None,
        }
    }

    #[test]
    fn the_list_survives_maintenance_and_new_runs() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        store.update_away(&sample("evac1")).unwrap();
        let holder = crate::store::Holder {
            kind: crate::store::MaintenanceType::default(),
            user: "root".into(),
            since: Millis(3),
            message: None,
        };
        store.start_maintenance(&holder, |_| Ok(())).unwrap();
        store.begin_run(crate::store::Direction::Evacuate, "root", 1, Millis(4)).unwrap();
        assert_eq!(store.away().unwrap(), [sample("evac1")]);
    }

    #[test]
    fn the_configuration_is_kept_whole_through_every_phase() {
        let (_folder, store) = fresh();
        let name = "evac1".parse().unwrap();
        assert_eq!(store.manifest_of(&name).unwrap(), None);
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        for &phase in AwayPhase::ALL {
            let aside = (phase == AwayPhase::Aside).then(|| "rads://h3".parse().unwrap());
            store.update_away(&Away { phase, aside, ..sample("evac1") }).unwrap();
            assert_eq!(store.manifest_of(&name).unwrap(), Some(manifest("evac1")));
        }
    }

    #[test]
    fn a_zone_does_not_take_the_place_of_another_one_of_its_name_that_is_away() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        let other = Away { uuid: Uuid::from_u128(99), ..sample("evac1") };
        let said = crate::model::chain(&store.begin_away(&other, &manifest("evac1")).unwrap_err());
        assert!(said.contains("UNIQUE") && said.contains("away.zone"), "{said}");
        assert_eq!(store.away().unwrap()[0].uuid, sample("evac1").uuid);
        // The same one again.
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
    }

    #[test]
    fn a_zone_that_is_given_up_is_configured_or_away_and_never_neither() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("web"), &manifest("web")).unwrap();
        let row = store::tests::sample::detached("web", 7, None);
        let row = Detached { last_at: Some("rads://h2".parse().unwrap()), ..row };
        // Another one of its name is configured here, of which there may be nothing else.
        let beside = store::tests::sample::detached("web", 8, None);
        store.begin_detached(&beside).unwrap();
        assert!(store.give_up(&row).is_err());
        assert_eq!((store.away().unwrap().len(), store.detached().unwrap()), (1, vec![beside.clone()]));
        store.remove_detached(beside.uuid).unwrap();
        assert!(store.give_up(&row).unwrap());
        assert_eq!((store.away().unwrap(), store.detached().unwrap()), (vec![], vec![row]));
    }

    #[test]
    fn a_zone_leaves_the_list_once() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        let name = "evac1".parse().unwrap();
        assert!(store.remove_away(&name).unwrap());
        assert!(!store.remove_away(&name).unwrap());
    }
}
