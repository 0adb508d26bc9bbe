//! One of everything that a database can contain.

mod database;

use uuid::Uuid;

pub use database::{begin, contents, write};

use crate::model::document::Written;
use crate::model::{
    Brand, Disk, Home, HostUri, Manifest, Method, Millis, Network, Replica, Step, StorageUri, Zone, ZoneName,
    ZoneState,
};
use crate::store::{
    Announcement, CheckContext, Direction, Entry, Expectation, Expected, Figures, Holder, Mark, Move,
    MoveState, PastMove, Place, RecordedTakeover, Reservation, Run, SentReplica, ZoneRecord,
};

const EXPECTATION: Expectation = Expectation { start: Millis(11), duration: 12, downtime: Some(200) };

/// Nothing goes on, and it is late.
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

pub fn past_move(zone: &str) -> PastMove {
    PastMove {
        zone: name(zone),
        source: "h1".into(),
        dest: "rads://h2".into(),
        method: Method::Live,
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

pub fn zone(called: &str) -> Zone {
    Zone {
        name: name(called),
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

/// The record of a zone in that place.
pub fn record(zone: &str, uuid: u128, place: Place) -> ZoneRecord {
    let manifest = manifest_of(zone, uuid);
    let known = match place {
        Place::Configured | Place::Migrated => {
            ZoneRecord::configured(&manifest, Written::by("h1", Millis(40)), "ada".into())
        }
        _ => ZoneRecord::of(&manifest.zone),
    };
    let known = match place {
        Place::Migrated => ZoneRecord { location: Some(uri("rads://h3:12303")), ..known },
        _ if place.is_elsewhere() => ZoneRecord {
            location: Some(uri("ssh://root@h2")),
            relocating_to: (place == Place::Relocating).then(|| uri("rads://h3")),
            was_running: true,
            since: Millis(10),
            down: (place == Place::Away).then(|| "it does not run".to_owned()),
            ..known
        },
        _ if place.is_stop() => ZoneRecord { position: Some(1), since: Millis(10), ..known },
        _ => known,
    };
    ZoneRecord { place, ..known }
}

/// The record of one that was evacuated to another host.
pub fn evacuated(zone: &str) -> ZoneRecord {
    record(zone, 7, Place::Away)
}

/// The record of one that was given up while it was away.
pub fn given_up(zone: &str, uuid: u128) -> ZoneRecord {
    ZoneRecord { location: Some(uri("rads://h2")), ..record(zone, uuid, Place::Configured) }
}

/// The record of one of that home that is here, or has gone on.
pub fn guest(zone: &str, uuid: u128, gone_to: Option<&str>) -> ZoneRecord {
    let place = if gone_to.is_some() { Place::Migrated } else { Place::Here };
    ZoneRecord { place, location: gone_to.map(uri), home: Some(home()), ..record(zone, uuid, Place::Here) }
}

/// The record of one that is here for these hosts.
pub fn brought(zone: &str, uuid: u128, owners: &[&str]) -> ZoneRecord {
    let owners = owners.iter().map(|&owner| owner.to_owned()).collect();
    ZoneRecord { owners, ..record(zone, uuid, Place::Here) }
}

pub fn manifest(zone: &str) -> Manifest {
    let network = StorageUri::network("rbd", vec!["mon1:6789".into()], "pool/web").unwrap();
    let disk = |target: &str, source| Disk::new(target, source, target == "sda");
    Manifest {
        zone: self::zone(zone),
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

/// The same of a zone with another identity.
pub fn manifest_of(zone: &str, uuid: u128) -> Manifest {
    let mut manifest = manifest(zone);
    manifest.zone.uuid = Uuid::from_u128(uuid);
    manifest
}

/// That of one with a zonepath.
pub fn container(zone: &str, uuid: u128) -> Manifest {
    let mut manifest = manifest_of(zone, uuid);
    manifest.zone.brand = Brand::LXC;
    let source = StorageUri::dir("/zones/it's here/root");
    manifest.disks.push(Disk::new("/", source, false));
    manifest
}

pub fn standby(zone: &str, origin: &str) -> Replica {
    let others = vec![uri("rads://h3:12303"), uri("ssh://root@h4")];
    Replica { manifest: manifest(zone), origin: origin.into(), via: uri("ssh://root@h2"), others }
}

/// With its own UUID.
pub fn standby_with(zone: &str, uuid: u128, origin: &str) -> Replica {
    Replica { manifest: manifest_of(zone, uuid), ..standby(zone, origin) }
}

pub fn left(zone: &str, uuid: u128, with: &str) -> SentReplica {
    SentReplica { uri: uri(with), zone: name(zone), uuid: Uuid::from_u128(uuid) }
}

pub fn heard(from: &str, at: i64) -> RecordedTakeover {
    RecordedTakeover { uri: uri(from), zone: name("web"), uuid: Uuid::from_u128(7), at: Millis(at) }
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
        method: Some(Method::Live),
        brand: Some(Brand::KVM),
        dest: Some(uri("ssh://root@h2:2222")),
        error: Some("a warning".into()),
        figures: Figures {
            step: Some(Step::Settle),
            bytes: 1 << 40,
            total: 1 << 41,
            started: Some(Millis(10)),
            ended: Some(Millis(20)),
            downtime: Some(240),
            expected: Some(EXPECTATION),
        },
        ..Move::new(name(zone))
    }
}
