//! A database with one of everything.

use uuid::Uuid;

use super::{
    announcement, brought, container, entry, full_move, given_up, guest, heard, holder, home, left, manifest,
    manifest_of, name, past_move, record, reservation, run, standby, standby_with, uri,
};
use crate::model::document::Written;
use crate::model::{Manifest, Millis, Replica, Step, Zone};
use crate::store::{
    Contents, Direction, HeldReplica, Mark, Move, MoveState, Place, Store, TargetKey, ZoneRecord,
};

/// The zones that are away or on their way.
fn all_away() -> Vec<ZoneRecord> {
    vec![
        record("back", 11, Place::Returning),
        record("beside", 12, Place::Relocating),
        record("gone", 13, Place::Away),
        record("moving", 14, Place::Migrating),
        record("web", 7, Place::Leaving),
    ]
}

/// Those that were stopped, in that order.
fn all_stopped() -> Vec<ZoneRecord> {
    let all = [
        record("quiet", 15, Place::Stopped),
        record("asleep", 16, Place::Suspended),
        record("ending", 17, Place::Stopping),
        record("tired", 18, Place::Suspending),
    ];
    all.into_iter().zip(1..).map(|(record, at)| ZoneRecord { position: Some(at), ..record }).collect()
}

/// The configured zones.
fn all_configured() -> Vec<(ZoneRecord, Manifest)> {
    let container = container("box", 21);
    let configured = ZoneRecord::configured(&container, Written::by("h1", Millis(40)), "ada".into());
    vec![
        (configured, container),
        (given_up("lost", 24), manifest_of("lost", 24)),
        (record("ready", 22, Place::Configured), manifest_of("ready", 22)),
        (record("there", 23, Place::Migrated), manifest_of("there", 23)),
    ]
}

fn manifest_for(record: &ZoneRecord) -> Manifest {
    manifest_of(record.zone.as_str(), record.uuid.as_u128())
}

/// All zones, in every place.
fn zones() -> Vec<(ZoneRecord, Option<Manifest>)> {
    let away = all_away().into_iter().map(|record| (record.clone(), Some(manifest_for(&record))));
    let configured = all_configured().into_iter().map(|(record, manifest)| (record, Some(manifest)));
    let passed = guest("passed", 27, Some("rads://h3"));
    // It was taken over from its replica.
    let taken = brought("taken", 28, &["h1"]);
    let others = [passed, guest("visitor", 26, None), brought("guest", 9, &["h3", "h4"]), taken];
    let others = all_stopped().into_iter().chain(others).map(|record| (record, None));
    let mut all: Vec<_> = away.chain(configured).chain(others).collect();
    all.sort_by(|(a, _), (b, _)| a.zone.cmp(&b.zone));
    all
}

fn standby_row(standby: &Replica, taken: Option<(Millis, String)>) -> (HeldReplica, Manifest) {
    let (zone, manifest) = (&standby.manifest.zone, standby.manifest.clone());
    let row = HeldReplica {
        zone: zone.name.clone(),
        origin: standby.origin.clone(),
        uuid: zone.uuid,
        brand: zone.brand,
        via: standby.via.clone(),
        others: standby.others.clone(),
        since: Millis(40),
        taken,
    };
    (row, manifest)
}

/// Every table, every word of every enum, every column with and without a value.
pub fn contents() -> Contents {
    let moves = MoveState::ALL.iter().enumerate();
    let moves = moves.map(|(n, &state)| (1, Move { state, ..Move::new(name(&format!("z{n}"))) }));
    let marks = Mark::ALL.iter().map(|&mark| (1, entry("web", Step::Reserve, mark)));
    let steps = Step::ALL.iter().map(|&step| (2, entry("db", step, Mark::Intent)));
    Contents {
        holders: vec![holder("admin", 1, Some("new kernel: it's 6.12")), holder("power", 2, None)],
        announcement: Some(announcement(5)),
        targets: [
            (TargetKey::Default, vec![uri("ssh://root@h2"), uri("rads://h3")]),
            (TargetKey::Zone(name("web")), vec![uri("rads://h3:12303")]),
        ]
        .into(),
        runs: vec![
            run(1, Direction::Evacuate, Some(9)),
            run(2, Direction::Return, None),
            run(3, Direction::Migrate, None),
        ],
        moves: moves.chain([(1, full_move("zz")), (2, full_move("web"))]).collect(),
        journal: marks.chain(steps).collect(),
        zones: zones(),
        past_moves: vec![past_move("zz")],
        held_replicas: vec![
            standby_row(&standby("left", "h1"), None),
            standby_row(&standby_with("taken", 28, "h1"), Some((Millis(41), "ada".into()))),
        ],
        sent_replicas: vec![left("web", 7, "rads://h3:12303"), left("web", 7, "ssh://root@h2")],
        recorded_takeovers: vec![heard("rads://h3:12303", 43)],
        reservations: vec![reservation("guest", 1_700_000_000_000)],
    }
}

