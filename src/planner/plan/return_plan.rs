//! The way home: in which order evacuated zones fit on their homes again, which zones must leave first, and which
//! are relocated. Pure.
//!
//! ```text
//!   asked: a, b ─► home: h1 ─► is there room, one after another?
//!                                │ no
//!                                └─► zones on h1 that belong elsewhere go home first (those that are needed)
//!                                     │ their home is full, because a or b is there
//!                                     └─► a is relocated to a third host, until there is room for it on h1
//! ```
//!
//! Only the order can be chosen: a zone has one home, to which it belongs, so the limits that a policy sets for
//! locations (headroom, number of zones) do not apply there.

use std::collections::BTreeSet;

use super::place::unfit;
use super::{
    Action, Assignment, BuiltPlan, Fleet, FleetZone, History, HostIx, HostKey, Leg, Placement, Refusal,
    Rules, Unplaced, ZoneIx, build,
};

/// Maximum number of zones of which it is tried whether the others fit without them leaving first.
const TRIALS: usize = 64;

/// A plan by which zones return home.
#[derive(Clone, Debug)]
pub struct ReturnPlan {
    /// The plan, including the zones that leave first.
    pub built: BuiltPlan,
    /// Zones that were not requested, and must leave first so that the others fit.
    pub first: BTreeSet<ZoneIx>,
}

impl ReturnPlan {
    /// The requested zones that are relocated, and where to: first legs to a host that is neither their home nor
    /// their location.
    pub fn relocations(&self) -> impl Iterator<Item = (ZoneIx, HostIx)> {
        let legs = self.built.plan.moves.iter().filter(|one| one.leg == Leg::First);
        legs.map(|one| (one.zone, one.to))
    }
}

/// All zones that belong to these hosts and are elsewhere: those that run, and with `all` also those that do not.
pub fn away_from(fleet: &Fleet, hosts: &[HostKey], all: bool) -> Vec<ZoneIx> {
    let away = (0..).map(ZoneIx).zip(&fleet.zones).filter(|(_, zone)| {
        (zone.running || all) && zone.home.as_ref().is_some_and(|home| hosts.contains(home))
    });
    away.map(|(ix, _)| ix).collect()
}

/// The return plan for these zones. Zones without a known home are left out.
pub fn return_plan(mut fleet: Fleet, rules: Rules, asked: &[ZoneIx], history: &History) -> ReturnPlan {
    for zone in &mut fleet.zones {
        // The policy's actions are for evacuating zones, not for returning them.
        if !matches!(zone.action, Action::Live | Action::Restart) {
            zone.action = Action::Live;
        }
    }
    let rules = Rules { headroom: 0.0, max_zones: None, ..rules };
    let question = Asked { fleet, rules, asked: asked.iter().copied().collect(), history };
    let plain = question.with(&BTreeSet::new());
    if question.left(&plain) == 0 {
        return ReturnPlan { built: plain, first: BTreeSet::new() };
    }
    let mut first = question.others();
    let mut built = question.with(&first);
    if question.left(&built) >= question.left(&plain) {
        // Those that cannot go either are kept for now, so that the reasons say which zones wait for which.
        first.retain(|zone| !moves(&built, *zone));
        return ReturnPlan { built: question.with(&first), first: BTreeSet::new() };
    }
    for zone in question.largest_first(&first).into_iter().take(TRIALS) {
        let fewer: BTreeSet<_> = first.iter().copied().filter(|other| *other != zone).collect();
        let without = question.with(&fewer);
        if question.left(&without) <= question.left(&built) {
            (first, built) = (fewer, without);
        }
    }
    // Those that cannot go themselves do not help.
    first.retain(|zone| moves(&built, *zone));
    ReturnPlan { built, first }
}

fn moves(built: &BuiltPlan, zone: ZoneIx) -> bool {
    built.plan.moves.iter().any(|one| one.zone == zone)
}

struct Asked<'a> {
    fleet: Fleet,
    rules: Rules,
    asked: BTreeSet<ZoneIx>,
    history: &'a History,
}

