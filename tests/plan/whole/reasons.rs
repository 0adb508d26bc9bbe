//! Whether the reasons of the zones that are left are true when everything that can leave has left.

use std::collections::BTreeSet;

use sysadm_model::ZoneName;
use sysadm_planner::plan::{Blocked, BlockedReason, BuiltPlan, FleetZone, Refusal, Resource};

use super::super::checker::{cannot_go_live, unfit};
use super::super::samples::Sample;
use super::walk::Walk;

/// All reasons of zones that are left, and that are not true.
pub fn untrue(sample: &Sample, built: &BuiltPlan) -> Vec<String> {
    let walk = Walk { sample, built };
    // A zone in a cycle keeps the place to which it is to go.
    let mut kept = walk.ends();
    built.placement.moves.iter().for_each(|one| kept[one.zone.0 as usize] = one.to.0 as usize);
    let end = End { ends: kept, walk };
    let mut untrue = Vec::new();
    for one in &built.placement.unplaced {
        let zone = one.zone.0 as usize;
        let name = &sample.fleet.zones[zone].name;
        for (host, refusals) in &one.refusals {
            let host = host.0 as usize;
            let at = &sample.fleet.hosts[host].name;
            if !end.refuses(zone, host) {
                untrue.push(format!("{at} could take {name}: {refusals:?}"));
            }
            let lies = refusals.iter().filter(|why| !end.holds(zone, host, why));
            untrue.extend(lies.map(|why| format!("{name} on {at}: {why:?}")));
        }
    }
    let end = End { ends: walk.ends(), walk };
    for one in &built.plan.blocked {
        let lies = one.obstacles.iter().filter(|why| !end.is_in_the_way(one, why));
        untrue.extend(lies.map(|why| format!("{:?} to {:?}: {why:?}", one.zone, one.to)));
        if one.obstacles.is_empty() {
            untrue.push(format!("{:?}: no obstacle", one.zone));
        }
    }
    let told = built.unplaced();
    if told.len() != built.placement.unplaced.len() + built.plan.blocked.len()
        || told.iter().any(|one| one.reasons.is_empty())
    {
        untrue.push(format!("not told, or without a reason: {told:?}"));
    }
    untrue
}

/// The state at the end.
struct End<'a> {
    walk: Walk<'a>,
    ends: Vec<usize>,
}

