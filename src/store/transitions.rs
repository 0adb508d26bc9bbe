//! The writes that take a zone from one place to another. Which they may be is said in `place`.
//!
//! The record is there before a zone leaves, before it is asked to stop and before the platform forgets it, and until it is
//! back, runs again or was given up on purpose; no new maintenance and no new run erases it.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::place::Place;
use super::zone_record::ZoneRecord;
use super::zones::{Configuration, find, save};
use super::{Store, StoreError};
use crate::model::{HostUri, Manifest};

impl Store {
    /// Records a zone that is about to leave, with its whole configuration. Another zone of its name that is away is an
    /// error: this may be all that there is of that one.
    pub fn begin_move(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves", |transaction| {
            put(transaction, record, &Configuration::Replace(manifest))
        })
    }

    /// Records a zone that is about to move on or to come back, with the notes in its configuration of what its networks are
    /// called where it is.
    pub fn begin_return(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that leaves its location", |transaction| {
            update(transaction, record, &Configuration::Replace(manifest))
        })
    }

    /// Records a zone that is about to be stopped or suspended, after all others.
    pub fn begin_stop(&self, record: &ZoneRecord) -> Result<(), StoreError> {
        self.write("record a zone that is being stopped", |transaction| {
            let last = "SELECT ifnull(max(position), 0) FROM zone";
            let last: i64 = transaction.query_row(last, [], |row| row.get(0))?;
            let record = ZoneRecord { position: Some(last + 1), ..record.clone() };
            put(transaction, &record, &Configuration::Drop)
        })
    }

    /// Changes what is recorded of a zone that is away or was stopped. Its configuration stays. One that was given up or has
    /// come home meanwhile stays so.
    pub fn update_zone(&self, record: &ZoneRecord) -> Result<(), StoreError> {
        self.write("change the record of a zone", |transaction| {
            update(transaction, record, &Configuration::Keep)
        })
    }

    /// Records a zone of which only the configuration is here from now on: it was detached, created or given up. Another
    /// zone of its name that is configured here or away is an error.
    pub fn configure(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that is configured", |transaction| configure(transaction, record, manifest))
    }

    /// Keeps the configuration of a zone that comes over it. The record of one that is away has its configuration already.
    pub fn keep_previous(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("keep the configuration that a zone comes over", |transaction| {
            match find(transaction, record.uuid)? {
                Some(known) if known.place.is_elsewhere() => Ok(()),
                _ => configure(transaction, record, manifest),
            }
        })
    }

    /// The configuration that is kept of a zone does not hold any more: it is attached, here or elsewhere.
    pub fn forget_configured(&self, uuid: Uuid) -> Result<(), StoreError> {
        self.write("forget the configuration of a zone", |transaction| match find(transaction, uuid)? {
            Some(record) if matches!(record.place, Place::Configured | Place::Migrated) => {
                settle_here(transaction, record)
            }
            _ => Ok(()),
        })
    }

    /// Records that a zone which was being migrated is where it was to go, for good. Its user is who has begun the move, if
    /// the journal knows that.
    pub fn end_migration(&self, record: &ZoneRecord, manifest: &Manifest) -> Result<(), StoreError> {
        self.write("record a zone that has migrated", |transaction| {
            let user: Option<String> = transaction
                .query_row(
                    "SELECT run.user FROM journal JOIN run ON run.id = journal.run WHERE journal.zone = ?1
                     ORDER BY journal.id DESC LIMIT 1",
                    [record.zone.as_str()],
                    |row| row.get(0),
                )
                .optional()?;
            configure(
                transaction,
                &ZoneRecord { user: user.or(record.user.clone()), ..record.clone() },
                manifest,
            )
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
}

/// Writes a record. Whose the zone is stays.
fn put(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    let (home, owners) =
        find(transaction, record.uuid)?.map_or_else(Default::default, |known| (known.home, known.owners));
    let record = ZoneRecord { home: record.home.clone().or(home), owners, ..record.clone() };
    save(transaction, &record, configuration)
}

/// The same, if the zone is still away, or still stopped.
fn update(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    configuration: &Configuration<'_>,
) -> rusqlite::Result<()> {
    let is_as_before = |known: &ZoneRecord| match record.place.is_stop() {
        true => known.place.is_stop(),
        false => known.place.is_elsewhere(),
    };
    match find(transaction, record.uuid)?.filter(is_as_before) {
        Some(ZoneRecord { position, .. }) => {
            put(transaction, &ZoneRecord { position, ..record.clone() }, configuration)
        }
        None => Ok(()),
    }
}

fn configure(
    transaction: &Transaction<'_>,
    record: &ZoneRecord,
    manifest: &Manifest,
) -> rusqlite::Result<()> {
    // What is left of another zone that has migrated away is no more than a note.
    transaction.execute(
        "DELETE FROM zone WHERE name = ?1 AND uuid <> ?2 AND place = 'migrated' AND manifest IS NOT NULL",
        params![record.zone.as_str(), record.uuid.to_string()],
    )?;
    put(transaction, record, &Configuration::Replace(manifest))
}

/// Records that a zone is here. Its configuration is known to the platform.
fn settle_here(transaction: &Transaction<'_>, record: ZoneRecord) -> rusqlite::Result<()> {
    save(transaction, &record.here(), &Configuration::Drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Location, Millis};
    use crate::store::Direction;
    use crate::store::tests::{fresh, sample};

    fn names(records: &[ZoneRecord]) -> Vec<&str> {
        records.iter().map(|record| record.zone.as_str()).collect()
    }

    #[test]
    fn the_list_survives_maintenance_and_new_runs() {
        let (_folder, store) = fresh();
        let row = sample::evacuated("web");
        sample::begin(&store, &row, &sample::manifest("web"));
        store.start_maintenance(&sample::holder("admin", 3, None), |_| Ok(())).unwrap();
        store.begin_run(Direction::Evacuate, "root", 1, Millis(4)).unwrap();
        assert_eq!(store.away().unwrap(), [row]);
    }

    #[test]
    fn the_configuration_is_kept_whole_in_every_place() {
        let (_folder, store) = fresh();
        let manifest = sample::manifest("web");
        assert_eq!(store.manifest_of(manifest.zone.uuid).unwrap(), None);
        sample::begin(&store, &sample::evacuated("web"), &manifest);
        for place in [Place::Away, Place::Returning, Place::Away, Place::Relocating] {
            store.update_zone(&sample::record("web", 7, place)).unwrap();
            assert_eq!(store.manifest_of(manifest.zone.uuid).unwrap(), Some(manifest.clone()));
        }
    }

    #[test]
    fn a_zone_does_not_take_the_place_of_another_one_of_its_name_that_is_away_or_configured() {
        for place in [Place::Leaving, Place::Configured] {
            let (_folder, store) = fresh();
            let write = |uuid| {
                let record = sample::record("web", uuid, place);
                match place {
                    Place::Configured => store.configure(&record, &sample::manifest_of("web", uuid)),
                    _ => store.begin_move(&record, &sample::manifest_of("web", uuid)),
                }
            };
            write(1).unwrap();
            let said = crate::model::chain(&write(2).unwrap_err());
            assert!(said.contains("UNIQUE") && said.contains("zone"), "{said}");
            assert_eq!(store.zones().unwrap(), [sample::record("web", 1, place)]);
            // The same one again.
            write(1).unwrap();
        }
    }

    #[test]
    fn a_zone_that_is_given_up_is_configured_or_away_and_never_neither() {
        let (_folder, store) = fresh();
        let manifest = sample::manifest("web");
        sample::begin(&store, &sample::evacuated("web"), &manifest);
        // Another zone of its name cannot be configured here: of either there may be nothing else.
        let beside = sample::record("web", 8, Place::Configured);
        assert!(store.configure(&beside, &sample::manifest_of("web", 8)).is_err());
        assert_eq!(store.zones().unwrap(), [sample::evacuated("web")]);
        let given_up = sample::given_up("web", 7);
        store.configure(&given_up, &manifest).unwrap();
        assert_eq!(store.zones().unwrap(), [given_up]);
    }

    #[test]
    fn a_zone_comes_home_once() {
        let (_folder, store) = fresh();
        let row = sample::evacuated("web");
        sample::begin(&store, &row, &sample::manifest("web"));
        assert!(store.zone_is_here(row.uuid).unwrap());
        assert!(!store.zone_is_here(row.uuid).unwrap());
        // What is said of it later is not heard.
        store.update_zone(&row).unwrap();
        assert_eq!(store.zones().unwrap(), []);
    }

    #[test]
    fn a_manifest_is_kept_whole_even_if_a_path_in_it_is_no_text() {
        use std::os::unix::ffi::OsStrExt;
        let (_folder, store) = fresh();
        let odd = std::ffi::OsStr::from_bytes(b"/srv/\xff");
        let odd = crate::model::Disk::new("vda", crate::model::StorageUri::file(odd), false);
        let manifest = Manifest { disks: vec![odd], ..sample::manifest("web") };
        let leaving = sample::record("web", 7, Place::Leaving);
        store.begin_move(&leaving, &manifest).unwrap();
        assert_eq!(store.manifest_of(leaving.uuid).unwrap(), Some(manifest.clone()));
        let standby = crate::model::Replica { manifest, ..sample::standby("web", "h9") };
        store.hold_replica(&standby, Millis(1)).unwrap();
        let kept = store.replica_manifest(&standby.origin, &standby.manifest.zone.name).unwrap();
        assert_eq!(kept, Some(standby.manifest));
    }

    #[test]
    fn a_zone_that_migrates_is_on_the_list_until_it_has_gone_for_good() {
        let (_folder, store) = fresh();
        let (moving, manifest) = (sample::record("web", 7, Place::Migrating), sample::manifest("web"));
        for to in ["rads://h2", "rads://h3"] {
            let location = Some(sample::uri(to));
            let moving = ZoneRecord { location: location.clone(), ..moving.clone() };
            store.begin_move(&moving, &manifest).unwrap();
            assert_eq!(store.away().unwrap(), [moving]);
            let gone = ZoneRecord { location, ..sample::record("web", 7, Place::Migrated) };
            store.end_migration(&gone, &manifest).unwrap();
            assert_eq!(store.zones().unwrap(), [gone]);
        }
        let leaving = sample::record("web", 7, Place::Leaving);
        store.begin_move(&leaving, &manifest).unwrap();
        assert_eq!(store.away().unwrap(), [leaving], "it comes back this time");
    }

    #[test]
    fn zones_are_kept_in_the_order_in_which_they_were_stopped() {
        let (_folder, store) = fresh();
        let order = |expected: &[&str]| assert_eq!(names(&store.stopped().unwrap()), expected);
        for (zone, uuid) in [("web", 1), ("app", 2), ("db", 3)] {
            store.begin_stop(&sample::record(zone, uuid, Place::Stopping)).unwrap();
        }
        let app = ZoneRecord { position: Some(2), ..sample::record("app", 2, Place::Stopped) };
        store.update_zone(&app).unwrap();
        order(&["web", "app", "db"]);
        assert_eq!(store.stopped().unwrap()[1], app);
        // It runs on, and is suspended later.
        assert!(store.zone_is_here(Uuid::from_u128(1)).unwrap());
        store.begin_stop(&sample::record("web", 1, Place::Suspending)).unwrap();
        order(&["app", "db", "web"]);
        assert!(store.zone_is_here(app.uuid).unwrap() && !store.zone_is_here(app.uuid).unwrap());
        store.update_zone(&app).unwrap();
        order(&["db", "web"]);
    }

    #[test]
    fn a_zone_is_kept_with_all_that_is_known_of_it_until_it_is_attached() {
        let (_folder, store) = fresh();
        let configured = |zone: &str| sample::record(zone, 1, Place::Configured);
        for zone in ["web", "shop"] {
            store.configure(&configured(zone), &sample::manifest_of(zone, 1)).unwrap();
            assert_eq!(store.configured().unwrap(), [configured(zone)]);
        }
        assert!(store.zone_is_here(Uuid::from_u128(1)).unwrap());
        assert_eq!(store.zones().unwrap(), []);
        // Where it was migrated to it has its configuration: its name is free here.
        let gone = sample::record("old", 3, Place::Migrated);
        store
            .begin_move(&sample::record("old", 3, Place::Migrating), &sample::manifest_of("old", 3))
            .unwrap();
        store.end_migration(&gone, &sample::manifest_of("old", 3)).unwrap();
        assert_eq!(store.configured().unwrap(), [gone]);
        let other = sample::record("old", 4, Place::Configured);
        store.configure(&other, &sample::manifest_of("old", 4)).unwrap();
        assert_eq!(store.configured().unwrap(), [other]);
        assert!(store.delete_zone(Uuid::from_u128(4)).unwrap());
        assert_eq!(store.zones().unwrap(), []);
    }

    #[test]
    fn a_guest_is_known_with_its_home_until_it_goes_home_and_where_it_went_is_kept() {
        let (_folder, store) = fresh();
        let (home, manifest) = (sample::home(), sample::manifest("web"));
        let row = sample::record("web", 7, Place::Migrating);
        let come_and_leave = || {
            store.set_home(&manifest.zone, &home).unwrap();
            assert_eq!(store.zone(row.uuid).unwrap().unwrap().home.as_ref(), Some(&home));
            store.begin_move(&row, &manifest).unwrap();
            assert_eq!(store.zone(row.uuid).unwrap().unwrap().home.as_ref(), Some(&home));
        };
        come_and_leave();
        let to = sample::uri("rads://h3");
        store.passed_on(row.uuid, Some(&to)).unwrap();
        let record = store.zone(row.uuid).unwrap().unwrap();
        assert_eq!(record.known_location(false), Location::Migrated(to));
        assert!(!record.is_configured(), "its configuration is no affair of this host");
        assert_eq!((store.away().unwrap(), store.configured().unwrap()), (vec![], vec![]));
        come_and_leave();
        store.passed_on(row.uuid, None).unwrap();
        assert_eq!(store.zones().unwrap(), []);
        assert!(!store.remove_home(row.uuid).unwrap());
    }

    #[test]
    fn a_zone_in_one_place_does_not_get_into_another_one_and_the_error_names_both() {
        let (_folder, store) = fresh();
        let row = sample::evacuated("web");
        sample::begin(&store, &row, &sample::manifest("web"));
        let error = store.begin_stop(&sample::record("web", 7, Place::Stopping)).unwrap_err();
        assert!(matches!(error, StoreError::Transition(_)), "{error}");
        assert_eq!(error.to_string(), "zone 'web' is recorded as away and cannot become stopping");
        assert_eq!(store.zones().unwrap(), [row]);
    }
}
