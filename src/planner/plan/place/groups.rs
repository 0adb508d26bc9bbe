//! From zones to items: zones that must go together become one item, and items that may go to the same hosts
//! share a list of these.

use std::collections::{BTreeMap, BTreeSet};

use super::limits;
use super::metrics::{self, Metric};
use super::problem::{HostClass, PlacedUnit, PlacementProblem};
use crate::model::Brand;
use crate::plan::{FleetZone, HostKey, Version};

/// Everything that a zone requires of a host, whatever else is there.
type Asks<'a> = (
    &'a str,
    &'a BTreeSet<String>,
    Option<Version>,
    Option<Brand>,
    &'a BTreeSet<String>,
    &'a BTreeSet<String>,
    Option<&'a [HostKey]>,
    bool,
);

fn asks(zone: &FleetZone) -> Asks<'_> {
    let FleetZone { arch, cpu_features, hypervisor, brand, networks, storage, targets, .. } = zone;
    (arch, cpu_features, *hypervisor, *brand, networks, storage, targets.as_deref(), zone.is_bound())
}

/// Fills in items and classes.
pub(super) fn fill(problem: &mut PlacementProblem<'_>, asked: &[usize]) {
    let mut kinds: BTreeMap<Asks<'_>, usize> = BTreeMap::new();
    let mut hosts: Vec<HostClass> = Vec::new();
    let mut classes: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for zones in together(problem, asked) {
        let mut kind = Vec::new();
        for zone in zones.iter().map(|at| problem.zone(*at)) {
            kind.push(*kinds.entry(asks(zone)).or_insert_with(|| {
                hosts.push(class(problem, zone));
                hosts.len() - 1
            }));
        }
        kind.sort_unstable();
        let (apart, torn) = apart(problem, &zones);
        if torn {
            kind.clear();
        }
        let next = classes.len();
        let class = *classes.entry(kind).or_insert_with_key(|kind| {
            problem.classes.push(common(&hosts, kind));
            next
        });
        push(problem, zones, class, apart);
    }
    share(problem);
}

fn push(problem: &mut PlacementProblem<'_>, zones: Vec<usize>, class: usize, apart: Vec<u32>) {
    let mut need = vec![0_i64; problem.columns];
    let mut amount = Metric::default();
    for zone in zones.iter().map(|at| problem.zone(*at)) {
        let one = limits::need(zone, &problem.pages);
        let more = metrics::arrives(&problem.rules.goal, zone, &one);
        need.iter_mut().zip(one).for_each(|(need, one)| *need = need.saturating_add(one));
        amount.iter_mut().zip(more).for_each(|(amount, more)| *amount += more);
    }
    let mut nodes: Vec<_> = zones.iter().filter_map(|at| limits::one_node(problem.zone(*at))).collect();
    nodes.sort_unstable_by(|a, b| b.cmp(a));
    let homes = zones.iter().filter_map(|zone| problem.home(*zone)).collect();
    problem.needs.extend(need);
    problem.items.push(PlacedUnit { zones, class, homes, nodes, apart, amount, share: 0.0 });
}

/// Zones that must go together, in the order of the request.
fn together(problem: &PlacementProblem<'_>, asked: &[usize]) -> Vec<Vec<usize>> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    let mut parent: Vec<usize> = (0..asked.len()).collect();
    for (at, zone) in asked.iter().enumerate() {
        for group in &problem.zone(*zone).together {
            let other = *first.entry(group).or_insert(at);
            let (a, b) = (root(&mut parent, at), root(&mut parent, other));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut bundles: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, zone) in asked.iter().enumerate() {
        bundles.entry(root(&mut parent, at)).or_default().push(*zone);
    }
    bundles.into_values().collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

/// The groups of these zones, and whether two of them are kept apart from one another.
fn apart(problem: &PlacementProblem<'_>, zones: &[usize]) -> (Vec<u32>, bool) {
    let groups = zones.iter().flat_map(|at| &problem.zone(*at).apart);
    let mut groups: Vec<_> = groups.filter_map(|group| problem.groups.get(group.as_str()).copied()).collect();
    groups.sort_unstable();
    let all = groups.len();
    groups.dedup();
    let torn = groups.len() < all;
    (groups, torn)
}

/// The hosts that may take this zone.
fn class(problem: &PlacementProblem<'_>, zone: &FleetZone) -> HostClass {
    let mut class = HostClass::default();
    let fits =
        |host: &usize| limits::unfit(zone, &problem.fleet.hosts[*host], problem.drained[*host]).is_empty();
    if let Some(targets) = &zone.targets {
        for (rank, target) in targets.iter().enumerate() {
            let Some(host) = problem.hosts.get(target).copied().filter(fits) else { continue };
            class.ranks.entry(host as u32).or_insert(rank as f64);
        }
        class.hosts = class.ranks.keys().copied().collect();
        class.hosts.sort_unstable();
    } else {
        class.hosts = (0..problem.fleet.hosts.len()).filter(fits).map(|host| host as u32).collect();
    }
    class
}

/// The hosts that may take all of these; none if there is nothing to take.
fn common(classes: &[HostClass], kinds: &[usize]) -> HostClass {
    let Some((first, others)) = kinds.split_first() else { return HostClass::default() };
    let mut common = classes[*first].clone();
    for other in others.iter().map(|at| &classes[*at]) {
        common.hosts.retain(|host| other.hosts.binary_search(host).is_ok());
        other.ranks.iter().for_each(|(host, rank)| *common.ranks.entry(*host).or_default() += rank);
    }
    common
}

/// The share of the fleet's resources that each item takes, by its scarcest resource.
fn share(problem: &mut PlacementProblem<'_>) {
    let mut all = vec![0.0; problem.columns];
    for row in problem.room.chunks(problem.columns) {
        all.iter_mut().zip(row).for_each(|(all, room)| *all += (*room).max(0) as f64);
    }
    for at in 0..problem.items.len() {
        let share = problem.need(at).iter().zip(&all).map(|(need, all)| *need as f64 / all.max(1.0));
        problem.items[at].share = share.fold(0.0, f64::max);
    }
}
