//! Reads what was published with mVM (Kherbache, Madelaine, Hermenier, IEEE TCC 2017): plans, what they took when
//! they were run, and sets of hosts that are emptied. Sizes are in MB, bandwidths in Mbit/s, of which a ninth are
//! bytes; times in seconds.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use sysadm_planner::plan::{
    Assignment, Dirty, Fleet, FleetHost, FleetZone, HostIx, HostKey, Placement, Trunk, ZoneIx,
};

const MB: u64 = 1_000_000;

/// One set of moves.
pub struct Case {
    pub name: String,
    pub fleet: Fleet,
    pub placement: Placement,
    pub trunks: Vec<Trunk>,
    pub ready: BTreeMap<HostIx, u64>,
    /// When the published plan ends, in ms.
    pub published: Option<u64>,
}

/// One migration as it was planned and as it was run.
pub struct Run {
    pub zone: FleetZone,
    pub from: FleetHost,
    pub to: FleetHost,
    pub rate: u64,
    /// Milliseconds that it took.
    pub took: u64,
}

/// Bytes per second of Mbit/s, as published: whole MB, as the rest is overhead.
pub const fn rate(mbit: u64) -> u64 {
    mbit / 9 * MB
}

pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort_by_key(|file| (file.to_string_lossy().len(), file.clone()));
    files
}

pub fn name(file: &Path) -> String {
    file.file_name().expect("a name").to_string_lossy().split('.').take(2).collect::<Vec<_>>().join(".")
}

/// A published plan: four hosts, ten migrations.
pub fn plan(file: &Path) -> Case {
    let json: Value = serde_json::from_str(&std::fs::read_to_string(file).expect("a file")).expect("JSON");
    let actions = json["actions"].as_array().expect("actions");
    let lines: BTreeMap<u64, u64> = BTreeMap::from([(0, 500), (1, 500), (2, 1000), (3, 1000)]);
    let fleet = fleet(&json["origin"], |host| lines[&host]);
    for action in actions {
        let ends = [number(&action["from"]), number(&action["to"])].map(|host| lines[&host]);
        assert_eq!(
            Some(&number(&action["bw"])),
            ends.iter().min(),
            "{}: the bandwidth of an action",
            file.display()
        );
    }
    let moves = actions.iter().map(|action| assignment(&fleet, number(&action["vm"]), number(&action["to"])));
    let end = actions.iter().map(|action| number(&action["end"])).max();
    Case {
        name: name(file),
        placement: Placement { moves: moves.collect(), unplaced: Vec::new() },
        fleet,
        trunks: Vec::new(),
        ready: BTreeMap::new(),
        published: end.map(|end| end * 1000),
    }
}

/// A set of hosts that is emptied onto hosts that must boot first.
pub fn decommissioning(file: &Path) -> Case {
    let mut text = String::new();
    let packed = std::fs::File::open(file).expect("a file");
    GzDecoder::new(packed).read_to_string(&mut text).expect("gzip");
    let json: Value = serde_json::from_str(&text).expect("JSON");
    let model = &json["model"];
    let net =
        model["views"].as_array().expect("views").iter().find(|view| view["id"] == "net").expect("a network");
    let links = net["links"].as_array().expect("links");
    let is_host = |link: &&Value| link["physicalElement"]["type"] == "node";
    let of = |link: &Value| number(&link["physicalElement"]["id"]);
    let lines: BTreeMap<_, _> =
        links.iter().filter(is_host).map(|link| (of(link), number(&link["capacity"]))).collect();
    let fleet = fleet(model, |host| lines[&host]);
    let place = |host: u64| host_place(&fleet, host);
    let behind = |switch: &Value| {
        links.iter().filter(is_host).filter(|l| l["switch"] == *switch).map(of).map(place).collect()
    };
    // A connection between switches joins what is behind the outer one to all others.
    let trunk = |link: &Value| Trunk {
        hosts: behind(&link["physicalElement"]["id"]),
        bandwidth: number(&link["capacity"]) / 1000 * rate(1000),
    };
    let trunks: Vec<_> = links.iter().filter(|link| !is_host(link)).map(trunk).collect();
    assert!(trunks.iter().all(|trunk| !trunk.hosts.is_empty()), "hosts behind each line of a switch");
    let fences =
        json["constraints"].as_array().expect("constraints").iter().filter(|one| one["id"] == "fence");
    let moves = fences.map(|one| assignment(&fleet, number(&one["vm"]), number(&one["nodes"][0])));
    let attributes = model["attributes"]["nodes"].as_object().expect("nodes");
    let boots =
        attributes.iter().filter_map(|(host, what)| Some((host.parse().ok()?, what["boot"].as_u64()?)));
    let offline: Vec<_> =
        model["mapping"]["offlineNodes"].as_array().expect("nodes").iter().map(number).collect();
    let boots = boots.filter(|(host, _)| offline.contains(host));
    Case {
        name: name(file),
        placement: Placement { moves: moves.collect(), unplaced: Vec::new() },
        ready: boots.map(|(host, seconds)| (place(host), seconds * 1000)).collect(),
        fleet,
        trunks,
        published: None,
    }
}

