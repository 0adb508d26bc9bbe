//! One of everything that a database can contain.

use uuid::Uuid;

use crate::model::document::Written;
use crate::model::{
    Brand, Disk, Home, HostUri, Manifest, Method, Millis, Network, Replica, Step, StorageUri, Zone, ZoneName,
    ZoneState,
};
use crate::store::{
    Announcement, Away, AwayPhase, CheckContext, Contents, Detached, Direction, Entry, Expectation, Expected,
    HeldReplica, Holder, Mark, Move, MoveState, PastMove, Place, RecordedTakeover, Reservation, Rest,
    RestPhase, RestWay, Run, SentReplica, Store, TargetKey, ZoneRecord,
};

const EXPECTATION: Expectation = Expectation { start: Millis(11), duration: 12, downtime: Some(200) };

/// No run is in progress, and it is late.
pub const QUIET: CheckContext = CheckContext { running: false, marker: Some(false), now: Millis(100) };

pub fn name(zone: &str) -> ZoneName {
    zone.parse().unwrap()
}

pub fn uri(text: &str) -> HostUri {
    text.parse().unwrap()
}

pub fn holder(kind: &str, since: i64, message: Option<&str>) -> Holder {
    let message = message.map(str::to_owned);
    Holder { kind: kind.parse().unwrap(), user: "ada".into(), since: Millis(since), message }
}

pub fn announcement(begins: i64) -> Announcement {
    let message = Some("new disks".to_owned());
    Announcement { begins: Millis(begins), user: "ada".into(), since: Millis(4), message }
}

pub fn run(id: i64, direction: Direction, ended: Option<i64>) -> Run {
    let outcome = ended.map(|_| "ended".to_owned());
    Run {
        id,
        direction,
        user: "ada".into(),
        pid: 4711,
        started: Millis(id),
        ended: ended.map(Millis),
        outcome,
        expected: ended.map(|_| Expected { end: Millis(8), margin: 2, first: Millis(8) }),
    }
}

pub fn entry(zone: &str, step: Step, mark: Mark) -> Entry {
    let detail = (mark == Mark::Failed).then(|| "it's \"full\"".to_owned());
    Entry { zone: name(zone), step, mark, at: Millis(1_700_000_000_000), detail }
}

pub fn away(zone: &str, phase: AwayPhase) -> (Away, Manifest) {
    let arrived = phase == AwayPhase::Away;
    let row = Away {
        zone: name(zone),
        uuid: Uuid::from_u128(7),
        brand: Brand::KVM,
        home: None,
        location: uri("ssh://root@h2"),
        aside: (phase == AwayPhase::Aside).then(|| uri("rads://h3")),
        one_way: false,
        was_running: true,
        kind: Method::Live,
        phase,
        started: Millis(10),
        ended: arrived.then_some(Millis(20)),
        bytes: if arrived { 1 << 40 } else { 0 },
        downtime: arrived.then_some(240),
        expected: arrived.then_some(EXPECTATION),
        down: arrived.then(|| "it does not run".to_owned()),
    };
    (row, manifest(zone))
}

/// With its own UUID.
pub fn away_with(zone: &str, uuid: u128, phase: AwayPhase) -> (Away, Manifest) {
    let (mut row, mut manifest) = away(zone, phase);
    (row.uuid, manifest.zone.uuid) = (Uuid::from_u128(uuid), Uuid::from_u128(uuid));
    (row, manifest)
}

/// A zone that leaves for good.
pub fn moving(zone: &str) -> (Away, Manifest) {
    let (row, manifest) = away(zone, AwayPhase::Leaving);
    (Away { one_way: true, ..row }, manifest)
}

pub fn past_move(zone: &str) -> PastMove {
    PastMove {
        zone: name(zone),
        source: "h1".into(),
        dest: "rads://h2".into(),
        kind: Method::Live,
        memory: 4 << 30,
        rate: 117_000_000,
        model_ms: 36_000,
        model_downtime_ms: 50,
        took_ms: 10,
        downtime_ms: Some(240),
        ended: Millis(20),
    }
}

/// The home of guests.
pub fn home() -> Home {
    Home { name: "h9".into(), id: Some(Uuid::from_u128(9).into()) }
}

/// A zone of that home that is here, or has moved on.
pub fn guest(zone: &str, uuid: u128, gone_to: Option<&str>) -> ZoneRecord {
    let place = if gone_to.is_some() { Place::Migrated } else { Place::Here };
    let known = ZoneRecord::new(&name(zone), Uuid::from_u128(uuid), Brand::KVM);
    ZoneRecord { place, location: gone_to.map(uri), home: Some(home()), ..known }
}

