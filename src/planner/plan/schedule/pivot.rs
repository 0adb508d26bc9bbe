//! If zones wait for each other in a cycle, one of them makes a detour by way of a third host that has room.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::Given;
use super::order::{Found, levels, order};
use super::plan::Leg;
use super::problem::Builder;
use super::stock::{ScheduleProblem, Use};
use crate::plan::{HostIx, ZoneIx};

/// Maximum number of third hosts that are tried for one zone, those with most room first.
const HOSTS: usize = 8;
/// Maximum number of detours before giving up.
const RING: usize = 3;

/// Moves, and an order of them in which there is always room.
#[derive(Default)]
pub(super) struct Way {
    pub(super) problem: ScheduleProblem,
    pub(super) found: Found,
    via: BTreeMap<ZoneIx, HostIx>,
}

impl Way {
    /// The zones that do not get away.
    pub(super) fn left(&self) -> BTreeSet<ZoneIx> {
        self.found
            .left
            .iter()
            .filter_map(|&job| self.problem.jobs.get(job))
            .map(|job| job.draft.zone)
            .collect()
    }

    /// It leaves no zone halfway.
    fn is_whole(&self) -> bool {
        self.left().iter().all(|zone| !self.via.contains_key(zone))
    }

    /// Zones that wait, and for whose room others wait; with `early` also zones that moved to where those that
    /// wait have no room now.
    fn in_the_way(&self, early: bool) -> Vec<ZoneIx> {
        let levels = levels(&self.problem, &self.found.order);
        let left = || self.found.left.iter().filter_map(|&job| self.problem.jobs.get(job));
        let short: BTreeSet<_> = left()
            .flat_map(|job| &job.takes)
            .filter(|one| levels.get(one.stock).is_some_and(|level| *level < one.amount))
            .map(|one| one.stock)
            .collect();
        let done = self.found.order.iter().filter_map(|&job| self.problem.jobs.get(job));
        let is_short = |uses: &[Use]| uses.iter().any(|one| short.contains(&one.stock));
        let wait = left().filter(|job| is_short(&job.gives));
        let went = done.filter(|job| early && is_short(&job.takes));
        let mut whose: Vec<_> = wait.chain(went).filter(|job| job.draft.leg == Leg::Whole).collect();
        whose.sort_by_key(|job| job.takes.iter().map(|one| one.amount).sum::<i64>());
        whose.into_iter().map(|job| job.draft.zone).collect()
    }
}

/// The way on which the fewest zones are left, and of these one with few detours.
pub(super) fn way(given: &Given<'_>, builder: &Builder<'_>, zones: &[(ZoneIx, HostIx)]) -> Way {
    let mut search = DetourSearch { given, builder, zones, trials: 0, early: false };
    let mut best = search.try_via(&BTreeMap::new());
    loop {
        let left = best.left().len();
        let better = [false, true].into_iter().find_map(|early| {
            (search.trials, search.early) = (turns(given, zones.len()) / 4, early);
            (1..=RING).find_map(|depth| search.with_more(&best, depth, left))
        });
        match better {
            Some(better) if left > 0 => best = better,
            _ => return best,
        }
    }
}

/// The number of backtracks allowed for that many zones.
fn turns(given: &Given<'_>, zones: usize) -> usize {
    usize::try_from(given.rules.steps).unwrap_or(usize::MAX).checked_div(zones).unwrap_or(0).clamp(20, 2000)
}

struct DetourSearch<'a> {
    given: &'a Given<'a>,
    builder: &'a Builder<'a>,
    zones: &'a [(ZoneIx, HostIx)],
    /// How many ways may still be tried before one must be better.
    trials: usize,
    /// Whether zones are tried, too, that are not left themselves.
    early: bool,
}

impl DetourSearch<'_> {
    fn try_via(&mut self, via: &BTreeMap<ZoneIx, HostIx>) -> Way {
        let (problem, _) = self.builder.build(self.zones, via);
        self.trials = self.trials.saturating_sub(1);
        let found = order(&problem, turns(self.given, problem.jobs.len()));
        Way { problem, found, via: via.clone() }
    }

    /// A way with so many more detours that leaves fewer zones.
    fn with_more(&mut self, way: &Way, depth: usize, left: usize) -> Option<Way> {
        if left == 0 {
            return None;
        }
        for zone in way.in_the_way(self.early) {
            for third in self.third_hosts(zone) {
                if self.trials == 0 {
                    return None;
                }
                let mut via = way.via.clone();
                via.insert(zone, third);
                let next = self.try_via(&via);
                if depth > 1 {
                    if let Some(found) = self.with_more(&next, depth - 1, left) {
                        return Some(found);
                    }
                } else if next.is_whole() && next.left().len() < left {
                    return Some(next);
                }
            }
        }
        None
    }

    fn third_hosts(&self, zone: ZoneIx) -> Vec<HostIx> {
        let ends = [self.builder.home(zone), self.zones.iter().find(|one| one.0 == zone).map(|one| one.1)];
        let mut hosts: Vec<_> = (0u32..)
            .map(HostIx)
            .zip(&self.given.fleet.hosts)
            .filter(|(host, there)| !ends.contains(&Some(*host)) && there.in_service())
            .filter(|(host, _)| (self.given.terms.pivot)(zone, *host))
            .collect();
        hosts.sort_by_key(|(_, there)| Reverse(there.memory_free));
        hosts.into_iter().map(|(host, _)| host).take(HOSTS).collect()
    }
}
