//! Judges placements by the documentation of the planner's types alone: it shares no code with the planner.

use std::collections::{BTreeMap, BTreeSet};

use sysadm_planner::plan::{Action, Fleet, FleetHost, FleetZone, Placement, PlacementRequest, Rules};

/// Where each zone is once all moves are done, and everything that is wrong then.
pub fn violations(
    fleet: &Fleet,
    rules: &Rules,
    question: &PlacementRequest,
    placement: &Placement,
) -> Vec<String> {
    let mut wrong = answered_once(fleet, question, placement);
    let mut comes = vec![Vec::new(); fleet.hosts.len()];
    let mut to = BTreeMap::new();
    for step in &placement.moves {
        comes[step.to.0 as usize].push(step.zone.0 as usize);
        to.insert(step.zone.0 as usize, step.to.0 as usize);
    }
    for (host, comes) in comes.iter().enumerate() {
        let drained = question.drained.iter().any(|drained| drained.0 as usize == host);
        let host = &fleet.hosts[host];
        for zone in comes.iter().map(|zone| &fleet.zones[*zone]) {
            wrong.extend(
                unfit(zone, host, drained).map(|why| format!("{} on {}: {why}", zone.name, host.name)),
            );
        }
        let comes = comes.iter().map(|zone| &fleet.zones[*zone]).collect::<Vec<_>>();
        let stays: Vec<_> = (0..fleet.zones.len())
            .filter(|zone| fleet.zones[*zone].host == host.name && !to.contains_key(zone))
            .collect();
        let goes = (0..fleet.zones.len())
            .filter(|zone| fleet.zones[*zone].host == host.name && to.contains_key(zone));
        let stays: Vec<_> = stays.into_iter().map(|zone| &fleet.zones[zone]).collect();
        let goes: Vec<_> = goes.map(|zone| &fleet.zones[zone]).collect();
        wrong.extend(crowded(host, rules, &comes, &stays, &goes).map(|why| format!("{}: {why}", host.name)));
    }
    wrong.extend(torn(fleet, placement, &to));
    wrong
}

/// Each zone that moves has exactly one result, and no other zone has one.
fn answered_once(fleet: &Fleet, question: &PlacementRequest, placement: &Placement) -> Vec<String> {
    let moves = |zone: &usize| matches!(fleet.zones[*zone].action, Action::Live | Action::Restart);
    let asked: BTreeSet<_> = question.zones.iter().map(|zone| zone.0 as usize).filter(moves).collect();
    let placed = placement.moves.iter().map(|step| step.zone.0 as usize);
    let mut answered: Vec<_> =
        placed.chain(placement.unplaced.iter().map(|zone| zone.zone.0 as usize)).collect();
    answered.sort_unstable();
    let mut wrong = Vec::new();
    if answered != asked.into_iter().collect::<Vec<_>>() {
        wrong.push(format!("asked and answered differ: {answered:?}"));
    }
    for zone in &placement.unplaced {
        if zone.refusals.len() != fleet.hosts.len() || zone.refusals.iter().any(|(_, why)| why.is_empty()) {
            wrong.push(format!("{} has no reason somewhere", fleet.zones[zone.zone.0 as usize].name));
        }
    }
    wrong
}

/// What rules out a zone on a host, whatever else is there.
pub fn unfit(zone: &FleetZone, host: &FleetHost, drained: bool) -> Option<String> {
    let lacks = |needs: &BTreeSet<String>, has: &Option<BTreeSet<String>>| {
        has.as_ref().is_some_and(|has| needs.iter().any(|need| !has.contains(need)))
    };
    let there = |name: &String| host.net_map.label_there(name).unwrap_or_else(|| name.clone());
    let checks = [
        ("offline", host.offline),
        ("drained", drained),
        ("home", zone.host == host.name),
        ("maintenance", host.maintenance.is_some() || host.announced.is_some()),
        ("target", zone.targets.as_ref().is_some_and(|targets| !targets.contains(&host.name))),
        ("architecture", !zone.arch.is_empty() && !host.arch.is_empty() && zone.arch != host.arch),
        ("features", lacks(&zone.cpu_features, &host.cpu_features)),
        ("networks", lacks(&zone.networks.iter().map(there).collect(), &host.networks)),
        ("storage", lacks(&zone.storage, &host.storage)),
        (
            "brand",
            zone.brand.is_some_and(|brand| host.brands.as_ref().is_some_and(|all| !all.contains(&brand))),
        ),
        ("live", cannot_go_live(zone)),
        (
            "hypervisor",
            zone.hypervisor.is_some_and(|least| host.hypervisor.is_some_and(|there| there < least)),
        ),
    ];
    let wrong: Vec<_> = checks.iter().filter(|(_, wrong)| *wrong).map(|(what, _)| *what).collect();
    (!wrong.is_empty()).then(|| wrong.join(", "))
}

