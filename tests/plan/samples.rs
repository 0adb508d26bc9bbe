//! Small fleets from a seed, in which every rule matters now and then.

use std::collections::BTreeSet;

use sysadm_model::Brand;
use sysadm_planner::plan::{
    Action, Fleet, FleetHost, FleetZone, Goal, HostIx, HostKey, HugePages, NumaNode, PlacementRequest, Rules,
    Version, Weights, ZoneIx,
};

/// Numbers from a seed (xorshift).
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub const fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }

    /// True once in that many times.
    pub const fn one_in(&mut self, times: u64) -> bool {
        self.roll(times) == 0
    }

    pub fn some(&mut self, from: &[&str], times: u64) -> BTreeSet<String> {
        from.iter().filter(|_| self.one_in(times)).map(|word| (*word).to_owned()).collect()
    }
}

#[derive(Debug)]
pub struct Sample {
    pub fleet: Fleet,
    pub rules: Rules,
    pub question: PlacementRequest,
}

pub const GOALS: [Goal; 6] = [
    Goal::Spread,
    Goal::Pack,
    Goal::Fastest,
    Goal::Pinned,
    Goal::Balance(Weights { memory: 2.0, cpu: 1.0, network: 0.5 }),
    Goal::Ganeti,
];

/// Zones that leave one host for a few others that have just about enough for them.
pub fn small(seed: u64, zones: usize, hosts: usize) -> Sample {
    let mut dice = Dice::new(seed);
    let goal = GOALS[(seed % GOALS.len() as u64) as usize];
    let mut fleet = Fleet { hosts: (0..=hosts).map(|at| host(&mut dice, at)).collect(), zones: Vec::new() };
    fleet.zones = (0..zones).map(|at| zone(&mut dice, at, 0, hosts)).collect();
    fleet.zones.extend((zones..zones + hosts).map(|at| zone(&mut dice, at, 1 + (at - zones), hosts)));
    let needed: u64 = fleet.zones[..zones].iter().filter(|zone| zone.running).map(|zone| zone.memory).sum();
    let tight = 80 + dice.roll(80);
    for host in &mut fleet.hosts {
        host.memory_free = needed * tight / 100 / hosts as u64 * (50 + dice.roll(100)) / 100;
        host.memory = host.memory_free + dice.roll(20);
    }
    let rules = Rules {
        goal,
        headroom: if dice.one_in(3) { 0.05 } else { 0.0 },
        cpu_ratio: dice.one_in(3).then_some(1.5),
        max_zones: dice.one_in(3).then(|| zones.div_ceil(hosts) as u32 + 2),
        ..Rules::default()
    };
    let question = PlacementRequest {
        zones: (0..zones).map(|at| ZoneIx(at as u32)).collect(),
        drained: vec![HostIx(0)],
    };
    Sample { fleet, rules, question }
}

/// Anything: several hosts are emptied or not, zones leave hosts that take others, NUMA nodes and huge pages.
#[allow(clippy::expect_used)]
pub fn wild(seed: u64) -> Sample {
    let mut dice = Dice::new(seed ^ 0xabcd);
    let hosts = 2 + dice.roll(6) as usize;
    let mut sample = small(seed, 4 + dice.roll(20) as usize, hosts);
    for zone in &mut sample.fleet.zones {
        zone.host = key(dice.roll(hosts as u64 + 1));
        zone.huge_page = dice.one_in(6).then_some(2);
        zone.one_node = dice.one_in(4);
        zone.together = dice.some(&["x", "y"], 10);
        if dice.one_in(4) {
            zone.action = Action::ALL[dice.roll(5) as usize];
        }
        zone.targets = dice.one_in(8).then(|| vec![key(dice.roll(hosts as u64 + 1)), key(1)]);
    }
    for host in &mut sample.fleet.hosts {
        host.maintenance = dice.one_in(10).then(|| "somebody".to_owned());
        host.hypervisor = dice.one_in(2).then(|| Version(dice.roll(9) as u32, 0, 0));
        if dice.one_in(2) {
            host.huge_pages = vec![HugePages { size: 2, free: dice.roll(20) }];
        }
        if dice.one_in(3) {
            let node = NumaNode { memory: host.memory / 2, memory_free: host.memory_free / 2, cpus: 4 };
            host.numa = vec![node.clone(), node];
        }
    }
    sample.question.zones =
        (0..sample.fleet.zones.len()).filter(|_| !dice.one_in(4)).map(|z| ZoneIx(z as u32)).collect();
    sample.question.drained =
        (0..=hosts).filter(|_| dice.one_in(4)).map(|host| HostIx(host as u32)).collect();
    sample.rules.steps = 5_000;
    for host in &mut sample.fleet.hosts {
        host.announced = dice.one_in(12).then(|| "midnight".to_owned());
        host.max_vcpus = dice.one_in(8).then_some(host.cpus);
        if dice.one_in(6) {
            let map = serde_json::from_str(r#"{ "blue": "red" }"#);
            host.net_map = map.expect("names of networks");
        }
    }
    sample
}

fn key(host: u64) -> HostKey {
    HostKey::Name(format!("h{host}"))
}

fn host(dice: &mut Dice, at: usize) -> FleetHost {
    FleetHost {
        arch: ["x86_64", "aarch64", ""][if dice.one_in(8) { dice.roll(3) as usize } else { 0 }].to_owned(),
        cpus: 8 + dice.roll(16) as u32,
        cpu_load: dice.roll(40) as f64 / 10.0,
        network_load: dice.roll(100),
        bandwidth: Some(500 + dice.roll(1000)),
        disk: 200,
        disk_free: 40 + dice.roll(100),
        networks: dice.one_in(2).then(|| dice.some(&["blue", "red"], 1)),
        storage: dice.one_in(4).then(|| dice.some(&["san"], 2)),
        brands: dice.one_in(6).then(|| BTreeSet::from([Brand::KVM])),
        ..FleetHost::new(format!("h{at}").parse().unwrap())
    }
}

fn zone(dice: &mut Dice, at: usize, host: usize, hosts: usize) -> FleetZone {
    let memory = 4 + dice.roll(40);
    let brand = [Brand::KVM, Brand::LXC][usize::from(dice.one_in(4))];
    FleetZone {
        brand: Some(brand),
        no_live: brand == Brand::LXC,
        action: if brand == Brand::LXC { Action::Restart } else { Action::Live },
        running: !dice.one_in(6),
        memory,
        memory_used: memory - dice.roll(4),
        cpus: 1 + dice.roll(6) as u32,
        cpu_load: dice.roll(30) as f64 / 10.0,
        network_load: dice.roll(50),
        disk: if dice.one_in(4) { dice.roll(40) } else { 0 },
        arch: if dice.one_in(2) { "x86_64".to_owned() } else { String::new() },
        networks: dice.some(&["blue", "red"], 4),
        storage: dice.some(&["san"], 6),
        hypervisor: dice.one_in(5).then(|| Version(dice.roll(9) as u32, 0, 0)),
        targets: dice.one_in(4).then(|| {
            let first = 1 + dice.roll(hosts as u64);
            vec![key(first), key(1 + dice.roll(hosts as u64)), key(1 + dice.roll(hosts as u64))]
        }),
        apart: dice.some(&["a", "b", "c"], 6),
        together: dice.some(&["t"], 8),
        ..FleetZone::new(format!("z{at}").parse().unwrap(), format!("h{host}").parse().unwrap())
    }
}