/// Writes that into an empty database.
pub fn write(store: &Store) {
    let contents = contents();
    for holder in &contents.holders {
        assert_eq!(store.start_maintenance(holder, |_| Ok(())).unwrap(), None);
    }
    contents.announcement.iter().for_each(|announcement| store.announce(announcement).unwrap());
    for (key, uris) in &contents.targets {
        store.set_targets(std::slice::from_ref(key), uris).unwrap();
    }
    for run in &contents.runs {
        assert_eq!(store.begin_run(run.direction, &run.user, run.pid, run.started).unwrap(), run.id);
        if let Some(expected) = run.expected {
            store.expect(run.id, (expected.end, expected.margin), &[]).unwrap();
        }
        if let (Some(ended), Some(outcome)) = (run.ended, &run.outcome) {
            store.end_run(run.id, outcome, ended).unwrap();
        }
    }
    for (run, a_move) in &contents.moves {
        store.save_moves(*run, std::slice::from_ref(a_move)).unwrap();
    }
    for (run, entry) in &contents.journal {
        store.log_step(*run, entry).unwrap();
    }
    for record in &all_away() {
        begin(store, record, &manifest_for(record));
    }
    store.record_past_moves(1, &contents.past_moves).unwrap();
    let zone = |zone: &str, uuid| Zone { uuid: Uuid::from_u128(uuid), ..manifest(zone).zone };
    for guest in [zone("passed", 27), zone("visitor", 26)] {
        store.set_home(&guest, &home()).unwrap();
    }
    let passing = ZoneRecord { home: Some(home()), ..record("passed", 27, Place::Migrating) };
    store.begin_move(&passing, &manifest_for(&passing)).unwrap();
    store.passed_on(passing.uuid, Some(&uri("rads://h3"))).unwrap();
    for stopped in &all_stopped() {
        let place = match stopped.place {
            Place::Suspending | Place::Suspended => Place::Suspending,
            _ => Place::Stopping,
        };
        store.begin_stop(&ZoneRecord { place, ..stopped.clone() }).unwrap();
        store.update_zone(stopped).unwrap();
    }
    for (row, manifest) in &contents.held_replicas {
        let (origin, via) = (row.origin.clone(), row.via.clone());
        let standby = Replica { manifest: manifest.clone(), origin, via, others: row.others.clone() };
        store.hold_replica(&standby, row.since).unwrap();
        if let Some((at, by)) = &row.taken {
            store.mark_replica_taken(&row.origin, &row.zone, Some((*at, by))).unwrap();
        }
    }
    contents.sent_replicas.iter().for_each(|row| store.record_sent_replica(row).unwrap());
    contents.recorded_takeovers.iter().for_each(|heard| store.record_takeover(heard).unwrap());
    for (record, manifest) in &all_configured() {
        if record.place == Place::Migrated {
            let moving = super::record(record.zone.as_str(), record.uuid.as_u128(), Place::Migrating);
            store.begin_move(&moving, manifest).unwrap();
            store.end_migration(record, manifest).unwrap();
        } else {
            store.configure(record, manifest).unwrap();
        }
    }
    for reservation in &contents.reservations {
        store.reserve(reservation, Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
    }
    let owners = ["h3", "h4"].map(str::to_owned);
    store.bring(&zone("guest", 9), &owners, true, &[Uuid::from_u128(28)].into()).unwrap();
}

/// Records a zone that is away, through all places on its way.
pub fn begin(store: &Store, record: &ZoneRecord, manifest: &Manifest) {
    let first = if record.place == Place::Migrating { Place::Migrating } else { Place::Leaving };
    let at = |place| ZoneRecord { place, relocating_to: None, ..record.clone() };
    store.begin_move(&at(first), manifest).unwrap();
    if record.place != first {
        store.update_zone(&at(Place::Away)).unwrap();
        store.update_zone(record).unwrap();
    }
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let (_folder, store) = crate::store::tests::fresh();
    write(&store);
    assert_eq!(store.contents().unwrap(), contents());
    assert_eq!((store.away().unwrap(), store.stopped().unwrap()), (all_away(), all_stopped()));
    let configured: Vec<_> = all_configured().into_iter().map(|(record, _)| record).collect();
    assert_eq!(store.configured().unwrap(), configured);
    assert_eq!(store.manifest_of(Uuid::from_u128(7)).unwrap(), Some(manifest("web")));
}
