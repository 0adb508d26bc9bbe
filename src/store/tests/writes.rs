//! All writes of the store. The other tests check for each of them what must always hold.

use std::collections::BTreeSet;
use std::path::Path;

use super::sample::{
    announcement, entry, heard, holder, home, left, manifest, manifest_of, name, past_move, record,
    reservation, standby, uri,
};
use crate::model::{Millis, Step};
use crate::store::{Direction, Mark, Move, Place, Store, StoreError, TargetKey};

/// A write, under its name in errors; each changes something in the sample.
pub type Write = (&'static str, fn(&Store) -> Result<(), StoreError>);

pub const WRITES: &[Write] = &[
    ("start maintenance", |store| store.start_maintenance(&holder("network", 3, None), |_| Ok(())).map(drop)),
    ("end maintenance", |store| store.end_maintenance(&"admin".parse().unwrap()).map(drop)),
    ("note when maintenance begins", |store| store.announce(&announcement(9))),
    ("call announced maintenance off", |store| store.call_off().map(drop)),
    ("set targets", |store| store.set_targets(&[TargetKey::Default], &[uri("rads://h9")])),
    ("record a new run", |store| store.begin_run(Direction::Evacuate, "eve", 1, Millis(5)).map(drop)),
    ("record the end of a run", |store| store.end_run(2, "ended", Millis(6))),
    ("record what is expected of a run", |store| store.expect(2, (Millis(9), 1), &[])),
    ("record the state of moves", |store| store.save_moves(2, &[Move::new(name("new"))])),
    ("write the journal", |store| store.log_step(2, &entry("new", Step::Reserve, Mark::Intent))),
    ("record a zone that has migrated", |store| {
        store.end_migration(&record("moving", 14, Place::Migrated), &manifest_of("moving", 14))
    }),
    ("record a zone that leaves", |store| {
        store.begin_move(&record("new", 31, Place::Leaving), &manifest_of("new", 31))
    }),
    ("change the record of a zone", |store| store.update_zone(&record("web", 7, Place::Away))),
    ("record a zone that leaves its location", |store| {
        store.begin_return(&record("gone", 13, Place::Returning), &manifest_of("gone", 13))
    }),
    ("record that a zone is here", |store| store.zone_is_here(uuid(13)).map(drop)),
    ("delete the record of a zone", |store| store.delete_zone(uuid(23)).map(drop)),
    ("record a zone that is being stopped", |store| store.begin_stop(&record("tiny", 32, Place::Stopping))),
    ("record a zone that is configured", |store| {
        store.configure(&record("fresh", 34, Place::Configured), &manifest_of("fresh", 34))
    }),
    ("keep the configuration that a zone comes over", |store| {
        store.keep_previous(&record("older", 35, Place::Configured), &manifest_of("older", 35))
    }),
    ("forget the configuration of a zone", |store| store.forget_configured(uuid(22))),
    ("record whose zone it is", |store| store.set_home(&manifest("new").zone, &home())),
    ("record that a zone belongs to no other host", |store| store.remove_home(uuid(26)).map(drop)),
    ("record that a zone of another host has left", |store| {
        store.passed_on(uuid(14), Some(&uri("rads://h3")))
    }),
    ("record what moves took", |store| store.record_past_moves(2, &[past_move("web")])),
    ("keep a manifest of another host", |store| store.hold_replica(&standby("new", "h1"), Millis(42))),
    ("record a zone that was attached from a manifest of its lost host", |store| {
        store.mark_replica_taken("h1", &name("left"), Some((Millis(42), "eve")))
    }),
    ("drop a manifest of another host", |store| store.drop_replica("h1", &name("taken")).map(drop)),
    ("record with whom a manifest is left", |store| store.record_sent_replica(&left("new", 31, "rads://h9"))),
    ("record that manifests were withdrawn", |store| {
        let row = left("web", 7, "ssh://root@h2");
        store.drop_sent_replicas(&row.uri, &[row.uuid])
    }),
    ("record what was heard of a zone", |store| store.record_takeover(&heard("rads://h9", 44))),
    ("record that a host knows what was heard", |store| {
        let row = heard("rads://h3:12303", 43);
        store.acknowledge_takeovers(&row.uri, &[(row.uuid, row.at)])
    }),
    ("reserve room", |store| {
        store.reserve(&reservation("new", 99), Millis(0), |_| Ok::<_, ()>(())).map(drop)
    }),
    ("record who brings a zone", |store| {
        store.bring(&manifest("web").zone, &["h9".to_owned()], true, &Default::default())
    }),
    ("extend a reservation", |store| {
        store.renew(&name("guest"), reservation("guest", 0).uuid, Millis(1 << 50)).map(drop)
    }),
    ("give reserved room back", |store| {
        store.release(&name("guest"), reservation("guest", 0).uuid).map(drop)
    }),
];

fn uuid(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

/// The name in every `self.write("…"` in the store's own code.
fn in_the_code() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let folders = [folder.clone(), folder.join("replicas")];
    let files = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path());
    let mut found = BTreeSet::new();
    for file in files.filter(|file| file.extension().is_some_and(|end| end == "rs")) {
        let code = std::fs::read_to_string(file).unwrap();
        found.extend(code.split("self.write(").skip(1).map(|call| {
            let words = call.trim_start().strip_prefix('"').and_then(|call| call.split_once('"'));
            words.expect("a write is named by a literal").0.to_owned()
        }));
    }
    found
}

#[test]
fn every_write_of_the_store_is_in_the_table() {
    let table: BTreeSet<_> = WRITES.iter().map(|(what, _)| (*what).to_owned()).collect();
    assert_eq!(table, in_the_code());
}
