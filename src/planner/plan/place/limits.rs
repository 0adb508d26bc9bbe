//! What rules out a zone on a host, each rule with its [`Refusal`]: all hard constraints of a placement are here.
//!
//! There are three kinds. What a host *is* ([`unfit`], [`home`]) never changes during the search. What it *has*
//! is a row of numbers ([`room`]; [`takes`] for the search, [`short`] for the reasons), and so are its NUMA nodes
//! ([`seat`], [`seat_all`]). Which zones are *there* matters to groups that are kept apart: [`apart`] for the
//! search, while [`super::explain`] names the zones.
//!
//! What is not known restricts nothing: no set of networks, no number of CPUs, no list of NUMA nodes. But a list
//! of huge pages is known to be complete, because a zone that needs them cannot start without.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::plan::{FleetHost, FleetZone, Refusal, Rules};

/// Bytes of ordinary memory.
pub(super) const MEMORY: usize = 0;
/// Virtual CPUs.
pub(super) const CPUS: usize = 1;
/// Bytes of a host's own storage.
pub(super) const DISK: usize = 2;
/// Number of zones.
pub(super) const ZONES: usize = 3;
/// Bytes in huge pages: from here one column for each page size in the fleet.
pub(super) const PAGES: usize = 4;

/// The maximum that a host may have of anything, which exceeds any real sum: a PiB.
pub(super) const PLENTY: i64 = 1 << 50;

/// Maximum number of seatings that [`seat_all`] tries.
const TRIES: usize = 4_000;

/// Bytes that a host has.
pub(super) fn has(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(PLENTY).min(PLENTY)
}

/// Bytes that a zone needs: what exceeds the maximum of a host still exceeds it.
fn needs(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(2 * PLENTY).min(2 * PLENTY)
}

/// A zone that is to move does not stay where it is.
pub(super) fn home(zone: &FleetZone, host: &FleetHost, drained: bool) -> Option<Refusal> {
    (!drained && zone.host == host.name).then_some(Refusal::Home)
}

/// What rules out this zone on this host whatever else is there, and wherever the zone is now.
pub(in crate::plan) fn unfit(zone: &FleetZone, host: &FleetHost, drained: bool) -> Vec<Refusal> {
    if host.offline {
        return vec![Refusal::Offline];
    }
    let mut against = Vec::new();
    if drained {
        against.push(Refusal::Drained);
    }
    if let Some(who) = &host.maintenance {
        against.push(Refusal::Maintenance(who.clone()));
    }
    if let Some(when) = &host.announced {
        against.push(Refusal::Announced(when.clone()));
    }
    if zone.targets.as_ref().is_some_and(|targets| !targets.contains(&host.name)) {
        against.push(Refusal::NotATarget);
    }
    if !zone.arch.is_empty() && !host.arch.is_empty() && zone.arch != host.arch {
        against.push(Refusal::Architecture(host.arch.clone()));
    }
    against.extend(missing(&zone.cpu_features, host.cpu_features.as_ref()).map(Refusal::CpuFeatures));
    if let (Some(brand), Some(brands)) = (zone.brand, &host.brands)
        && !brands.contains(&brand)
    {
        against.push(Refusal::Brand);
    }
    if zone.is_bound() {
        against.push(Refusal::NotLive);
    }
    if let (Some(needed), Some(there)) = (zone.hypervisor, host.hypervisor)
        && there < needed
    {
        against.push(Refusal::Hypervisor(there));
    }
    against.extend(missing_networks(zone, host));
    against.extend(missing(&zone.storage, host.storage.as_ref()).map(Refusal::Storage));
    against
}

/// What is missing, if it is known what is there.
fn missing(needed: &BTreeSet<String>, there: Option<&BTreeSet<String>>) -> Option<Vec<String>> {
    let missing: Vec<_> = needed.difference(there?).cloned().collect();
    (!missing.is_empty()).then_some(missing)
}

/// The networks of a zone that are missing, under the names that they have there.
fn missing_networks(zone: &FleetZone, host: &FleetHost) -> Vec<Refusal> {
    let Some(there) = &host.networks else { return Vec::new() };
    let (mut same, mut mapped) = (Vec::new(), Vec::new());
    for here in &zone.networks {
        match host.net_map.label_there(here) {
            Some(name) if !there.contains(&name) => mapped.push(Refusal::MappedNetwork(name, here.clone())),
            None if !there.contains(here) => same.push(here.clone()),
            _ => {}
        }
    }
    let same = (!same.is_empty()).then_some(Refusal::Networks(same));
    same.into_iter().chain(mapped).collect()
}

