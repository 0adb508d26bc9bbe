//! What is allowed at an instant, and the shortest schedule of a few moves by trying all: both from the fleet
//! itself, without any code of the planner.

use std::collections::BTreeSet;

use sysadm_planner::plan::{Fleet, FleetHost, FleetZone, HostKey, Rules, Trunk};

/// A move from host to host, by their indexes in the fleet. Times in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    pub zone: usize,
    pub from: usize,
    pub to: usize,
    pub rate: u64,
    pub start: u64,
    pub end: u64,
}

/// Everything that a schedule must respect.
pub struct World<'a> {
    pub fleet: &'a Fleet,
    pub rules: &'a Rules,
    pub trunks: &'a [Trunk],
}

impl World<'_> {
    pub fn host(&self, name: &HostKey) -> usize {
        self.fleet.hosts.iter().position(|host| host.name == *name).expect("a host")
    }

    /// What is wrong at an instant: `places` is where each zone is, `moving` is what is moving.
    pub fn wrong(&self, places: &[usize], moving: &[Way]) -> Option<String> {
        (0..self.fleet.hosts.len())
            .find_map(|host| self.wrong_host(host, places, moving))
            .or_else(|| self.wrong_lines(moving))
            .or_else(|| self.wrong_groups(moving))
    }

    fn wrong_host(&self, host: usize, places: &[usize], moving: &[Way]) -> Option<String> {
        let there = &self.fleet.hosts[host];
        let arriving = |zone: usize| moving.iter().any(|way| way.zone == zone && way.to == host);
        let is = |zone: usize| places[zone] == host || arriving(zone);
        let was = |zone: usize| self.fleet.zones[zone].host == there.name;
        let those = |which: &dyn Fn(usize) -> bool| -> Vec<&FleetZone> {
            let zones = self.fleet.zones.iter().enumerate();
            zones.filter(|(zone, _)| which(*zone)).map(|(_, zone)| zone).collect()
        };
        let come = those(&|zone| is(zone) && !was(zone));
        let gone = those(&|zone| was(zone) && !is(zone));
        let stay = those(&|zone| is(zone) && was(zone));
        let full = self.full(there, &come, &gone, &stay).or_else(|| met(&come, &stay));
        full.map(|what| format!("{}: {what}", there.name))
    }

    /// What a host lacks for the zones that came, considering those that are gone and those that stay.
    fn full(
        &self,
        host: &FleetHost,
        come: &[&FleetZone],
        gone: &[&FleetZone],
        stay: &[&FleetZone],
    ) -> Option<String> {
        type Zones<'a> = &'a [&'a FleetZone];
        let sum = |zones: Zones<'_>, of: &dyn Fn(&FleetZone) -> u64| -> i128 {
            zones.iter().map(|zone| i128::from(of(zone))).sum()
        };
        let left = |what: &str, needed: i128, free: i128| {
            (needed > 0 && needed > free).then(|| format!("{needed} of {what}, and {free} are there"))
        };
        let in_ram = |zone: &FleetZone| zone.running && zone.huge_page.is_none();
        let memory = |zone: &FleetZone| if in_ram(zone) { zone.memory } else { 0 };
        let used = |zone: &FleetZone| if in_ram(zone) { zone.memory_used } else { 0 };
        let headroom = (host.memory as f64 * self.rules.headroom).ceil() as i128;
        let free = i128::from(host.memory_free) + sum(gone, &used) - headroom;
        let disk = i128::from(host.disk_free) + sum(gone, &|zone| zone.disk);
        let cpus = |zone: &FleetZone| if zone.running { u64::from(zone.cpus) } else { 0 };
        let most = self.rules.cpu_ratio.filter(|_| host.cpus > 0);
        let most = most.map(|ratio| (f64::from(host.cpus) * ratio).floor() as u32);
        let most = most.into_iter().chain(host.max_vcpus).min();
        let most = most.map(|most| i128::from(most) - sum(stay, &cpus));
        let sizes: BTreeSet<_> = come.iter().filter_map(|zone| zone.huge_page).collect();
        let pages = |size: u64| {
            let of = move |zone: &FleetZone| {
                let is_in = zone.running && zone.huge_page == Some(size);
                if is_in { zone.memory.div_ceil(size) } else { 0 }
            };
            let free: u64 = host.huge_pages.iter().filter(|all| all.size == size).map(|all| all.free).sum();
            left(&format!("pages of {size}"), sum(come, &of), i128::from(free) + sum(gone, &of))
        };
        let zones = self.rules.max_zones.map(|most| i128::from(most) - stay.len() as i128);
        left("memory", sum(come, &memory), free)
            .or_else(|| left("storage", sum(come, &|zone| zone.disk), disk))
            .or_else(|| left("processors", sum(come, &cpus), most?))
            .or_else(|| left("zones", come.len() as i128, zones?))
            .or_else(|| sizes.into_iter().find_map(pages))
    }

    fn wrong_lines(&self, moving: &[Way]) -> Option<String> {
        let over = |name: &str, most: Option<u64>, ways: Vec<&Way>, slots: usize| {
            let sum: u64 = ways.iter().map(|way| way.rate).sum();
            if most.is_some_and(|most| sum > most) {
                return Some(format!("{name} carries {sum}"));
            }
            (ways.len() > slots.max(1)).then(|| format!("{name} has {} moves", ways.len()))
        };
        let (out, into) = (self.rules.outbound as usize, self.rules.inbound as usize);
        for (number, host) in self.fleet.hosts.iter().enumerate() {
            let leaving = moving.iter().filter(|way| way.from == number).collect();
            let arriving = moving.iter().filter(|way| way.to == number).collect();
            // Besides other traffic, which gives way by a tenth.
            let line = host.bandwidth.map(|line| line.saturating_sub(host.network_load).max(line / 10));
            let wrong = over(&host.name.to_string(), line, leaving, out);
            if let Some(wrong) = wrong.or_else(|| over(&host.name.to_string(), line, arriving, into)) {
                return Some(wrong);
            }
        }
        self.trunks.iter().find_map(|trunk| {
            let behind = |host: usize| trunk.hosts.iter().any(|one| one.0 as usize == host);
            let crossing = |out: bool| {
                let crosses = move |way: &&Way| behind(way.from) == out && behind(way.to) != out;
                over("a trunk", Some(trunk.bandwidth), moving.iter().filter(crosses).collect(), usize::MAX)
            };
            crossing(true).or_else(|| crossing(false))
        })
    }

    fn wrong_groups(&self, moving: &[Way]) -> Option<String> {
        let groups = |way: &Way| &self.fleet.zones[way.zone].one_by_one;
        for (at, way) in moving.iter().enumerate() {
            if moving[..at].iter().any(|other| other.zone == way.zone) {
                return Some(format!("zone {} goes two ways", way.zone));
            }
            if moving[..at].iter().any(|other| !groups(other).is_disjoint(groups(way))) {
                return Some(format!("zone {} moves beside one of its group", way.zone));
            }
        }
        None
    }

    /// What is wrong in the course of these moves, at each begin and end.
    pub fn wrong_at_some_time(&self, ways: &[Way]) -> Option<String> {
        let mut places: Vec<_> = self.fleet.zones.iter().map(|zone| self.host(&zone.host)).collect();
        let mut times: Vec<_> = ways.iter().flat_map(|way| [way.start, way.end]).collect();
        times.sort_unstable();
        times.dedup();
        for time in times {
            for way in ways.iter().filter(|way| way.end == time) {
                if places[way.zone] != way.from {
                    return Some(format!("{way:?}, and it was not there"));
                }
                places[way.zone] = way.to;
            }
            let moving: Vec<_> =
                ways.iter().filter(|way| way.start <= time && time < way.end).copied().collect();
            if let Some(wrong) = self.wrong(&places, &moving) {
                return Some(format!("after {time} ms: {wrong}"));
            }
            for way in moving.iter().filter(|way| way.start == time) {
                if !self
                    .may_begin(way.zone, |other| ways.iter().all(|way| way.zone != other || way.end <= time))
                {
                    return Some(format!("zone {} begins before those that must come first", way.zone));
                }
            }
        }
        None
    }

    /// Whether those that a zone comes after have ended.
    pub fn may_begin(&self, zone: usize, ended: impl Fn(usize) -> bool) -> bool {
        let after = &self.fleet.zones[zone].after;
        let named = |other: &usize| after.contains(&self.fleet.zones[*other].name);
        (0..self.fleet.zones.len()).filter(named).all(ended)
    }
}

/// Those that came are apart from each other, and from those that stay.
fn met(come: &[&FleetZone], stay: &[&FleetZone]) -> Option<String> {
    let pairs = come
        .iter()
        .enumerate()
        .flat_map(|(at, zone)| come.iter().skip(at + 1).chain(stay).map(move |other| (zone, other)));
    let mut pairs = pairs.filter(|(zone, other)| !zone.apart.is_disjoint(&other.apart));
    pairs.next().map(|(zone, other)| format!("{} and {} meet", zone.name, other.name))
}
