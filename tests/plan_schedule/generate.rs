//! Fleets and placements from a seed: full hosts, with groups, dependencies and cycles.

use std::collections::BTreeSet;

use sysadm_planner::plan::{
    Assignment, Fleet, FleetHost, FleetZone, HostIx, Placement, Rules, Trunk, ZoneIx,
};

pub const GB: u64 = 1_000_000_000;
pub const MB: u64 = 1_000_000;

pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    pub fn once_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }
}

/// The input of a schedule.
#[derive(Debug)]
pub struct Case {
    pub fleet: Fleet,
    pub rules: Rules,
    pub placement: Placement,
    pub trunks: Vec<Trunk>,
}

pub fn host(name: &str, memory: u64, free: u64, bandwidth: u64) -> FleetHost {
    FleetHost {
        memory,
        memory_free: free,
        bandwidth: Some(bandwidth),
        ..FleetHost::new(name.parse().unwrap())
    }
}

pub fn zone(name: &str, host: &str, memory: u64) -> FleetZone {
    FleetZone {
        running: true,
        memory,
        memory_used: memory,
        ..FleetZone::new(name.parse().unwrap(), host.parse().unwrap())
    }
}

pub fn to(moves: &[(u32, u32)]) -> Placement {
    let assign = |&(zone, to): &(u32, u32)| Assignment { zone: ZoneIx(zone), to: HostIx(to) };
    Placement { moves: moves.iter().map(assign).collect(), unplaced: Vec::new() }
}

/// So many zones that all move, between hosts that have `slack` GB more than they need.
pub fn tight(seed: u64, zones: u64, slack: u64) -> Case {
    let mut dice = Dice(seed);
    let hosts = 2 + dice.roll(3);
    let word = |dice: &mut Dice, letter: &str, times: u64, kinds: u64| -> BTreeSet<String> {
        dice.once_in(times).then(|| format!("{letter}{}", dice.roll(kinds))).into_iter().collect()
    };
    let mut all: Vec<FleetZone> = Vec::new();
    for number in 0..zones {
        let memory = (1 + dice.roll(4)) * GB;
        let mut one = zone(&format!("z{number}"), &format!("h{}", dice.roll(hosts)), memory);
        one.memory_used = memory - dice.roll(2) * memory / 2;
        one.running = !dice.once_in(10);
        one.disk = if one.running { dice.roll(2) * GB } else { GB };
        one.apart = word(&mut dice, "a", 4, 3);
        one.one_by_one = word(&mut dice, "o", 4, 2);
        if number > 0 && dice.once_in(6) {
            one.after.insert(format!("z{}", dice.roll(number)).parse().expect("a name"));
        }
        all.push(one);
    }
    let mut fleet = Fleet { hosts: Vec::new(), zones: all };
    let targets: Vec<_> = fleet
        .zones
        .iter()
        .map(|zone| {
            let home: u64 = zone.host.host()[1..].parse().expect("a number");
            (home + 1 + dice.roll(hosts - 1)) % hosts
        })
        .collect();
    let headroom = dice.roll(2);
    for number in 0..hosts {
        let name = format!("h{number}");
        let here = || fleet.zones.iter().zip(&targets);
        let memory = |zone: &FleetZone| if zone.running { zone.memory } else { 0 };
        let before: u64 =
            here().filter(|(zone, _)| zone.host.is_written(&name)).map(|(zone, _)| memory(zone)).sum();
        let after: u64 = here().filter(|(_, to)| **to == number).map(|(zone, _)| memory(zone)).sum();
        let used = |zone: &FleetZone| if zone.running { zone.memory_used } else { 0 };
        let back: u64 =
            here().filter(|(zone, _)| zone.host.is_written(&name)).map(|(zone, _)| used(zone)).sum();
        let most = before.max(after) + slack * GB;
        let memory = most + headroom * (most / 9 + 10);
        let mut one = host(&name, memory, memory - back, (1 + dice.roll(2)) * 100 * MB);
        one.disk_free = (zones / 2 + 1) * GB;
        fleet.hosts.push(one);
    }
    let rules = Rules {
        headroom: headroom as f64 / 10.0,
        outbound: 1 + dice.roll(3) as u32,
        inbound: 1 + dice.roll(3) as u32,
        max_zones: dice.once_in(4).then_some(zones as u32 / 2 + 1),
        seed,
        steps: 2000,
        ..Rules::default()
    };
    let moves: Vec<_> = (0..).zip(targets.iter().map(|&to| to as u32)).collect();
    let behind = BTreeSet::from([HostIx(0), HostIx(1)]);
    let trunks = dice.once_in(2).then_some(Trunk { hosts: behind, bandwidth: 150 * MB });
    Case { fleet, rules, placement: to(&moves), trunks: trunks.into_iter().collect() }
}

/// Full hosts, the zone of each to the next one; and one more host that has room for one, if `room`.
pub fn ring(hosts: u32, room: bool) -> Case {
    let name = |number: u32| format!("h{number}");
    let mut fleet = Fleet {
        hosts: (0..hosts).map(|number| host(&name(number), 4 * GB, 0, 100 * MB)).collect(),
        zones: (0..hosts).map(|number| zone(&format!("z{number}"), &name(number), 4 * GB)).collect(),
    };
    if room {
        fleet.hosts.push(host("spare", 4 * GB, 4 * GB, 100 * MB));
    }
    let moves: Vec<_> = (0..hosts).map(|number| (number, (number + 1) % hosts)).collect();
    Case { fleet, rules: Rules::default(), placement: to(&moves), trunks: Vec::new() }
}
