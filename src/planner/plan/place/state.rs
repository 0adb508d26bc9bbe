//! A placement during the search: which item is where, and what hosts have left. Every change can be undone, and
//! no change violates a hard constraint.

use std::collections::BTreeMap;

use super::limits;
use super::metrics;
use super::problem::{self, PlacementProblem};
use super::score::{Key, Score, ScoreDelta};

/// How good a placement is: above all, few zones are left over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PlacementScore {
    /// Zones that are not placed.
    pub(super) left: usize,
    pub(super) key: Key,
}

impl PlacementScore {
    pub(super) fn beats(self, other: Self) -> bool {
        self.left < other.left || (self.left == other.left && self.key.beats(other.key))
    }
}

/// The placement.
#[derive(Clone, Debug)]
pub(super) struct State<'p> {
    pub(super) problem: &'p PlacementProblem<'p>,
    /// Where each item is.
    pub(super) at: Vec<Option<u32>>,
    /// The items that came to each host.
    pub(super) here: Vec<Vec<u32>>,
    /// Items that stay where they are for good.
    pub(super) stays: Vec<bool>,
    pub(super) score: Score,
    left: usize,
    room: Vec<i64>,
    nodes: Vec<Vec<i64>>,
    seats: BTreeMap<usize, Vec<usize>>,
    there: Vec<Vec<(u32, u32)>>,
}

impl<'p> State<'p> {
    pub(super) fn new(problem: &'p PlacementProblem<'p>) -> Self {
        Self {
            at: vec![None; problem.items.len()],
            here: vec![Vec::new(); problem.fleet.hosts.len()],
            stays: vec![false; problem.items.len()],
            score: problem.score.clone(),
            left: problem.items.iter().map(|item| item.zones.len()).sum(),
            room: problem.room.clone(),
            nodes: problem.nodes.clone(),
            seats: BTreeMap::new(),
            there: problem.there.clone(),
            problem,
        }
    }

    pub(super) fn standing(&self) -> PlacementScore {
        PlacementScore { left: self.left, key: self.score.key() }
    }

    pub(super) fn room(&self, host: usize) -> &[i64] {
        &self.room[host * self.problem.columns..][..self.problem.columns]
    }

    /// The bytes that are missing on the largest NUMA node of a host for these parts, if they cannot be seated
    /// together with all others.
    pub(super) fn short_node(&self, host: usize, parts: &[i64]) -> Option<u64> {
        let missing = limits::seat(&mut self.nodes[host].clone(), parts).err()?;
        self.seats_with(host, parts).is_none().then_some(missing)
    }

    /// New seats for the items on a host, one after another, and then these parts.
    fn seats_with(&self, host: usize, parts: &[i64]) -> Option<Vec<usize>> {
        let here = self.here[host].iter().flat_map(|item| &self.problem.items[*item as usize].nodes);
        let parts: Vec<_> = here.chain(parts).copied().collect();
        limits::seat_all(&self.problem.nodes[host], &parts)
    }

    /// Seats an item in the NUMA nodes of a host; if there is no seat for it as the others are seated, all are
    /// seated anew.
    fn seat(&mut self, item: usize, host: usize) {
        let problem = self.problem;
        let parts = &problem.items[item].nodes;
        if let Ok(seats) = limits::seat(&mut self.nodes[host], parts) {
            self.seats.insert(item, seats);
        } else if let Some(seats) = self.seats_with(host, parts) {
            let mut seats = seats.into_iter();
            self.nodes[host].clone_from(&problem.nodes[host]);
            for item in self.here[host].iter().map(|item| *item as usize).chain([item]) {
                let parts = &problem.items[item].nodes;
                let own: Vec<_> = seats.by_ref().take(parts.len()).collect();
                own.iter().zip(parts).for_each(|(at, part)| self.nodes[host][*at] -= part);
                self.seats.insert(item, own);
            }
        }
    }

    /// Whether there is room for an item on a host that may take it.
    pub(super) fn fits(&self, item: usize, host: usize) -> bool {
        let what = &self.problem.items[item];
        limits::takes(self.room(host), self.problem.need(item))
            && !limits::apart(&self.there[host], &what.apart)
            && (what.nodes.is_empty() || self.short_node(host, &what.nodes).is_none())
            && !what.homes.contains(&host)
    }