/// What a zone takes, by column; `pages` are the sizes of huge pages in the fleet. A zone that does not run takes
/// neither memory nor CPUs.
pub(super) fn need(zone: &FleetZone, pages: &[u64]) -> Vec<i64> {
    let mut need = vec![0; PAGES + pages.len()];
    need[DISK] = needs(zone.disk);
    need[ZONES] = 1;
    if zone.running {
        need[CPUS] = i64::from(zone.cpus);
        need[column(zone, pages)] = needs(zone.paged().unwrap_or(zone.memory));
    }
    need
}

/// What a zone gives back where it leaves. A ballooned zone gives back what it uses, huge pages are given back
/// completely, and storage stays in use until the move is settled.
pub(super) fn back(zone: &FleetZone, pages: &[u64]) -> Vec<i64> {
    let mut back = need(zone, pages);
    back[DISK] = 0;
    if zone.running && zone.huge_page.is_none() {
        back[MEMORY] = needs(zone.memory_used);
    }
    back
}

fn column(zone: &FleetZone, pages: &[u64]) -> usize {
    zone.huge_page
        .and_then(|size| pages.iter().position(|page| *page == size))
        .map_or(MEMORY, |at| PAGES + at)
}

/// The part of a zone's memory that must be in one NUMA node.
pub(super) fn one_node(zone: &FleetZone) -> Option<i64> {
    (zone.running && zone.one_node && zone.huge_page.is_none()).then(|| needs(zone.memory))
}

/// What a host has for new zones as it is now. `there` are the zones on it.
pub(super) fn room<'a>(
    host: &FleetHost,
    there: impl Iterator<Item = &'a FleetZone>,
    rules: &Rules,
    pages: &[u64],
) -> Vec<i64> {
    let mut room = vec![PLENTY; PAGES + pages.len()];
    let (mut zones, mut cpus) = (0, 0);
    for zone in there {
        zones += 1;
        cpus += if zone.running { i64::from(zone.cpus) } else { 0 };
    }
    room[MEMORY] = has(host.memory_free).saturating_sub((host.memory as f64 * rules.headroom).ceil() as i64);
    if let Some(most) = host.vcpus(rules) {
        room[CPUS] = i64::from(most).saturating_sub(cpus);
    }
    room[DISK] = has(host.disk_free);
    room[ZONES] = rules.max_zones.map_or(PLENTY, |most| i64::from(most) - zones);
    for (room, size) in room[PAGES..].iter_mut().zip(pages) {
        let free = host.huge_pages.iter().filter(|page| page.size == *size);
        *room = has(free.fold(0, |all, page| all.saturating_add(page.free.saturating_mul(*size))));
    }
    room
}

/// Whether there is room for all of it. Resources that are not needed may be exhausted.
pub(super) fn takes(room: &[i64], need: &[i64]) -> bool {
    room.iter().zip(need).all(|(room, need)| need <= room || *need == 0)
}

/// What there is too little of, one reason for each column.
pub(super) fn short(room: &[i64], need: &[i64], rules: &Rules) -> Vec<Refusal> {
    let missing = |(column, (room, need)): (usize, (&i64, &i64))| {
        let missing = need.saturating_sub(*room);
        if *need == 0 || missing <= 0 {
            return None;
        }
        let missing = missing.unsigned_abs();
        Some(match column {
            MEMORY => Refusal::Memory(missing),
            CPUS => Refusal::Cpus(u32::try_from(missing).unwrap_or(u32::MAX)),
            DISK => Refusal::Disk(missing),
            ZONES => Refusal::MaxZones(rules.max_zones.unwrap_or(u32::MAX)),
            _ => Refusal::HugePages(missing),
        })
    };
    room.iter().zip(need).enumerate().filter_map(missing).collect()
}

/// Whether a zone of one of these groups is there. Both are in ascending order.
pub(super) fn apart(there: &[(u32, u32)], groups: &[u32]) -> bool {
    groups.iter().any(|group| there.binary_search_by_key(group, |(group, _)| *group).is_ok())
}

