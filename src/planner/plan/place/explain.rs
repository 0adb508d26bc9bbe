//! Why a zone fits nowhere: each host with all reasons.

use super::state::State;
use super::{dependents, limits};
use crate::plan::{FleetZone, HostIx, Refusal, Unplaced, ZoneIx};

/// The final placement, from which the reasons follow.
pub(super) struct Explain<'a> {
    state: &'a State<'a>,
    there: Vec<Vec<usize>>,
    held: dependents::Held<'a>,
}

impl<'a> Explain<'a> {
    pub(super) fn new(state: &'a State<'a>) -> Self {
        let problem = state.problem;
        let mut to = vec![None; problem.fleet.zones.len()];
        for (item, at) in problem.items.iter().zip(&state.at) {
            item.zones.iter().for_each(|zone| to[*zone] = *at);
        }
        let mut there = vec![Vec::new(); problem.fleet.hosts.len()];
        for (zone, to) in to.iter().enumerate() {
            let home = || problem.hosts.get(&problem.zone(zone).host).copied();
            let at = to.map(|host| host as usize).or_else(home);
            at.into_iter().for_each(|host| there[host].push(zone));
        }
        Self { state, there, held: dependents::held(state, None) }
    }

    /// A zone of an item that is left over, with all reasons.
    pub(super) fn unplaced(&self, zone: usize, item: usize) -> Unplaced {
        let hosts = 0..self.state.problem.fleet.hosts.len();
        let refusals = hosts.map(|host| (HostIx(host as u32), self.against(zone, item, host))).collect();
        Unplaced { zone: ZoneIx(zone as u32), refusals }
    }

    fn against(&self, at: usize, item: usize, host: usize) -> Vec<Refusal> {
        let mut against = self.alone(at, host);
        let others = self.state.problem.items[item].zones.iter().filter(|other| **other != at);
        for other in others.clone().filter(|other| !self.alone(**other, host).is_empty()) {
            against.extend(self.together(at, *other));
        }
        if against.is_empty() {
            // Each would fit there, but not all of them.
            against.extend(others.filter_map(|other| self.together(at, *other)));
        }
        against
    }

    /// The reasons against a zone alone.
    fn alone(&self, at: usize, host: usize) -> Vec<Refusal> {
        let problem = self.state.problem;
        let (zone, to) = (problem.zone(at), &problem.fleet.hosts[host]);
        let drained = problem.drained[host];
        let need = limits::need(zone, &problem.pages);
        let part = limits::one_node(zone).and_then(|part| self.state.short_node(host, &[part]));
        let mut against: Vec<_> = limits::home(zone, to, drained).into_iter().collect();
        against.extend(limits::unfit(zone, to, drained));
        if zone.host == to.name || drained || to.offline {
            // What the zone uses there says nothing about what it would need; zones that stay on a host to be
            // emptied are not counted; and the resources of an offline host are not known.
            return against;
        }
        against.extend(limits::short(self.state.room(host), &need, problem.rules));
        against.extend(part.map(Refusal::Node));
        against.extend(self.apart(at, host));
        against.extend(
            dependents::waits_for(problem, &self.held, at).map(|other| Refusal::After(other.clone())),
        );
        against
    }

    /// The zones there from which it is kept apart.
    fn apart(&self, at: usize, host: usize) -> impl Iterator<Item = Refusal> + '_ {
        let zone = self.state.problem.zone(at);
        let others = if zone.apart.is_empty() { &[][..] } else { &self.there[host][..] };
        let others =
            others.iter().filter(move |other| **other != at).map(|other| self.state.problem.zone(*other));
        others.flat_map(move |other: &FleetZone| {
            zone.apart
                .intersection(&other.apart)
                .map(|group| Refusal::Apart(group.clone(), other.name.clone()))
        })
    }

    /// The reason that another zone must come along.
    fn together(&self, at: usize, other: usize) -> Option<Refusal> {
        let (zone, other) = (self.state.problem.zone(at), self.state.problem.zone(other));
        // Two zones may be in one item because of a third: then any of the groups is named.
        let group = zone.together.intersection(&other.together).next().or_else(|| zone.together.first())?;
        Some(Refusal::Together(group.clone(), other.name.clone()))
    }
}