    /// The hosts that can take an item now.
    pub(super) fn takers(&self, item: usize) -> impl Iterator<Item = usize> + '_ {
        let class = &self.problem.classes[self.problem.items[item].class];
        class.hosts.iter().map(|host| *host as usize).filter(move |host| self.fits(item, *host))
    }

    fn change(&self, item: usize, host: usize, sign: f64) -> ScoreDelta {
        ScoreDelta {
            host,
            amount: self.problem.items[item].amount,
            sign,
            rank: self.problem.rank(item, host),
        }
    }

    /// The score with an item on a host.
    pub(super) fn with(&self, item: usize, host: usize) -> PlacementScore {
        let zones = self.problem.items[item].zones.len();
        PlacementScore { left: self.left - zones, key: self.score.with(&self.change(item, host, 1.0)) }
    }

    /// Puts an item on a host that it [fits](Self::fits).
    pub(super) fn put(&mut self, item: usize, host: usize) {
        let what = &self.problem.items[item];
        let row = self.room[host * self.problem.columns..].iter_mut();
        row.zip(self.problem.need(item)).for_each(|(room, need)| *room -= need);
        what.apart.iter().for_each(|group| problem::add(&mut self.there[host], *group));
        if !what.nodes.is_empty() {
            self.seat(item, host);
        }
        self.score.apply(&self.change(item, host, 1.0));
        self.here[host].push(item as u32);
        self.at[item] = Some(host as u32);
        self.left -= what.zones.len();
    }

    /// Takes an item from its host; returns where it was.
    pub(super) fn take(&mut self, item: usize) -> Option<usize> {
        let host = self.at[item].take()? as usize;
        let what = &self.problem.items[item];
        let row = self.room[host * self.problem.columns..].iter_mut();
        row.zip(self.problem.need(item)).for_each(|(room, need)| *room += need);
        what.apart.iter().for_each(|group| problem::remove(&mut self.there[host], *group));
        if !what.nodes.is_empty() {
            let seats = self.seats.remove(&item).unwrap_or_default();
            seats.iter().zip(&what.nodes).for_each(|(at, part)| self.nodes[host][*at] += part);
        }
        self.score.apply(&self.change(item, host, -1.0));
        if let Some(at) = self.here[host].iter().rposition(|other| *other == item as u32) {
            self.here[host].remove(at);
        }
        self.left += what.zones.len();
        Some(host)
    }

    /// Leaves an item where it is for good: what it was taken to have given back is in use after all. Returns the
    /// hosts on which that matters.
    pub(super) fn stay(&mut self, item: usize) -> Vec<usize> {
        self.stays[item] = true;
        self.homes(item, 1)
    }

    /// The opposite.
    pub(super) fn leave(&mut self, item: usize) {
        self.stays[item] = false;
        self.homes(item, -1);
    }

    fn homes(&mut self, item: usize, sign: i64) -> Vec<usize> {
        let problem = self.problem;
        let mut homes = Vec::new();
        for zone in &problem.items[item].zones {
            let Some(host) = problem.home(*zone) else { continue };
            let zone = problem.zone(*zone);
            let back = limits::back(zone, &problem.pages);
            let amount = metrics::leaves(&problem.rules.goal, zone, &back);
            self.room[host * problem.columns..]
                .iter_mut()
                .zip(back)
                .for_each(|(room, back)| *room -= sign * back);
            let groups = zone.apart.iter().filter_map(|group| problem.groups.get(group.as_str()));
            let count = if sign > 0 { problem::add } else { problem::remove };
            groups.for_each(|group| count(&mut self.there[host], *group));
            self.score.change(&ScoreDelta { host, amount, sign: sign as f64, rank: 0.0 });
            homes.push(host);
        }
        homes
    }

    /// Whether a host is overloaded, or zones on it are not apart, because of this item.
    pub(super) fn suffers(&self, item: usize) -> bool {
        let Some(host) = self.at[item] else { return false };
        let host = host as usize;
        let needs = self.problem.need(item).iter().zip(self.room(host));
        let twice = |group: &u32| self.there[host].iter().any(|(there, count)| there == group && *count > 1);
        needs.into_iter().any(|(need, room)| *need > 0 && *room < 0)
            || self.problem.items[item].apart.iter().any(twice)
    }
}