/// Seats these parts in NUMA nodes, each in the smallest that takes it: the node of each, or the bytes that are
/// missing on the largest. No nodes: they are not known, and everything fits.
pub(super) fn seat(nodes: &mut [i64], parts: &[i64]) -> Result<Vec<usize>, u64> {
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let mut seats = Vec::with_capacity(parts.len());
    for part in parts {
        let enough = nodes.iter_mut().enumerate().filter(|(_, free)| **free >= *part);
        let Some((at, free)) = enough.min_by_key(|(_, free)| **free) else {
            let largest = nodes.iter().copied().max().unwrap_or_default();
            let missing = part.saturating_sub(largest).unsigned_abs();
            seats.iter().zip(parts).for_each(|(at, part): (&usize, _)| nodes[*at] += part);
            return Err(missing);
        };
        *free -= part;
        seats.push(at);
    }
    Ok(seats)
}

/// Seats all parts of a host in its NUMA nodes, the largest first, in any possible way: the node of each; none if
/// it is impossible, or no way was found after many tries.
pub(super) fn seat_all(nodes: &[i64], parts: &[i64]) -> Option<Vec<usize>> {
    let mut order: Vec<_> = (0..parts.len()).collect();
    order.sort_by_key(|part| Reverse(parts[*part]));
    let (mut seats, mut tries) = (vec![0; parts.len()], TRIES);
    let enough = parts.iter().sum::<i64>() <= nodes.iter().sum();
    (enough && seat_rest(&mut nodes.to_vec(), parts, &order, &mut seats, &mut tries)).then_some(seats)
}

fn seat_rest(
    nodes: &mut [i64],
    parts: &[i64],
    order: &[usize],
    seats: &mut [usize],
    tries: &mut usize,
) -> bool {
    let Some((part, rest)) = order.split_first() else { return true };
    (0..nodes.len()).any(|at| {
        // Nodes with the same room are equivalent.
        if nodes[at] < parts[*part] || nodes[..at].contains(&nodes[at]) || *tries == 0 {
            return false;
        }
        *tries -= 1;
        seats[*part] = at;
        nodes[at] -= parts[*part];
        let all = seat_rest(nodes, parts, rest, seats, tries);
        nodes[at] += parts[*part];
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_nodes_take_what_fits_and_are_as_before_if_not_all_does() {
        let mut nodes = [10, 6];
        assert_eq!(seat(&mut nodes, &[5, 5]), Ok(vec![1, 0]));
        assert_eq!(nodes, [5, 1]);
        assert_eq!(seat(&mut nodes, &[4, 3]), Err(2));
        assert_eq!(nodes, [5, 1]);
        assert_eq!(seat(&mut [], &[99]), Ok(vec![]));
    }

    #[test]
    fn all_parts_are_seated_if_there_is_a_way() {
        assert_eq!(seat_all(&[52, 52], &[20, 12, 11, 36, 21]), Some(vec![1, 0, 1, 0, 1]));
        assert_eq!(seat_all(&[10, 6], &[6, 5, 5]), Some(vec![1, 0, 0]));
        assert_eq!(seat_all(&[10, 6], &[6, 6, 4]), Some(vec![0, 1, 0]));
        assert_eq!(seat_all(&[8, 8], &[5, 5, 5]), None);
    }

    #[test]
    fn a_ballooned_zone_needs_all_and_gives_back_what_it_has() {
        let zone = FleetZone {
            running: true,
            memory: 10,
            memory_used: 4,
            disk: 3,
            ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
        };
        assert_eq!((need(&zone, &[])[MEMORY], back(&zone, &[])[MEMORY]), (10, 4));
        assert_eq!((need(&zone, &[])[DISK], back(&zone, &[])[DISK]), (3, 0));
    }

    #[test]
    fn huge_pages_are_taken_whole_and_leave_ordinary_memory_alone() {
        let zone = FleetZone {
            running: true,
            memory: 10,
            huge_page: Some(4),
            ..FleetZone::new("zone".parse().unwrap(), "host".parse().unwrap())
        };
        assert_eq!(need(&zone, &[2, 4]), [0, 0, 0, 1, 0, 12]);
        assert_eq!(back(&zone, &[2, 4]), [0, 0, 0, 1, 0, 12]);
    }

    #[test]
    fn what_is_not_needed_may_be_short() {
        assert!(takes(&[-5, 3], &[0, 3]));
        assert!(!takes(&[-5, 3], &[1, 0]));
    }
}
