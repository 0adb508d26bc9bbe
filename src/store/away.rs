//! The zones that left this host and are on another one, or on their way. The record is written before a zone
//! leaves, and kept until it is back or its record is discarded on purpose; no new maintenance and no new run
//! deletes it.

use rusqlite::{OptionalExtension, Transaction};
use uuid::Uuid;

use super::place::Place;
use super::zones::{Configuration, ZoneRecord, find, save, select, settle_here};
use super::{Detached, Expectation, Store, StoreError, detached};
use crate::model::{Brand, Home, HostUri, Manifest, Method, Millis, ZoneName, words};

words! {
    /// How far the zone's absence has come.
    AwayPhase, "phase of an absence" {
        /// It is being moved away, or its move was interrupted.
        Leaving = "leaving",
        /// It is at its location.
        Away = "away",
        /// It is being brought back, or that was interrupted.
        Returning = "returning",
        /// It is being brought from its location to another one, or that was interrupted.
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
    /// The host that it belongs to, if that is another one.
    pub home: Option<Home>,
    /// Where it was brought.
    pub location: HostUri,
    /// Where it steps aside to, in that phase.
    pub aside: Option<HostUri>,
    /// It leaves for good: it is on this list only while it moves.
    pub one_way: bool,
    /// Whether it ran before it left.
    pub was_running: bool,
    /// How it left.
    pub kind: Method,
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

impl ZoneRecord {
    /// The record of a zone that is elsewhere; none if it is not.
    pub fn away(self) -> Option<Away> {
        let phase = match self.place {
            Place::Leaving | Place::Migrating => AwayPhase::Leaving,
            Place::Away => AwayPhase::Away,
            Place::Returning => AwayPhase::Returning,
            Place::Relocating => AwayPhase::Aside,
            Place::Here
            | Place::Stopping
            | Place::Stopped
            | Place::Suspending
            | Place::Suspended
            | Place::Configured
            | Place::Migrated => return None,
        };
        Some(Away {
            zone: self.zone,
            uuid: self.uuid,
            brand: self.brand,
            home: self.home,
            location: self.location?,
            aside: self.relocating_to,
            one_way: self.place == Place::Migrating,
            was_running: self.was_running,
            kind: self.kind?,
            phase,
            started: self.since,
            ended: self.ended,
            bytes: self.bytes,
            downtime: self.downtime,
            expected: self.expected,
            down: self.down,
        })
    }
}

impl Away {
    /// The hosts from and to which it moves, or has moved, as its origin `here` calls them.
    pub fn ends<'a>(&'a self, here: &'a str) -> [&'a str; 2] {
        let location = self.location.host.as_str();
        match self.phase {
            AwayPhase::Leaving | AwayPhase::Away => [here, location],
            AwayPhase::Returning => [location, here],
            AwayPhase::Aside => [location, self.aside.as_ref().map_or("its next location", |uri| &uri.host)],
        }
    }

    /// Where it is by this record.
    pub const fn place(&self) -> Place {
        match self.phase {
            AwayPhase::Leaving if self.one_way => Place::Migrating,
            AwayPhase::Leaving => Place::Leaving,
            AwayPhase::Away => Place::Away,
            AwayPhase::Returning => Place::Returning,
            AwayPhase::Aside => Place::Relocating,
        }
    }

    /// The whole record, with what is `known` of the zone beside this.
    pub(crate) fn record(&self, known: Option<ZoneRecord>) -> ZoneRecord {
        let known = known.unwrap_or_else(|| ZoneRecord::new(&self.zone, self.uuid, self.brand));
        ZoneRecord {
            zone: self.zone.clone(),
            brand: self.brand,
            place: self.place(),
            home: self.home.clone(),
            location: Some(self.location.clone()),
            relocating_to: self.aside.clone(),
            was_running: self.was_running,
            kind: Some(self.kind),
            since: self.started,
            ended: self.ended,
            bytes: self.bytes,
            downtime: self.downtime,
            expected: self.expected,
            down: self.down.clone(),
            ..known.here()
        }
    }
}

impl Store {
    /// Records a zone that is about to leave, with its whole configuration. Another zone of its name that is away is an
    /// error: this may be all that there is of that one.
    pub fn begin_away(&self, away: &Away, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves", |transaction| {
            let record = away.record(find(transaction, away.uuid)?);
            save(transaction, &record, &Configuration::Replace(manifest))
        })
    }

    /// Changes what is known of a zone's absence. Its identity and configuration stay.
    pub fn update_away(&self, away: &Away) -> Result<(), StoreError> {
        self.write("record a zone that is away", |transaction| {
            update(transaction, away, &Configuration::Keep)
        })
    }

    /// The same of one that is about to move on or to come back, with the notes in its configuration of what its networks
    /// are called where it is.
    pub fn begin_return(&self, away: &Away, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves its location", |transaction| {
            update(transaction, away, &Configuration::Replace(manifest))
        })
    }

    /// Gives up a zone that is away. Nobody else need have its configuration: it is `configured` here then.
    pub fn give_up(&self, row: &Detached) -> Result<(), StoreError> {
        self.write("give up a zone that is away", |transaction| detached::insert(transaction, row))
    }

    /// Records that a zone which was being migrated is where it was to go, for good, and is `configured` here. Its user is
    /// who has begun the move, if the journal knows that.
    pub fn gone_for_good(&self, row: Detached) -> Result<(), StoreError> {
        self.write("record a zone that has migrated", |transaction| {
            let user: Option<String> = transaction
                .query_row(
                    "SELECT run.user FROM journal JOIN run ON run.id = journal.run WHERE journal.zone = ?1
                     ORDER BY journal.id DESC LIMIT 1",
                    [row.zone.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            let user = user.unwrap_or_else(|| row.user.clone());
            detached::insert(transaction, &Detached { user, ..row })
        })
    }

    /// Records that a zone of another host has gone on to that one; none: it went home, and nothing is kept of it.
    pub fn passed_on(&self, uuid: Uuid, to: Option<&HostUri>) -> Result<(), StoreError> {
        self.write("record that a zone of another host has left", |transaction| {
            let Some(record) = find(transaction, uuid)? else { return Ok(()) };
            let here = ZoneRecord { home: record.home.clone().filter(|_| to.is_some()), ..record.here() };
            match to {
                Some(_) => {
                    let gone = ZoneRecord { place: Place::Migrated, location: to.cloned(), ..here };
                    save(transaction, &gone, &Configuration::Drop)
                }
                None => settle_here(transaction, here),
            }
        })
    }

    /// All zones that are elsewhere, by name.
    pub fn away(&self) -> Result<Vec<Away>, StoreError> {
        self.read("read the zones that are away", |connection| {
            let which =
                "WHERE place IN ('leaving', 'migrating', 'away', 'returning', 'relocating') ORDER BY name";
            Ok(select(connection, which)?.into_iter().filter_map(ZoneRecord::away).collect())
        })
    }
}

fn update(
    transaction: &Transaction<'_>,
    away: &Away,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    match find(transaction, away.uuid)? {
        Some(known) if known.place.is_elsewhere() => {
            save(transaction, &away.record(Some(known)), configuration)
        }
        // It was given up or has come home meanwhile.
        _ => Ok(()),
    }
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
            home: None,
            location: "ssh://root@h2".parse().unwrap(),
            aside: None,
            one_way: false,
            was_running: true,
            kind: Method::Live,
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
        let uuid = sample("evac1").uuid;
        assert_eq!(store.manifest_of(uuid).unwrap(), None);
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        for phase in [AwayPhase::Away, AwayPhase::Returning, AwayPhase::Away, AwayPhase::Aside] {
            let aside = (phase == AwayPhase::Aside).then(|| "rads://h3".parse().unwrap());
            store.update_away(&Away { phase, aside, ..sample("evac1") }).unwrap();
            assert_eq!(store.manifest_of(uuid).unwrap(), Some(manifest("evac1")));
        }
    }

    #[test]
    fn a_zone_does_not_take_the_place_of_another_one_of_its_name_that_is_away() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        let other = Away { uuid: Uuid::from_u128(99), ..sample("evac1") };
        let said = crate::model::chain(&store.begin_away(&other, &manifest("evac1")).unwrap_err());
        assert!(said.contains("UNIQUE") && said.contains("zone"), "{said}");
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
        // Another zone of its name cannot be configured here: of either there may be nothing else.
        let beside = store::tests::sample::detached("web", 8, None);
        assert!(store.begin_detached(&beside).is_err());
        assert_eq!((store.away().unwrap().len(), store.detached().unwrap()), (1, vec![]));
        store.give_up(&row).unwrap();
        assert_eq!((store.away().unwrap(), store.detached().unwrap()), (vec![], vec![row]));
    }

    #[test]
    fn a_zone_comes_home_once() {
        let (_folder, store) = fresh();
        store.begin_away(&sample("evac1"), &manifest("evac1")).unwrap();
        let uuid = sample("evac1").uuid;
        assert!(store.zone_is_here(uuid).unwrap());
        assert!(!store.zone_is_here(uuid).unwrap());
        // What is said of it later is not heard.
        store.update_away(&sample("evac1")).unwrap();
        assert_eq!(store.zones().unwrap(), []);
    }

    #[test]
    fn a_manifest_is_kept_whole_even_if_a_path_in_it_is_no_text() {
        use std::os::unix::ffi::OsStrExt;
        let (_folder, store) = fresh();
        let odd = std::ffi::OsStr::from_bytes(b"/srv/\xff");
        let odd = crate::model::Disk::new("vda", crate::model::StorageUri::file(odd), false);
        let manifest = Manifest { disks: vec![odd], ..manifest("evac1") };
        store.begin_away(&sample("evac1"), &manifest).unwrap();
        assert_eq!(store.manifest_of(sample("evac1").uuid).unwrap(), Some(manifest.clone()));
        let standby = store::tests::sample::standby("evac1", "h9");
        let standby = crate::model::Replica { manifest, ..standby };
        store.hold_replica(&standby, Millis(1)).unwrap();
        let kept = store.replica_manifest(&standby.origin, &standby.manifest.zone.name).unwrap();
        assert_eq!(kept, Some(standby.manifest));
    }

    #[test]
    fn a_zone_that_has_gone_for_good_is_not_away_and_where_it_went_is_known() {
        let (_folder, store) = fresh();
        let (row, manifest) = store::tests::sample::moving("web");
        for location in ["rads://h2", "rads://h3"] {
            let row = Away { location: location.parse().unwrap(), ..row.clone() };
            store.begin_away(&row, &manifest).unwrap();
            assert!(store.away().unwrap()[0].one_way);
            store.gone_for_good(store::tests::sample::detached("web", 7, Some(location))).unwrap();
            assert_eq!(store.away().unwrap(), []);
            let record = store.zone(row.uuid).unwrap().unwrap();
            assert_eq!((record.place, record.location), (Place::Migrated, Some(row.location)));
        }
        store.begin_away(&Away { one_way: false, ..row }, &manifest).unwrap();
        assert!(!store.away().unwrap()[0].one_way, "it comes back this time");
    }
}
