//! From a fleet to a plan that can be shown, stored and carried out: placement, then schedule. Pure.

use super::{
    About, Action, Calibration, Costs, Fleet, FleetHost, FleetZone, HostIx, HostKey, Placement,
    PlacementRequest, Plan, PlanFile, Refusal, Rules, Terms, Trip, Unplaced, UnplacedZone, ZoneIx, place,
    schedule,
};
use crate::model::ZoneName;

/// A plan with everything that it was made from, still by numbers.
#[derive(Clone, Debug)]
pub struct BuiltPlan {
    pub fleet: Fleet,
    pub rules: Rules,
    pub placement: Placement,
    pub plan: Plan,
}

/// What is known before the plan is made.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The fixed costs of moves.
    pub costs: Costs,
    /// What was learnt from earlier moves.
    pub calibration: Calibration,
    /// Maximum bandwidth of one stream in bytes per second; none if not known.
    pub stream: Option<u64>,
}

/// Places the zones of the request, and schedules their moves.
pub fn build(fleet: Fleet, rules: Rules, question: &PlacementRequest, history: &History) -> BuiltPlan {
    let placement = place(&fleet, &rules, question);
    timed(fleet, rules, placement, history)
}

/// Schedules the moves of a given placement.
pub fn timed(fleet: Fleet, rules: Rules, placement: Placement, history: &History) -> BuiltPlan {
    timed_with(fleet, rules, placement, history, &|_, _| false)
}

/// Schedules the moves of a given placement; `aside` says which zone may be on which third host for a while if
/// zones wait for each other.
pub(super) fn timed_with(
    fleet: Fleet,
    rules: Rules,
    placement: Placement,
    history: &History,
    aside: &dyn Fn(ZoneIx, HostIx) -> bool,
) -> BuiltPlan {
    let forecast = |trip: &Trip<'_>| {
        let model = history.costs.forecast(trip)?;
        Ok(history.calibration.correct(trip, model))
    };
    let terms = Terms {
        forecast: &forecast,
        pivot: aside,
        trunks: Vec::new(),
        switch: None,
        stream: history.stream,
        ready: std::collections::BTreeMap::new(),
    };
    let plan = schedule(&fleet, &rules, &placement, &terms);
    BuiltPlan { fleet, rules, placement, plan }
}

impl PlacementRequest {
    /// All zones that must leave these hosts: those that run, and with `all` also those that do not.
    pub fn drain(fleet: &Fleet, hosts: &[HostKey], all: bool) -> Self {
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let leaves = |zone: &FleetZone| {
            hosts.contains(&zone.host)
                && (zone.running || all)
                && matches!(zone.action, Action::Live | Action::Restart)
        };
        let zones = fleet.zones.iter().enumerate().filter(|(_, zone)| leaves(zone));
        let drained = fleet.hosts.iter().enumerate().filter(|(_, host)| hosts.contains(&host.name));
        Self {
            zones: zones.map(|(place, _)| ZoneIx(number(place))).collect(),
            drained: drained.map(|(place, _)| HostIx(number(place))).collect(),
        }
    }
}

impl BuiltPlan {
    pub fn zone(&self, zone: ZoneIx) -> Option<&FleetZone> {
        self.fleet.zones.get(zone.0 as usize)
    }

    pub fn host(&self, host: HostIx) -> Option<&HostKey> {
        self.fleet.hosts.get(host.0 as usize).map(|host| &host.name)
    }

    pub fn host_of(&self, host: HostIx) -> Option<&FleetHost> {
        self.fleet.hosts.get(host.0 as usize)
    }

    /// When the first move of a zone begins, in ms; none if it does not move.
    pub fn start(&self, name: &ZoneName) -> Option<u64> {
        let of_zone = |zone: ZoneIx| self.zone(zone).is_some_and(|zone| zone.name == *name);
        self.plan.moves.iter().find(|one| of_zone(one.zone)).map(|one| one.start_ms)
    }

    /// The zones that cannot be placed, with all reasons.
    pub fn unplaced(&self) -> Vec<UnplacedZone> {
        let unplaced = self.placement.unplaced.iter().map(|one| (one.zone, self.refusals(one)));
        let blocked = self.plan.blocked.iter().map(|one| {
            let reasons = one.obstacles.iter().map(|obstacle| obstacle.describe(&self.fleet));
            (one.zone, reasons.map(|reason| self.there(one.to, &reason)).collect())
        });
        let all = unplaced.chain(blocked).filter_map(|(zone, reasons)| {
            let zone = self.zone(zone)?;
            Some(UnplacedZone { zone: zone.name.to_string(), host: zone.host.clone(), reasons })
        });
        all.collect()
    }

    /// Guests of these hosts that should leave but cannot be handled: with `all` also those that do not run.
    pub fn unhandled(&self, hosts: &[HostKey], all: bool) -> impl Iterator<Item = UnplacedZone> {
        let emptied = self.fleet.hosts.iter().filter(|host| hosts.contains(&host.name));
        emptied.flat_map(move |host| {
            host.unhandled(all).map(|unmanaged_guest| UnplacedZone::unhandled(&host.name, unmanaged_guest))
        })
    }

    /// Why a zone fits nowhere, for each host except its own. Hosts that are not its targets are left out if it
    /// has targets.
    fn refusals(&self, unplaced: &Unplaced) -> Vec<String> {
        let zone = self.zone(unplaced.zone);
        let has_targets = zone.is_some_and(|zone| zone.targets.is_some());
        let tells = |(host, refusals): &&(HostIx, Vec<Refusal>)| {
            let is_home = zone.is_some_and(|zone| Some(&zone.host) == self.host(*host));
            !(is_home || has_targets && refusals.contains(&Refusal::NotATarget))
        };
        let told = unplaced.refusals.iter().filter(tells).map(|(host, refusals)| {
            let reasons: Vec<_> = refusals.iter().map(ToString::to_string).collect();
            self.there(*host, &reasons.join("; "))
        });
        let told: Vec<_> = told.collect();
        if told.is_empty() { vec!["it has no target".to_owned()] } else { told }
    }

    /// A reason with the name of its host.
    fn there(&self, host: HostIx, reason: &str) -> String {
        self.host(host).map_or_else(|| reason.to_owned(), |host| format!("{host}: {reason}"))
    }

    /// The plan file, with the zones that cannot be placed.
    pub fn file(&self, about: About, unplaced: Vec<UnplacedZone>) -> PlanFile {
        PlanFile::new(about, self.fleet.clone(), self.rules.clone(), &self.plan, unplaced)
    }
}
