//! Fleets from a seed.

use sysadm_planner::plan::{Fleet, FleetHost, FleetZone, HostIx, PlacementRequest, ZoneIx};

pub const GIB: u64 = 1 << 30;

/// Numbers from a seed (xorshift), for input that is the same everywhere.
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub const fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// The input of a placement.
pub struct Case {
    pub fleet: Fleet,
    pub question: PlacementRequest,
}

/// Zones that are all to be placed on empty hosts, which they fill to 70 % of their memory. One zone in five is
/// in a group of four that are kept apart: 5,000 groups with 100,000 zones. They come from hosts that are
/// emptied.
pub fn all(zones: usize, hosts: usize) -> Case {
    let mut dice = Dice::new(1);
    let sources = zones.div_ceil(100);
    let mut fleet = Fleet { hosts: (0..hosts + sources).map(|at| host(at, 0)).collect(), zones: Vec::new() };
    fleet.zones = (0..zones).map(|at| zone(&mut dice, at, hosts + at % sources)).collect();
    let memory: u64 = fleet.zones.iter().map(|zone| zone.memory).sum();
    let each = (memory as f64 / 0.7 / hosts as f64) as u64;
    fleet.hosts.iter_mut().for_each(|host| (host.memory, host.memory_free) = (each, each));
    let drained = (hosts..hosts + sources).map(|at| HostIx(at as u32)).collect();
    Case {
        question: PlacementRequest { zones: (0..zones).map(|at| ZoneIx(at as u32)).collect(), drained },
        fleet,
    }
}

/// A running fleet of which every tenth host is emptied.
pub fn tenth(zones: usize, hosts: usize) -> Case {
    let mut dice = Dice::new(2);
    let mut fleet = Fleet { hosts: (0..hosts).map(|at| host(at, 0)).collect(), zones: Vec::new() };
    fleet.zones = (0..zones).map(|at| zone(&mut dice, at, at % hosts)).collect();
    let memory: u64 = fleet.zones.iter().map(|zone| zone.memory).sum();
    let each = (memory as f64 / 0.7 / hosts as f64) as u64;
    fleet.hosts.iter_mut().for_each(|host| host.memory = 2 * each);
    let mut free = vec![2 * each; hosts];
    fleet
        .zones
        .iter()
        .enumerate()
        .for_each(|(at, zone)| free[at % hosts] = free[at % hosts].saturating_sub(zone.memory));
    for (host, free) in fleet.hosts.iter_mut().zip(free) {
        host.memory_free = free.saturating_sub(each);
        host.memory = each;
    }
    let zones = (0..zones).filter(|at| (at % hosts).is_multiple_of(10)).map(|at| ZoneIx(at as u32)).collect();
    let drained = (0..hosts).step_by(10).map(|at| HostIx(at as u32)).collect();
    Case { fleet, question: PlacementRequest { zones, drained } }
}

fn host(at: usize, memory: u64) -> FleetHost {
    FleetHost {
        memory,
        memory_free: memory,
        cpus: 64,
        bandwidth: Some(1_250_000_000),
        ..FleetHost::new(format!("host-{at}").parse().expect("a valid name"))
    }
}

fn zone(dice: &mut Dice, at: usize, host: usize) -> FleetZone {
    let memory = (1 + dice.roll(16)) * GIB;
    FleetZone {
        running: true,
        memory,
        memory_used: memory,
        cpus: 1 + dice.roll(8) as u32,
        cpu_load: dice.roll(200) as f64 / 100.0,
        network_load: dice.roll(10_000_000),
        apart: at.is_multiple_of(5).then(|| format!("group-{}", at / 20)).into_iter().collect(),
        ..FleetZone::new(
            format!("zone-{at}").parse().expect("a valid name"),
            format!("host-{host}").parse().expect("a valid name"),
        )
    }
}
