//! Instances from a seed, like those published with mVM: ten migrations between four full hosts of two speeds; 48
//! hosts emptied onto 24 that must boot first, behind a switch with a connection of ten times a host's; and moves
//! that take less than the model says, each class by its own factor, with some variation.

use std::collections::{BTreeMap, BTreeSet};

use sysadm_planner::plan::{
    Assignment, Costs, Dirty, Fleet, FleetHost, FleetZone, HostIx, HostKey, Placement, Trip, Trunk, ZoneIx,
};

use crate::mvm::{Case, Run, rate};

const GB: u64 = 1_000_000_000;
const MB: u64 = 1_000_000;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// Small ones, large ones, and what the small ones took when they were run.
pub fn all() -> (Vec<Case>, Vec<Case>, Vec<Vec<Run>>) {
    let mut dice = Dice(1);
    let small: Vec<_> = (0..25).map(|number| four_hosts(number, &mut dice)).collect();
    let large = [1, 1, 4, 4, 18, 18].map(|times| emptied(times, &mut dice));
    let runs = small.iter().map(|case| runs(case, &mut dice)).collect();
    (small, large.into(), runs)
}

fn host(name: u64, memory: u64, used: u64, mbit: u64) -> FleetHost {
    FleetHost {
        memory,
        memory_free: memory - used,
        bandwidth: Some(rate(mbit)),
        ..FleetHost::new(HostKey::Name(name.to_string()))
    }
}

fn zone(name: u64, host: u64, memory: u64, dirty: Dirty) -> FleetZone {
    FleetZone {
        running: true,
        memory,
        memory_used: memory,
        dirty: Some(dirty),
        ..FleetZone::new(name.to_string().parse().expect("a name"), HostKey::Name(host.to_string()))
    }
}

fn placement(moves: impl Iterator<Item = (u64, u64)>) -> Placement {
    let assign = |(zone, to): (u64, u64)| Assignment { zone: ZoneIx(zone as u32), to: HostIx(to as u32) };
    Placement { moves: moves.map(assign).collect(), unplaced: Vec::new() }
}

const BUSY: Dirty = Dirty { hot: 96 * MB, hot_ms: 2000, rate: 2 * MB };
const IDLE: Dirty = Dirty { hot: 5 * MB, hot_ms: 3000, rate: 0 };

fn four_hosts(number: u64, dice: &mut Dice) -> Case {
    let sizes: Vec<_> = (0..10).map(|zone| (2 + zone / 5) * GB).collect();
    let (mut ways, mut before, mut after) = (Vec::new(), [0; 4], [0; 4]);
    for size in &sizes {
        let (from, to) = loop {
            let (from, to) = (dice.roll(4) as usize, dice.roll(4) as usize);
            if from != to && before[from] + size <= 12 * GB && after[to] + size <= 12 * GB {
                break (from, to);
            }
        };
        before[from] += size;
        after[to] += size;
        ways.push((from as u64, to as u64));
    }
    let mbit = [500, 500, 1000, 1000];
    let zones = ways.iter().zip(&sizes).zip(0..).map(|((way, size), name)| zone(name, way.0, *size, BUSY));
    let hosts = (0..).zip(before).zip(mbit).map(|((name, used), mbit)| host(name, 12 * GB, used, mbit));
    Case {
        name: format!("random.{number}"),
        fleet: Fleet { zones: zones.collect(), hosts: hosts.collect() },
        placement: placement((0..).zip(ways.iter().map(|way| way.1))),
        trunks: Vec::new(),
        ready: BTreeMap::new(),
        published: None,
    }
}

/// 96 zones times so many.
fn emptied(times: u64, dice: &mut Dice) -> Case {
    let kinds = [(2, BUSY), (2, IDLE), (4, BUSY), (4, IDLE)];
    let mut zones = Vec::new();
    let mut ways = Vec::new();
    for name in 0..96 * times {
        let (size, dirty) = kinds[(name % 4) as usize];
        zones.push(zone(name, dice.roll(48), size * GB, dirty));
        ways.push((name, 48 + dice.roll(24)));
    }
    let all = 16 * times * GB * 4;
    let used = |host: u64| -> u64 {
        zones.iter().filter(|zone| zone.host.is_written(&host.to_string())).map(|zone| zone.memory).sum()
    };
    let hosts = (0..72).map(|name| host(name, all, used(name), 1000)).collect();
    let trunk = |hosts: std::ops::Range<u32>| Trunk {
        hosts: hosts.map(HostIx).collect::<BTreeSet<_>>(),
        bandwidth: 10 * rate(1000),
    };
    Case {
        name: format!("48 hosts, {times} times"),
        placement: placement(ways.into_iter()),
        fleet: Fleet { hosts, zones },
        trunks: vec![trunk(0..24), trunk(24..48), trunk(48..72)],
        ready: (48..72).map(|host| (HostIx(host), 120_000)).collect(),
        published: None,
    }
}

fn runs(case: &Case, dice: &mut Dice) -> Vec<Run> {
    let run = |one: &Assignment| {
        let zone = case.fleet.zones[one.zone.0 as usize].clone();
        let from = case.fleet.hosts.iter().find(|host| host.name == zone.host).expect("a host").clone();
        let to = case.fleet.hosts[one.to.0 as usize].clone();
        let rate = from.bandwidth.min(to.bandwidth).expect("a line");
        let trip = Trip { zone: &zone, method: sysadm_model::Method::Live, from: &from, to: &to, rate };
        let model = Costs::default().forecast(&trip).expect("it ends").total_ms;
        let class = 70 + zone.memory / GB * 5 + rate / MB % 10;
        Run { took: model * (class + dice.roll(9)) / 100, zone, from, to, rate }
    };
    case.placement.moves.iter().map(run).collect()
}