/// A container cannot move while it runs.
pub fn cannot_go_live(zone: &FleetZone) -> bool {
    zone.running && zone.no_live && zone.action == Action::Live
}

/// The resources of a host that are exceeded.
fn crowded<'a>(
    host: &FleetHost,
    rules: &Rules,
    comes: &[&'a FleetZone],
    stays: &[&'a FleetZone],
    goes: &[&'a FleetZone],
) -> impl Iterator<Item = String> {
    let mut wrong = Vec::new();
    let runs =
        |zones: &[&'a FleetZone]| zones.iter().copied().filter(|zone| zone.running).collect::<Vec<_>>();
    let ordinary = |zones: &[&'a FleetZone]| {
        runs(zones).into_iter().filter(|zone| zone.huge_page.is_none()).collect::<Vec<_>>()
    };
    let arrives: u64 = ordinary(comes).iter().map(|zone| zone.memory).sum();
    let leaves: u64 = ordinary(goes).iter().map(|zone| zone.memory_used).sum();
    let headroom = (host.memory as f64 * rules.headroom).ceil() as u64;
    if arrives > 0 && arrives + headroom > host.memory_free + leaves {
        wrong.push(format!("memory: {arrives} and {headroom}, but {} and {leaves}", host.memory_free));
    }
    for size in comes.iter().filter(|zone| zone.running).filter_map(|zone| zone.huge_page) {
        let pages = |zones: &[&FleetZone]| -> u64 {
            zones
                .iter()
                .filter(|zone| zone.running && zone.huge_page == Some(size))
                .map(|z| z.memory.div_ceil(size))
                .sum()
        };
        let free: u64 = host.huge_pages.iter().filter(|page| page.size == size).map(|page| page.free).sum();
        if pages(comes) > free + pages(goes) {
            wrong.push(format!("pages of {size}"));
        }
    }
    let cpus =
        |zones: &[&FleetZone]| zones.iter().filter(|zone| zone.running).map(|zone| zone.cpus).sum::<u32>();
    if let Some(ratio) = rules.cpu_ratio
        && host.cpus > 0
        && cpus(comes) > 0
        && f64::from(cpus(comes) + cpus(stays)) > f64::from(host.cpus) * ratio
    {
        wrong.push("processors".to_owned());
    }
    if host.max_vcpus.is_some_and(|most| cpus(comes) > 0 && cpus(comes) + cpus(stays) > most) {
        wrong.push("processors by its own limit".to_owned());
    }
    if comes.iter().map(|zone| zone.disk).sum::<u64>() > host.disk_free
        && comes.iter().any(|zone| zone.disk > 0)
    {
        wrong.push("disk".to_owned());
    }
    if rules.max_zones.is_some_and(|most| !comes.is_empty() && comes.len() + stays.len() > most as usize) {
        wrong.push("too many zones".to_owned());
    }
    let parts: Vec<_> = ordinary(comes).iter().filter(|zone| zone.one_node).map(|zone| zone.memory).collect();
    if !host.numa.is_empty()
        && !seats(&parts, &mut host.numa.iter().map(|node| node.memory_free).collect::<Vec<_>>())
    {
        wrong.push("memory nodes".to_owned());
    }
    let there: Vec<_> = comes.iter().chain(stays).collect();
    for (at, zone) in comes.iter().enumerate() {
        for other in there.iter().skip(at + 1).filter(|other| !zone.apart.is_disjoint(&other.apart)) {
            wrong.push(format!("{} and {} are to be apart", zone.name, other.name));
        }
    }
    wrong.into_iter()
}

/// Whether these parts can be seated at all, by trying everything.
pub fn seats(parts: &[u64], free: &mut Vec<u64>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    (0..free.len()).any(|at| {
        let fits = free[at] >= *part;
        if fits {
            free[at] -= part;
        }
        let all = fits && seats(rest, free);
        if fits {
            free[at] += part;
        }
        all
    })
}

/// Zones that must go together go to one host.
fn torn(fleet: &Fleet, placement: &Placement, to: &BTreeMap<usize, usize>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (zone, host) in to {
        let left = placement.unplaced.iter().map(|other| (other.zone.0 as usize, None));
        for (other, there) in to.iter().map(|(other, host)| (*other, Some(host))).chain(left) {
            let (a, b) = (&fleet.zones[*zone], &fleet.zones[other]);
            if there != Some(host) && !a.together.is_disjoint(&b.together) {
                wrong.push(format!("{} and {} are to be together", a.name, b.name));
            }
        }
    }
    wrong
}
