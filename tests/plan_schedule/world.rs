//! What may be at an instant, and the shortest schedule of a few moves by trying all: both from the fleet itself,
//! without any code of the planner.

use sysadm::plan::{Fleet, Rules, Trunk};

/// A move from host to host, by their places in the fleet. Times in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    pub zone: usize,
    pub from: usize,
    pub to: usize,
    pub rate: u64,
    pub start: u64,
    pub end: u64,
}

/// All that a schedule must keep to.
pub struct World<'a> {
    pub fleet: &'a Fleet,
    pub rules: &'a Rules,
    pub trunks: &'a [Trunk],
}

impl World<'_> {
    pub fn host(&self, name: &str) -> usize {
        self.fleet.hosts.iter().position(|host| host.name == name).expect("a host")
    }

    /// What is wrong at an instant: `places` is where each zone is, `moving` is what is on its way.
    pub fn wrong(&self, places: &[usize], moving: &[Way]) -> Option<String> {
        (0..self.fleet.hosts.len())
            .find_map(|host| self.wrong_host(host, places, moving))
            .or_else(|| self.wrong_lines(moving))
            .or_else(|| self.wrong_groups(moving))
    }

    fn wrong_host(&self, host: usize, places: &[usize], moving: &[Way]) -> Option<String> {
        let (there, zones) = (&self.fleet.hosts[host], &self.fleet.zones);
        let arriving = |zone: usize| moving.iter().any(|way| way.zone == zone && way.to == host);
        let (mut memory, mut disk, mut count) =
            (i128::from(there.memory_free), i128::from(there.disk_free), 0);
        let (mut guests, mut apart) = (false, Vec::new());
        for (number, zone) in zones.iter().enumerate() {
            let (was, is) = (zone.host == there.name, places[number] == host || arriving(number));
            let running = i128::from(zone.running);
            if was && !is {
                memory += running * i128::from(zone.memory_used);
                disk += i128::from(zone.disk);
            }
            if is && !was {
                memory -= running * i128::from(zone.memory);
                disk -= i128::from(zone.disk);
                guests = true;
            }
            if is {
                count += 1;
                apart.extend(zone.apart.iter().map(|group| (group, was)));
            }
        }
        if !guests {
            return None;
        }
        let name = &there.name;
        if memory < (there.memory as f64 * self.rules.headroom).ceil() as i128 {
            return Some(format!("{name} has {memory} bytes left"));
        }
        if disk < 0 {
            return Some(format!("{name} has {disk} bytes of storage left"));
        }
        if self.rules.max_zones.is_some_and(|most| count > most) {
            return Some(format!("{name} has {count} zones"));
        }
        let met = |(at, (group, was)): (usize, &(_, bool))| {
            apart
                .iter()
                .enumerate()
                .any(|(other, (its, its_was))| other != at && its == group && !(*was && *its_was))
        };
        apart.iter().enumerate().any(met).then(|| format!("zones of one group meet on {name}"))
    }

    fn wrong_lines(&self, moving: &[Way]) -> Option<String> {
        let over = |name: &str, most: Option<u64>, ways: Vec<&Way>, slots: usize| {
            let sum: u64 = ways.iter().map(|way| way.rate).sum();
            if most.is_some_and(|most| sum > most) {
                return Some(format!("{name} carries {sum}"));
            }
            (ways.len() > slots).then(|| format!("{name} has {} moves", ways.len()))
        };
        let (out, into) = (self.rules.outbound as usize, self.rules.inbound as usize);
        for (number, host) in self.fleet.hosts.iter().enumerate() {
            let leaving = moving.iter().filter(|way| way.from == number).collect();
            let arriving = moving.iter().filter(|way| way.to == number).collect();
            let wrong = over(&host.name, host.bandwidth, leaving, out);
            if let Some(wrong) = wrong.or_else(|| over(&host.name, host.bandwidth, arriving, into)) {
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