impl Asked<'_> {
    fn home(&self, zone: ZoneIx) -> Option<HostIx> {
        let home = self.fleet.zones.get(zone.0 as usize)?.home.as_ref()?;
        let place = self.fleet.hosts.iter().position(|host| host.name == *home)?;
        u32::try_from(place).ok().map(HostIx)
    }

    /// Zones on the homes of the requested ones that belong elsewhere themselves.
    fn others(&self) -> BTreeSet<ZoneIx> {
        let homes: BTreeSet<_> = self.asked.iter().filter_map(|zone| self.home(*zone)).collect();
        let stands = |zone: ZoneIx| {
            let host = self.fleet.zones.get(zone.0 as usize).map(|zone| &zone.host);
            homes.iter().any(|home| self.fleet.hosts.get(home.0 as usize).map(|there| &there.name) == host)
        };
        let all = (0..).map(ZoneIx).take(self.fleet.zones.len());
        all.filter(|zone| !self.asked.contains(zone) && self.home(*zone).is_some() && stands(*zone)).collect()
    }

    fn largest_first(&self, zones: &BTreeSet<ZoneIx>) -> Vec<ZoneIx> {
        let mut zones: Vec<_> = zones.iter().copied().collect();
        zones.sort_by_key(|zone| {
            std::cmp::Reverse(self.fleet.zones.get(zone.0 as usize).map_or(0, |zone| zone.memory))
        });
        zones
    }

    /// The number of requested zones that do not come home.
    fn left(&self, built: &BuiltPlan) -> usize {
        let stays = |zone: &&ZoneIx| !moves(built, **zone);
        self.asked.iter().filter(|zone| self.home(**zone).is_some()).filter(stays).count()
    }

    /// The plan by which the requested zones and these go home. Only requested zones are relocated.
    fn with(&self, others: &BTreeSet<ZoneIx>) -> BuiltPlan {
        let mut placement = Placement::default();
        for zone in self.asked.union(others).copied() {
            let Some(to) = self.home(zone) else { continue };
            let refusals = self.refusals(zone, to);
            if refusals.is_empty() {
                placement.moves.push(Assignment { zone, to });
            } else {
                placement.unplaced.push(Unplaced { zone, refusals: vec![(to, refusals)] });
            }
        }
        let aside = |zone: ZoneIx, host: HostIx| {
            let pair = self.fleet.zones.get(zone.0 as usize).zip(self.fleet.hosts.get(host.0 as usize));
            self.asked.contains(&zone) && pair.is_some_and(|(zone, host)| unfit(zone, host, false).is_empty())
        };
        build::timed_with(self.fleet.clone(), self.rules.clone(), placement, self.history, &aside)
    }

    fn refusals(&self, zone: ZoneIx, home: HostIx) -> Vec<Refusal> {
        let pair = self.fleet.zones.get(zone.0 as usize).zip(self.fleet.hosts.get(home.0 as usize));
        // A zone's home is always a target, and has the networks whose names are mapped elsewhere.
        let at_home =
            |zone: &FleetZone| FleetZone { targets: None, networks: BTreeSet::new(), ..zone.clone() };
        pair.map(|(zone, host)| unfit(&at_home(zone), host, false)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::FleetHost;

    const GIB: u64 = 1 << 30;

    /// A host with that much free memory.
    fn host(name: &str, free: u64) -> FleetHost {
        FleetHost {
            memory: 64 * GIB,
            memory_free: free * GIB,
            bandwidth: Some(100_000_000),
            ..FleetHost::new(name.parse().unwrap())
        }
    }

    /// A zone that belongs to a host and is on another one.
    fn zone(name: &str, home: &str, host: &str, gigabytes: u64) -> FleetZone {
        FleetZone {
            home: (home != host).then(|| home.parse().unwrap()),
            running: true,
            memory: gigabytes * GIB,
            memory_used: gigabytes * GIB,
            ..FleetZone::new(name.parse().unwrap(), host.parse().unwrap())
        }
    }

    /// The way home to h1 in words: the moves, in order; the zones that leave first; those left over, and why.
    fn way(hosts: Vec<FleetHost>, zones: Vec<FleetZone>) -> Vec<String> {
        let fleet = Fleet { hosts, zones };
        let asked = away_from(&fleet, &["h1".parse().unwrap()], false);
        let ReturnPlan { built, first } = return_plan(fleet, Rules::default(), &asked, &History::default());
        let name = |zone: ZoneIx| built.zone(zone).unwrap().name.clone();
        let moves = built
            .plan
            .moves
            .iter()
            .map(|one| format!("{} > {}", name(one.zone), built.host(one.to).unwrap()));
        let first = first.iter().map(|zone| format!("first {}", name(*zone)));
        let left = built
            .unplaced()
            .into_iter()
            .map(|left| format!("left {}: {}", left.zone, left.reasons.join(", ")));
        moves.chain(first).chain(left).collect()
    }

    #[test]
    fn who_fits_comes_home_and_nobody_leaves_for_it() {
        let zones = vec![zone("web", "h1", "h2", 4), zone("db", "h2", "h1", 4)];
        assert_eq!(way(vec![host("h1", 4), host("h2", 0)], zones), ["web > h1"]);
    }

    #[test]
    fn those_that_belong_elsewhere_leave_first_as_few_as_needed() {
        let zones = vec![
            zone("web", "h1", "h2", 4),
            zone("db", "h2", "h1", 4),
            zone("log", "h2", "h1", 2),
            zone("own", "h1", "h1", 8),
        ];
        assert_eq!(way(vec![host("h1", 0), host("h2", 9)], zones), ["db > h2", "web > h1", "first db"]);
    }

    #[test]
    fn in_a_ring_the_zone_that_was_asked_for_steps_aside() {
        let zones = || vec![zone("web", "h1", "h2", 4), zone("db", "h2", "h1", 4)];
        let hosts = vec![host("h1", 0), host("h2", 0), host("h3", 5)];
        assert_eq!(way(hosts.clone(), zones()), ["web > h3", "db > h2", "web > h1", "first db"]);
        let mut elsewhere = zones();
        elsewhere[0].targets = Some(vec!["h2".parse().unwrap()]);
        let ring = [
            "left web: h1: 4G of memory missing; it waits for db",
            "left db: h2: 4G of memory missing; it waits for web",
        ];
        assert_eq!(way(hosts, elsewhere), ring);
        let locked = FleetHost { maintenance: Some("admin".to_owned()), ..host("h3", 5) };
        assert_eq!(way(vec![host("h1", 0), host("h2", 0), locked], zones()), ring);
    }

    #[test]
    fn a_home_that_is_full_of_its_own_zones_takes_nobody() {
        let zones = vec![zone("web", "h1", "h2", 4), zone("own", "h1", "h1", 8)];
        let blocked = ["left web: h1: 4G of memory missing; no zone that moves makes room"];
        assert_eq!(way(vec![host("h1", 0), host("h2", 9)], zones), blocked);
    }

    #[test]
    fn a_home_in_maintenance_takes_nobody() {
        let locked = FleetHost { maintenance: Some("admin".to_owned()), ..host("h1", 9) };
        let left = way(vec![locked, host("h2", 9)], vec![zone("web", "h1", "h2", 4)]);
        assert_eq!(left, ["left web: h1: it is in maintenance (admin)"]);
    }
}
