//! The request in numbers, for the search. Hosts and zones are their indexes in the fleet; zones that must go
//! together are one [`PlacedUnit`]; items that require the same of a host, whatever else is there, are of one
//! class.

use std::collections::{BTreeMap, HashMap};

use super::limits;
use super::metrics::{self, Metric};
use super::score::Score;
use crate::plan::{Action, Fleet, FleetZone, Goal, HostKey, PlacementRequest, Rules, ZoneIx};

/// What is placed as one item: a zone, or zones that must go together.
#[derive(Clone, Debug)]
pub(super) struct PlacedUnit {
    /// The zones, as indexes in the fleet.
    pub(super) zones: Vec<usize>,
    /// The class, as an index in [`PlacementProblem::classes`].
    pub(super) class: usize,
    /// The hosts on which its zones are, unless these are emptied.
    pub(super) homes: Vec<usize>,
    /// Parts of memory that must be in one NUMA node each.
    pub(super) nodes: Vec<i64>,
    /// Groups whose other zones it is kept apart from.
    pub(super) apart: Vec<u32>,
    /// What it adds to the metrics of a host.
    pub(super) amount: Metric,
    /// The share of the fleet that it takes, by its scarcest resource.
    pub(super) share: f64,
}

/// Hosts that may take an item, as long as there is room.
#[derive(Clone, Debug, Default)]
pub(super) struct HostClass {
    /// In ascending order.
    pub(super) hosts: Vec<u32>,
    /// The ranks of hosts in the order of the zones' targets, if that matters.
    pub(super) ranks: HashMap<u32, f64>,
}

#[derive(Debug)]
pub(super) struct PlacementProblem<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) rules: &'a Rules,
    pub(super) items: Vec<PlacedUnit>,
    pub(super) classes: Vec<HostClass>,
    /// Sizes of huge pages in the fleet.
    pub(super) pages: Vec<u64>,
    /// Columns of [`needs`](Self::needs) and [`room`](Self::room); see [`limits`].
    pub(super) columns: usize,
    /// What items take, item by item.
    pub(super) needs: Vec<i64>,
    /// What hosts have once all zones of the request have left, host by host.
    pub(super) room: Vec<i64>,
    /// Free bytes of NUMA nodes, for hosts that report them.
    pub(super) nodes: Vec<Vec<i64>>,
    /// Of the zones that stay, the groups that are kept apart: for each host in ascending order, how many.
    pub(super) there: Vec<Vec<(u32, u32)>>,
    pub(super) groups: BTreeMap<&'a str, u32>,
    pub(super) drained: Vec<bool>,
    pub(super) hosts: HashMap<&'a HostKey, usize>,
    pub(super) score: Score,
}

impl<'a> PlacementProblem<'a> {
    /// The request of these zones (as indexes in the fleet), of which `groups` makes items.
    pub(super) fn new(
        fleet: &'a Fleet,
        rules: &'a Rules,
        question: &PlacementRequest,
        asked: &[usize],
    ) -> Self {
        let hosts: HashMap<_, _> =
            fleet.hosts.iter().enumerate().map(|(at, host)| (&host.name, at)).collect();
        let mut drained = vec![false; fleet.hosts.len()];
        for host in &question.drained {
            drained.get_mut(host.0 as usize).into_iter().for_each(|drained| *drained = true);
        }
        let pages = page_sizes(fleet);
        let groups = groups(fleet);
        let room = Room::new(fleet, rules, &hosts, &pages, &groups, asked);
        let (per, now) = metrics_of(fleet, rules, &hosts, &room, asked, &pages);
        let counts: Vec<_> =
            fleet.hosts.iter().zip(&drained).map(|(host, drained)| !drained && host.in_service()).collect();
        Self {
            fleet,
            rules,
            items: Vec::new(),
            classes: Vec::new(),
            columns: limits::PAGES + pages.len(),
            pages,
            needs: Vec::new(),
            room: room.rows,
            nodes: fleet
                .hosts
                .iter()
                .map(|host| host.numa.iter().map(|n| limits::has(n.memory_free)).collect())
                .collect(),
            there: room.there,
            groups,
            drained,
            hosts,
            score: Score::new(metrics::shape(&rules.goal), &counts, per, now),
        }
    }

    pub(super) fn need(&self, item: usize) -> &[i64] {
        &self.needs[item * self.columns..][..self.columns]
    }

    /// Whether a host may take an item, as long as there is room.
    pub(super) fn may(&self, item: usize, host: usize) -> bool {
        let item = &self.items[item];
        self.classes[item.class].hosts.binary_search(&(host as u32)).is_ok() && !item.homes.contains(&host)
    }

    pub(super) fn zone(&self, at: usize) -> &'a FleetZone {
        &self.fleet.zones[at]
    }

    /// Where a zone is, unless that host is emptied, or not in the fleet.
    pub(super) fn home(&self, zone: usize) -> Option<usize> {
        self.hosts.get(&self.zone(zone).host).copied().filter(|host| !self.drained[*host])
    }

    /// The rank of a host among an item's targets.
    pub(super) fn rank(&self, item: usize, host: usize) -> f64 {
        if self.rules.goal != Goal::Pinned {
            return 0.0;
        }
        self.classes[self.items[item].class].ranks.get(&(host as u32)).copied().unwrap_or_default()
    }
}