/// A zone that is here for these hosts.
pub fn brought(zone: &str, uuid: u128, owners: &[&str]) -> ZoneRecord {
    let known = ZoneRecord::new(&name(zone), Uuid::from_u128(uuid), Brand::KVM);
    ZoneRecord { owners: owners.iter().map(|&owner| owner.to_owned()).collect(), ..known }
}

pub fn rest(zone: &str, way: RestWay, phase: RestPhase) -> Rest {
    rest_with(zone, 8, way, phase)
}

/// With its own UUID.
pub fn rest_with(zone: &str, uuid: u128, way: RestWay, phase: RestPhase) -> Rest {
    Rest {
        zone: name(zone),
        uuid: Uuid::from_u128(uuid),
        brand: Brand::KVM,
        way,
        phase,
        started: Millis(10),
        ended: (phase == RestPhase::Resting).then_some(Millis(20)),
    }
}

pub fn detached(zone: &str, uuid: u128, moved_to: Option<&str>) -> Detached {
    let mut manifest = manifest(zone);
    manifest.zone.uuid = Uuid::from_u128(uuid);
    let row = Detached::new(manifest, Written::by("h1", Millis(40)), "ada".into());
    Detached { moved_to: moved_to.map(uri), ..row }
}

/// A zone whose record was discarded while it was away.
pub fn given_up(zone: &str, uuid: u128) -> Detached {
    Detached { last_at: Some(uri("rads://h2")), ..detached(zone, uuid, None) }
}

/// With a zonepath.
pub fn detached_container(zone: &str, uuid: u128) -> Detached {
    let mut manifest = manifest(zone);
    manifest.zone.uuid = Uuid::from_u128(uuid);
    manifest.zone.brand = Brand::LXC;
    let source = StorageUri::dir("/zones/it's here/root");
    manifest.disks.push(Disk::new("/", source, false));
    Detached::new(manifest, Written::by("h1", Millis(40)), "ada".into())
}

pub fn manifest(zone: &str) -> Manifest {
    let network = StorageUri::network("rbd", vec!["mon1:6789".into()], "pool/web").unwrap();
    let disk = |target: &str, source| Disk::new(target, source, target == "sda");
    Manifest {
        zone: Zone {
            name: name(zone),
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
        },
        config: "<domain type='kvm'>\n  <title>Ünïcode</title>\n</domain>\n".into(),
        platform: "libvirt".into(),
        disks: vec![
            disk("vda", StorageUri::file("/srv/web.qcow2")),
            disk("sda", StorageUri::device("/dev/vg/web")),
            disk("/data", StorageUri::dir("/srv/data")),
            disk("vdb", network),
        ],
        networks: vec![
            Network::Bridge("br0".into()),
            Network::Managed("default".into()),
            Network::Device("eth1".into()),
        ],
        interfaces: vec![],
        obstacles: vec!["it has a snapshot".into()],
        software: None,
        processor: None,
    }
}

pub fn standby(zone: &str, origin: &str) -> Replica {
    let others = vec![uri("rads://h3:12303"), uri("ssh://root@h4")];
    Replica { manifest: manifest(zone), origin: origin.into(), via: uri("ssh://root@h2"), others }
}

/// With its own UUID.
pub fn standby_with(zone: &str, uuid: u128, origin: &str) -> Replica {
    let mut standby = standby(zone, origin);
    standby.manifest.zone.uuid = Uuid::from_u128(uuid);
    standby
}

pub fn left(zone: &str, uuid: u128, with: &str) -> SentReplica {
    SentReplica { uri: uri(with), zone: name(zone), uuid: Uuid::from_u128(uuid) }
}