impl End<'_> {
    /// Whether a host cannot take a zone, and those with which it must be together.
    fn refuses(&self, zone: usize, host: usize) -> bool {
        let (fleet, bundles) = (&self.walk.sample.fleet, self.walk.bundles());
        let bundle: Vec<_> =
            bundles.iter().filter(|(_, first)| **first == bundles[&zone]).map(|(zone, _)| *zone).collect();
        let drained = self.walk.drained(host);
        let is_unfit = |zone: &usize| unfit(&fleet.zones[*zone], &fleet.hosts[host], drained).is_some();
        let mut places = self.ends.clone();
        bundle.iter().for_each(|zone| places[*zone] = host);
        let disk: u64 = bundle.iter().map(|zone| fleet.zones[*zone].disk).sum();
        bundle.iter().any(is_unfit)
            || disk > 0 && i128::from(disk) > self.free(host, Resource::Disk)
            || bundle.iter().any(|zone| fleet.zones[*zone].after.iter().any(|name| self.walk.is_left(name)))
            || self.walk.world().wrong(&places, &[]).is_some()
            || self.walk.wrong_nodes(host, &places).is_some()
    }

    fn zones(&self, which: impl Fn(&FleetZone, bool, bool) -> bool, host: usize) -> Vec<&FleetZone> {
        let fleet = &self.walk.sample.fleet;
        let zones = fleet.zones.iter().zip(&self.ends);
        zones
            .filter(|(zone, at)| which(zone, zone.host == fleet.hosts[host].name, **at == host))
            .map(|(zone, _)| zone)
            .collect()
    }

    /// What a host has left of a resource.
    fn free(&self, host: usize, what: Resource) -> i128 {
        let (there, rules) = (&self.walk.sample.fleet.hosts[host], &self.walk.sample.rules);
        let come = self.zones(|_, was, is| is && !was, host);
        let gone = self.zones(|_, was, is| was && !is, host);
        let here = self.zones(|_, _, is| is, host);
        let sum = |zones: &[&FleetZone], of: &dyn Fn(&FleetZone) -> u64| -> i128 {
            zones.iter().filter(|zone| zone.running).map(|zone| i128::from(of(zone))).sum()
        };
        let ram = |zone: &FleetZone, bytes: u64| if zone.huge_page.is_none() { bytes } else { 0 };
        match what {
            Resource::Memory => {
                i128::from(there.memory_free) - (there.memory as f64 * rules.headroom).ceil() as i128
                    + sum(&gone, &|zone| ram(zone, zone.memory_used))
                    - sum(&come, &|zone| ram(zone, zone.memory))
            }
            Resource::HugePages(size) => {
                let pages = there.huge_pages.iter().filter(|pages| pages.size == size);
                let of = |zone: &FleetZone| if zone.huge_page == Some(size) { in_pages(zone) } else { 0 };
                pages.map(|pages| i128::from(pages.free * size)).sum::<i128>() + sum(&gone, &of)
                    - sum(&come, &of)
            }
            Resource::Disk => {
                let disk: u64 = come.iter().map(|zone| zone.disk).sum();
                i128::from(there.disk_free) - i128::from(disk)
            }
            Resource::Cpus => {
                let most = (f64::from(there.cpus) * rules.cpu_ratio.unwrap_or(f64::MAX)).floor() as i128;
                most.min(there.max_vcpus.map_or(i128::MAX, i128::from))
                    - sum(&here, &|zone| u64::from(zone.cpus))
            }
            Resource::Zones => i128::from(rules.max_zones.unwrap_or(u32::MAX)) - here.len() as i128,
        }
    }

    /// Whether a reason against a zone on a host is true.
    fn holds(&self, zone: usize, host: usize, why: &Refusal) -> bool {
        let fleet = &self.walk.sample.fleet;
        let (one, there) = (&fleet.zones[zone], &fleet.hosts[host]);
        let missing = |needed: u64, what: Resource| i128::from(needed) - self.free(host, what);
        let lacks = |names: &[String], needs: &BTreeSet<String>, has: &Option<BTreeSet<String>>| {
            let is_missing =
                |name| needs.contains(name) && has.as_ref().is_some_and(|has| !has.contains(name));
            !names.is_empty() && names.iter().all(is_missing)
        };
        match why {
            Refusal::Offline => there.offline,
            Refusal::Drained => self.walk.drained(host),
            Refusal::Home => one.host == there.name,
            Refusal::Maintenance(who) => there.maintenance.as_ref() == Some(who),
            Refusal::Announced(when) => there.announced.as_ref() == Some(when),
            Refusal::MappedNetwork(name, own) => {
                one.networks.contains(own)
                    && there.net_map.label_there(own).as_ref() == Some(name)
                    && there.networks.as_ref().is_some_and(|all| !all.contains(name))
            }
            Refusal::NotATarget => one.targets.as_ref().is_some_and(|all| !all.contains(&there.name)),
            Refusal::Architecture(arch) => there.arch == *arch && one.arch != *arch,
            Refusal::CpuFeatures(names) => lacks(names, &one.cpu_features, &there.cpu_features),
            Refusal::Networks(names) => lacks(names, &one.networks, &there.networks),
            Refusal::Storage(names) => lacks(names, &one.storage, &there.storage),
            Refusal::Brand => {
                one.brand.is_some_and(|brand| there.brands.as_ref().is_some_and(|all| !all.contains(&brand)))
            }
            Refusal::NotLive => cannot_go_live(one),
            Refusal::Hypervisor(version) => {
                there.hypervisor == Some(*version) && one.hypervisor > Some(*version)
            }
            Refusal::Memory(bytes) => missing(one.memory, Resource::Memory) == i128::from(*bytes),
            Refusal::HugePages(bytes) => {
                let size = one.huge_page.unwrap_or_default();
                missing(in_pages(one), Resource::HugePages(size)) == i128::from(*bytes)
            }
            Refusal::Node(_) => {
                let mut places = self.ends.clone();
                places[zone] = host;
                self.walk.wrong_nodes(host, &places).is_some()
            }
            Refusal::Cpus(count) => missing(u64::from(one.cpus), Resource::Cpus) == i128::from(*count),
            Refusal::Disk(bytes) => missing(one.disk, Resource::Disk) == i128::from(*bytes),
            Refusal::MaxZones(most) => {
                self.walk.sample.rules.max_zones == Some(*most) && missing(1, Resource::Zones) > 0
            }
            Refusal::Apart(group, other) => self.is_there(zone, group, host, Some(other)),
            Refusal::After(other) => one.after.contains(other) && self.walk.is_left(other),
            Refusal::Together(group, other) => {
                let bundles = self.walk.bundles();
                let other = fleet.zones.iter().position(|zone| zone.name == *other);
                one.together.contains(group) && other.is_some_and(|other| bundles[&other] == bundles[&zone])
            }
        }
    }

    /// Whether another zone of a group of this zone is on a host.
    fn is_there(&self, zone: usize, group: &str, host: usize, other: Option<&ZoneName>) -> bool {
        let zones = &self.walk.sample.fleet.zones;
        let is = |at: usize| at != zone && self.ends[at] == host && zones[at].apart.contains(group);
        zones[zone].apart.contains(group)
            && (0..zones.len()).any(|at| is(at) && other.is_none_or(|name| zones[at].name == *name))
    }

    /// Whether the reason of a blocked zone is true.
    fn is_in_the_way(&self, blocked: &Blocked, why: &BlockedReason) -> bool {
        let fleet = &self.walk.sample.fleet;
        let (zone, host) = (blocked.zone.0 as usize, blocked.to.0 as usize);
        let one = &fleet.zones[zone];
        let wait = |zones: &BTreeSet<sysadm_planner::plan::ZoneIx>| {
            zones.iter().all(|other| {
                let other = &fleet.zones[other.0 as usize];
                other.host == fleet.hosts[host].name && self.walk.is_left(&other.name)
            })
        };
        match why {
            BlockedReason::Room { resource, missing, waits_for } => {
                let needed = match resource {
                    Resource::Memory => one.memory,
                    Resource::HugePages(_) => in_pages(one),
                    Resource::Disk => one.disk,
                    Resource::Cpus => u64::from(one.cpus),
                    Resource::Zones => 1,
                };
                // The schedule gives storage back when a zone has left; those of the placement count it once more.
                let back = match resource {
                    Resource::Disk => {
                        self.zones(|_, was, is| was && !is, host).iter().map(|zone| zone.disk).sum()
                    }
                    _ => 0_u64,
                };
                let short = i128::from(needed) - self.free(host, *resource) - i128::from(back);
                short == i128::from(*missing) && wait(waits_for)
            }
            BlockedReason::Apart { group, waits_for } => {
                self.is_there(zone, group, host, None) && wait(waits_for)
            }
            BlockedReason::After(other) => {
                let other = &fleet.zones[other.0 as usize].name;
                one.after.contains(other) && self.walk.is_left(other)
            }
            BlockedReason::Together(other) => {
                let bundles = self.walk.bundles();
                bundles[&zone] == bundles[&(other.0 as usize)]
                    && self.walk.is_left(&fleet.zones[other.0 as usize].name)
            }
            BlockedReason::NeverConverges(endless) => {
                let dirty = one.dirty.unwrap_or_default();
                endless.dirty >= endless.rate
                    && (dirty.rate.max(dirty.hot * 1000 / dirty.hot_ms.max(1)) >= endless.rate)
            }
            BlockedReason::NoLine => [&one.host, &fleet.hosts[host].name]
                .iter()
                .any(|name| fleet.hosts.iter().any(|host| host.name == **name && host.bandwidth == Some(0))),
            BlockedReason::NotLive => cannot_go_live(one),
            BlockedReason::Stays(action) => one.action == *action,
        }
    }
}

/// Bytes, in whole pages.
fn in_pages(zone: &FleetZone) -> u64 {
    zone.huge_page.map_or(0, |size| zone.memory.div_ceil(size) * size)
}