/// The zones to be placed, in the order of the request and without duplicates. The others stay.
pub(super) fn asked(fleet: &Fleet, question: &PlacementRequest) -> Vec<usize> {
    let mut seen = vec![false; fleet.zones.len()];
    let moves = |at: &usize| {
        let zone = fleet.zones.get(*at);
        zone.is_some_and(|zone| matches!(zone.action, Action::Live | Action::Restart))
            && !std::mem::replace(&mut seen[*at], true)
    };
    question.zones.iter().map(|ZoneIx(at)| *at as usize).filter(moves).collect()
}

fn page_sizes(fleet: &Fleet) -> Vec<u64> {
    let mut sizes: Vec<_> = fleet.zones.iter().filter_map(|zone| zone.huge_page).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

fn groups(fleet: &Fleet) -> BTreeMap<&str, u32> {
    let mut groups: BTreeMap<&str, u32> =
        fleet.zones.iter().flat_map(|zone| &zone.apart).map(|group| (group.as_str(), 0)).collect();
    groups.values_mut().zip(0..).for_each(|(number, next)| *number = next);
    groups
}

/// The rows of room, and the groups there, once all zones of the request have left.
struct Room<'a> {
    rows: Vec<i64>,
    there: Vec<Vec<(u32, u32)>>,
    zones: Vec<Vec<&'a FleetZone>>,
}

impl<'a> Room<'a> {
    fn new(
        fleet: &'a Fleet,
        rules: &Rules,
        hosts: &HashMap<&HostKey, usize>,
        pages: &[u64],
        groups: &BTreeMap<&str, u32>,
        asked: &[usize],
    ) -> Self {
        let mut leaves = vec![false; fleet.zones.len()];
        asked.iter().for_each(|zone| leaves[*zone] = true);
        let mut zones = vec![Vec::new(); fleet.hosts.len()];
        let mut there = vec![Vec::new(); fleet.hosts.len()];
        for (at, zone) in fleet.zones.iter().enumerate() {
            let Some(host) = hosts.get(&zone.host) else { continue };
            zones[*host].push(zone);
            if !leaves[at] {
                zone.apart
                    .iter()
                    .filter_map(|group| groups.get(group.as_str()))
                    .for_each(|g| add(&mut there[*host], *g));
            }
        }
        let rows = fleet.hosts.iter().zip(&zones);
        let mut rows: Vec<_> =
            rows.flat_map(|(host, there)| limits::room(host, there.iter().copied(), rules, pages)).collect();
        let columns = limits::PAGES + pages.len();
        for zone in asked.iter().map(|at| &fleet.zones[*at]) {
            let Some(host) = hosts.get(&zone.host) else { continue };
            let row = rows[host * columns..][..columns].iter_mut();
            row.zip(limits::back(zone, pages)).for_each(|(room, back)| *room = room.saturating_add(back));
        }
        Self { rows, there, zones }
    }
}

/// Adds one zone of a group.
pub(super) fn add(there: &mut Vec<(u32, u32)>, group: u32) {
    match there.binary_search_by_key(&group, |(group, _)| *group) {
        Ok(at) => there[at].1 += 1,
        Err(at) => there.insert(at, (group, 1)),
    }
}

/// Removes one zone of a group.
pub(super) fn remove(there: &mut Vec<(u32, u32)>, group: u32) {
    if let Ok(at) = there.binary_search_by_key(&group, |(group, _)| *group) {
        there[at].1 -= 1;
        if there[at].1 == 0 {
            there.remove(at);
        }
    }
}

/// The share of each host that a unit of each metric is, and the metrics once all zones of the request have left.
fn metrics_of(
    fleet: &Fleet,
    rules: &Rules,
    hosts: &HashMap<&HostKey, usize>,
    room: &Room<'_>,
    asked: &[usize],
    pages: &[u64],
) -> (Vec<Metric>, Vec<Metric>) {
    let goal = &rules.goal;
    let rows = room.rows.chunks(limits::PAGES + pages.len());
    let per: Vec<_> = fleet.hosts.iter().zip(rows).map(|(host, row)| metrics::per(goal, host, row)).collect();
    let there = fleet.hosts.iter().zip(&room.zones);
    let mut now: Vec<_> =
        there.map(|(host, zones)| metrics::before(goal, host, zones.iter().copied())).collect();
    for zone in asked.iter().map(|at| &fleet.zones[*at]) {
        let Some(host) = hosts.get(&zone.host) else { continue };
        let less = metrics::leaves(goal, zone, &limits::back(zone, pages));
        now[*host].iter_mut().zip(less).for_each(|(now, less)| *now = (*now - less).max(0.0));
    }
    now.iter_mut()
        .zip(&per)
        .for_each(|(now, per)| now.iter_mut().zip(per).for_each(|(now, per)| *now *= per));
    (per, now)
}