pub fn heard(from: &str, at: i64) -> RecordedTakeover {
    RecordedTakeover { uri: uri(from), zone: name("web"), uuid: Uuid::from_u128(7), at: Millis(at) }
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

pub fn reservation(zone: &str, expires: i64) -> Reservation {
    Reservation {
        zone: name(zone),
        uuid: Uuid::from_u128(9),
        source: "h3".into(),
        memory: 4 << 30,
        cpus: 2,
        disk: 16 << 30,
        expires: Millis(expires),
    }
}

pub fn full_move(zone: &str) -> Move {
    Move {
        state: MoveState::Evacuated,
        kind: Some(Method::Live),
        brand: Some(Brand::KVM),
        dest: Some(uri("ssh://root@h2:2222")),
        step: Some(Step::Settle),
        error: Some("a warning".into()),
        bytes: 1 << 40,
        total: 1 << 41,
        started: Some(Millis(10)),
        ended: Some(Millis(20)),
        downtime: Some(240),
        expected: Some(EXPECTATION),
        ..Move::new(name(zone))
    }
}

/// The zones that are away or on their way.
pub fn all_away() -> Vec<(Away, Manifest)> {
    vec![
        away_with("back", 11, AwayPhase::Returning),
        away_with("beside", 12, AwayPhase::Aside),
        away_with("gone", 13, AwayPhase::Away),
        {
            let (row, manifest) = away_with("moving", 14, AwayPhase::Leaving);
            (Away { one_way: true, ..row }, manifest)
        },
        away_with("web", 7, AwayPhase::Leaving),
    ]
}

/// The stopped zones, in their order.
pub fn all_rests() -> Vec<Rest> {
    vec![
        rest_with("quiet", 15, RestWay::Stop, RestPhase::Resting),
        rest_with("asleep", 16, RestWay::Suspend, RestPhase::Resting),
        rest_with("ending", 17, RestWay::Stop, RestPhase::Stopping),
        rest_with("tired", 18, RestWay::Suspend, RestPhase::Stopping),
    ]
}

/// The configured zones.
pub fn all_detached() -> Vec<Detached> {
    vec![
        detached_container("box", 21),
        given_up("lost", 24),
        detached("ready", 22, None),
        detached("there", 23, Some("rads://h3:12303")),
    ]
}

/// All zones, in every place.
fn zones() -> Vec<(ZoneRecord, Option<Manifest>)> {
    let away = all_away().into_iter().map(|(row, manifest)| (row.record(None), Some(manifest)));
    let rests = all_rests().into_iter().zip(1..).map(|(rest, position)| (rest.record(None, position), None));
    let detached = all_detached().into_iter().map(|row| (row.record(None), Some(row.manifest)));
    let passed = guest("passed", 27, Some("rads://h3"));
    // It was taken over from its replica.
    let taken = brought("taken", 28, &["h1"]);
    let others = [passed, guest("visitor", 26, None), brought("guest", 9, &["h3", "h4"]), taken];
    let mut all: Vec<_> =
        away.chain(rests).chain(detached).chain(others.map(|record| (record, None))).collect();
    all.sort_by(|(a, _), (b, _)| a.zone.cmp(&b.zone));
    all
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
    for (row, manifest) in &all_away() {
        begin(store, row, manifest);
    }
    store.record_past_moves(1, &contents.past_moves).unwrap();
    let zone = |zone: &str, uuid| Zone { uuid: Uuid::from_u128(uuid), ..manifest(zone).zone };
    for guest in [zone("passed", 27), zone("visitor", 26)] {
        store.set_home(&guest, &home()).unwrap();
    }
    let (passing, configuration) = away_with("passed", 27, AwayPhase::Leaving);
    store.begin_away(&Away { one_way: true, home: Some(home()), ..passing }, &configuration).unwrap();
    store.passed_on(Uuid::from_u128(27), Some(&uri("rads://h3"))).unwrap();
    for rest in &all_rests() {
        store.begin_rest(&Rest { phase: RestPhase::Stopping, ended: None, ..rest.clone() }).unwrap();
        store.update_rest(rest).unwrap();
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
    for row in all_detached() {
        if let Some(to) = &row.moved_to {
            let (moving, manifest) = away_with(row.zone.as_str(), 23, AwayPhase::Leaving);
            let moving = Away { one_way: true, location: to.clone(), ..moving };
            store.begin_away(&moving, &manifest).unwrap();
            store.gone_for_good(row).unwrap();
        } else {
            store.begin_detached(&row).unwrap();
        }
    }
    for reservation in &contents.reservations {
        store.reserve(reservation, Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
    }
    let owners = ["h3", "h4"].map(str::to_owned);
    store.bring(&zone("guest", 9), &owners, true, &[Uuid::from_u128(28)].into()).unwrap();
}

/// Records a zone that is away, through all places on its way.
pub fn begin(store: &Store, row: &Away, manifest: &Manifest) {
    let (phase, aside) = (AwayPhase::Leaving, None);
    store.begin_away(&Away { phase, aside: aside.clone(), ..row.clone() }, manifest).unwrap();
    if row.phase != phase {
        store.update_away(&Away { phase: AwayPhase::Away, aside, ..row.clone() }).unwrap();
    }
    store.update_away(row).unwrap();
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let (_folder, store) = crate::store::tests::fresh();
    write(&store);
    assert_eq!(store.contents().unwrap(), contents());
    assert_eq!(store.away().unwrap(), all_away().into_iter().map(|(row, _)| row).collect::<Vec<_>>());
    assert_eq!((store.rests().unwrap(), store.detached().unwrap()), (all_rests(), all_detached()));
    let (row, manifest) = away("web", AwayPhase::Leaving);
    assert_eq!(store.manifest_of(row.uuid).unwrap(), Some(manifest));
}
