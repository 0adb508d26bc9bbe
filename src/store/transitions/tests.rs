//! Where a zone can go from each place, and what stays of its record.

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
    store.begin_move(&sample::record("old", 3, Place::Migrating), &sample::manifest_of("old", 3)).unwrap();
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