/// What the migrations of a plan took when it was run.
pub fn runs(case: &Case, file: &Path) -> Vec<Run> {
    let text = std::fs::read_to_string(file).expect("a file");
    let run = |line: &str| {
        let fields: Vec<_> = line.split(';').collect();
        let after = |word: &str| -> u64 {
            let tail = fields[0].split(word).nth(1).expect("a field");
            tail.split(|c: char| !c.is_ascii_digit()).next().expect("digits").parse().expect("a number")
        };
        let host = |word| case.fleet.hosts[host_place(&case.fleet, after(word)).0 as usize].clone();
        let seconds: Vec<u64> = fields[1..3].iter().map(|field| field.parse().expect("seconds")).collect();
        Run {
            zone: case.fleet.zones[zone_place(&case.fleet, after("vm#")).0 as usize].clone(),
            from: host("from=node#"),
            to: host("to=node#"),
            rate: rate(after("bw=")),
            took: (seconds[1] - seconds[0]) * 1000,
        }
    };
    text.lines().skip(1).map(run).collect()
}

fn fleet(model: &Value, line: impl Fn(u64) -> u64) -> Fleet {
    let memory =
        model["views"].as_array().expect("views").iter().find(|view| view["rcId"] == "mem").expect("memory");
    let mapping = &model["mapping"];
    let mut homes = BTreeMap::new();
    for (host, there) in mapping["onlineNodes"].as_object().expect("nodes") {
        homes
            .extend(there["runningVMs"].as_array().expect("VMs").iter().map(|vm| (number(vm), host.clone())));
    }
    let zone = |(vm, host): (&u64, &String)| {
        let what = &model["attributes"]["vms"][vm.to_string()];
        let of = |names: [&str; 2]| {
            names.iter().find_map(|name| what[name].as_f64()).expect("an attribute") as u64
        };
        let dirty = Dirty {
            hot: of(["hotDirtySize", "maxDirtySize"]) * MB,
            hot_ms: of(["hotDirtyDuration", "maxDirtyDuration"]) * 1000,
            rate: of(["coldDirtyRate", "dirtyRate"]) * MB,
        };
        let size = number(&memory["vms"][vm.to_string()]) * 1000 * MB;
        let (name, host) = (vm.to_string().parse().expect("a name"), HostKey::Name(host.clone()));
        FleetZone {
            running: true,
            memory: size,
            memory_used: size,
            dirty: Some(dirty),
            ..FleetZone::new(name, host)
        }
    };
    let zones: Vec<_> = homes.iter().map(zone).collect();
    let host = |(name, size): (&String, &Value)| {
        let size = number(size) * 1000 * MB;
        let used: u64 = zones.iter().filter(|zone| zone.host.is_written(name)).map(|zone| zone.memory).sum();
        let bandwidth = Some(rate(line(name.parse().expect("a number"))));
        FleetHost {
            memory: size,
            memory_free: size - used,
            bandwidth,
            ..FleetHost::new(HostKey::Name(name.clone()))
        }
    };
    Fleet { hosts: memory["nodes"].as_object().expect("nodes").iter().map(host).collect(), zones }
}

fn assignment(fleet: &Fleet, vm: u64, host: u64) -> Assignment {
    Assignment { zone: zone_place(fleet, vm), to: host_place(fleet, host) }
}

fn zone_place(fleet: &Fleet, vm: u64) -> ZoneIx {
    ZoneIx(fleet.zones.iter().position(|zone| zone.name.as_str() == vm.to_string()).expect("a VM") as u32)
}

fn host_place(fleet: &Fleet, host: u64) -> HostIx {
    HostIx(fleet.hosts.iter().position(|one| one.name.is_written(&host.to_string())).expect("a node") as u32)
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
