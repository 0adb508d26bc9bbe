//! Follows a plan from its begin to its end, without any code of the planner.

use std::collections::BTreeMap;

use sysadm_model::{Method, ZoneName};
use sysadm_planner::plan::{Action, BuiltPlan, Leg, PlannedMove};

use super::super::checker::{seats, unfit, violations};
use super::super::samples::Sample;
use crate::tests::plan_schedule::world::{Way, World};

/// Where a plan leads, in the terms of the checkers.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    pub sample: &'a Sample,
    pub built: &'a BuiltPlan,
}

/// Everything that is wrong with a plan.
pub fn wrong(sample: &Sample, built: &BuiltPlan) -> Vec<String> {
    let walk = Walk { sample, built };
    let mut wrong = violations(&sample.fleet, &sample.rules, &sample.question, &built.placement);
    wrong.extend(walk.world().wrong_at_some_time(&walk.ways()));
    wrong.extend(built.plan.moves.iter().filter_map(|one| walk.wrong_move(one)));
    wrong.extend((0..sample.fleet.zones.len()).filter_map(|zone| walk.wrong_zone(zone)));
    wrong.extend(walk.torn());
    let ends = walk.ends();
    wrong.extend((0..sample.fleet.hosts.len()).filter_map(|host| walk.wrong_nodes(host, &ends)));
    if built.plan.lower_bound_ms > built.plan.makespan_ms {
        wrong.push("it is shorter than the shortest".to_owned());
    }
    wrong
}

impl Walk<'_> {
    pub fn world(&self) -> World<'_> {
        World { fleet: &self.sample.fleet, rules: &self.sample.rules, trunks: &[] }
    }

    pub fn ways(&self) -> Vec<Way> {
        let way = |one: &PlannedMove| Way {
            zone: one.zone.0 as usize,
            from: one.from.0 as usize,
            to: one.to.0 as usize,
            rate: one.rate,
            start: one.start_ms,
            end: one.end_ms,
        };
        self.built.plan.moves.iter().map(way).collect()
    }

    /// The host of each zone when all is over.
    pub fn ends(&self) -> Vec<usize> {
        let world = self.world();
        let mut ends: Vec<_> = self.sample.fleet.zones.iter().map(|zone| world.host(&zone.host)).collect();
        let mut ways = self.ways();
        ways.sort_by_key(|way| way.end);
        ways.iter().for_each(|way| ends[way.zone] = way.to);
        ends
    }

    pub fn drained(&self, host: usize) -> bool {
        self.sample.question.drained.iter().any(|one| one.0 as usize == host)
    }

    /// A move by itself: its host may have the zone, and it is by the right method.
    fn wrong_move(&self, one: &PlannedMove) -> Option<String> {
        let fleet = &self.sample.fleet;
        let (zone, to) = (&fleet.zones[one.zone.0 as usize], &fleet.hosts[one.to.0 as usize]);
        let method = match (zone.running, zone.action) {
            (false, _) => Method::Cold,
            (true, Action::Restart) => Method::Restart,
            (true, _) => Method::Live,
        };
        let unfit = unfit(zone, to, self.drained(one.to.0 as usize));
        let unfit = unfit.map(|why| format!("{} goes to {}: {why}", zone.name, to.name));
        let odd =
            one.start_ms >= one.end_ms || one.rate == 0 || one.method != method || one.leg != Leg::Whole;
        unfit.or_else(|| odd.then(|| format!("{one:?}")))
    }

    /// A zone of the request is brought where it was to go, or is left; one that must come after it moves only then.
    fn wrong_zone(&self, zone: usize) -> Option<String> {
        let (fleet, built) = (&self.sample.fleet, self.built);
        let of = |one: &PlannedMove| one.zone.0 as usize == zone;
        let moves: Vec<_> = built.plan.moves.iter().filter(|one| of(one)).collect();
        let to = built.placement.moves.iter().find(|one| one.zone.0 as usize == zone).map(|one| one.to);
        let blocked = built.plan.blocked.iter().filter(|one| one.zone.0 as usize == zone).count();
        let name = &fleet.zones[zone].name;
        match (&moves[..], to, blocked) {
            ([], None, 0) | ([], Some(_), 1) => {}
            ([one], Some(to), 0) if one.to == to => {}
            _ => return Some(format!("{name} was to go to {to:?}: {moves:?}, blocked {blocked} times")),
        }
        let before = fleet.zones[zone].after.iter().find(|other| !moves.is_empty() && self.is_left(other));
        before.map(|other| format!("{name} moves, and {other} that must come first does not"))
    }

    /// Zones that go, without one with which they must be together.
    fn torn(&self) -> Option<String> {
        let bundles = self.bundles();
        let moves = |zone: usize| self.built.plan.moves.iter().any(|one| one.zone.0 as usize == zone);
        let mut zones = bundles.iter().filter(|(zone, first)| moves(**zone) != moves(**first));
        zones.next().map(|(zone, first)| format!("of {zone} and {first} only one goes"))
    }

    pub fn is_left(&self, name: &ZoneName) -> bool {
        let left = self.built.plan.blocked.iter().map(|one| one.zone);
        let mut left = left.chain(self.built.placement.unplaced.iter().map(|one| one.zone));
        left.any(|zone| self.sample.fleet.zones[zone.0 as usize].name == *name)
    }

    /// Nothing leaves NUMA nodes on which this counts, so what holds in the end holds always.
    pub fn wrong_nodes(&self, host: usize, places: &[usize]) -> Option<String> {
        let (fleet, there) = (&self.sample.fleet, &self.sample.fleet.hosts[host]);
        let zones =
            fleet.zones.iter().zip(places).filter(|(zone, at)| **at == host && zone.host != there.name);
        let bound = zones.filter(|(zone, _)| zone.running && zone.one_node && zone.huge_page.is_none());
        let parts: Vec<_> = bound.map(|(zone, _)| zone.memory).collect();
        let mut free: Vec<_> = there.numa.iter().map(|node| node.memory_free).collect();
        (!free.is_empty() && !seats(&parts, &mut free)).then(|| format!("{}: memory nodes", there.name))
    }

    /// Zones that must go together, directly or not: each with the first of its group.
    pub fn bundles(&self) -> BTreeMap<usize, usize> {
        let zones = &self.sample.fleet.zones;
        let moves = |zone: &usize| matches!(zones[*zone].action, Action::Live | Action::Restart);
        let asked = self.sample.question.zones.iter().map(|zone| zone.0 as usize).filter(moves);
        let mut first: BTreeMap<_, _> = asked.map(|zone| (zone, zone)).collect();
        let joined = |a: usize, b: usize| !zones[a].together.is_disjoint(&zones[b].together);
        loop {
            let before = first.clone();
            for (zone, least) in &mut first {
                let with = before.iter().filter(|(other, _)| joined(*zone, **other));
                *least = with.map(|(_, first)| *first).min().unwrap_or(*zone).min(*least);
            }
            if first == before {
                return first;
            }
        }
    }
}
