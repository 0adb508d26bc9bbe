//! Before a run plans anything: asks this host, and all hosts to which zones may go or from which they may come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::engine::Engine;
use super::history::learnt;
use super::placement::PlanningView;
use super::request::{Actions, EvacuationError, Request};
use crate::host::Host;
use crate::model::{HostUri, Method, ZoneName};
use crate::peers::Connected;
use crate::peers::survey::{Surveyed, ask};
use crate::plan::{Action, Fleet, FleetHost, FleetZone, HostKey, PlanFile, Rules};
use crate::policy::{Policy, ReturnOrder};
use crate::store::{Direction, Move, TargetKey, TargetOrigin, ZoneRecord, targets_of};

/// The targets that were set for zones.
type Targets = BTreeMap<TargetKey, Vec<HostUri>>;

impl Engine {
    /// What a run of that direction is planned from.
    pub(super) async fn view(
        &self,
        direction: Direction,
        request: &Request,
    ) -> Result<PlanningView, EvacuationError> {
        match direction {
            Direction::Evacuate | Direction::Migrate => self.view_of_leaving(direction, request).await,
            Direction::Return => self.view_of_return(request, &BTreeSet::new()).await,
        }
    }

    /// Asks this host and all hosts to which zones may go.
    async fn view_of_leaving(
        &self,
        direction: Direction,
        request: &Request,
    ) -> Result<PlanningView, EvacuationError> {
        let targets = match &request.destination {
            Some(uri) => [(TargetKey::Default, vec![uri.clone()])].into(),
            None => self.store.targets()?,
        };
        let plan = request.plan.as_ref().map(|plan| plan.clone().leaving(&self.key()));
        let planned = plan.iter().flat_map(|plan| &plan.moves).filter_map(|one| one.to.uri().cloned());
        let named = targets.values().flatten().chain(request.policy.hosts()).cloned();
        // A host has the name that the plan uses, if it is in the plan.
        let connected = self.peers.connect(planned.chain(named)).await;
        let targets = named_in(&connected, &targets);
        let mut fleet = self.fleet(&connected).await;
        for zone in fleet.zones.iter_mut().filter(|zone| zone.host == self.key()) {
            zone.targets = own_targets(zone, &targets, request);
        }
        let cycles = policy_for(&connected, request).apply(&mut fleet);
        apply_actions(&request.actions, &self.key(), &mut fleet);
        let rules = match &plan {
            Some(plan) => {
                apply_plan(plan, &mut fleet);
                Rules { outbound: plan.rules.outbound.min(jobs(request)), ..plan.rules.clone() }
            }
            None => rules_of(request, direction),
        };
        Ok(self.view_of(direction, (fleet, cycles), rules, connected, plan))
    }

    /// Asks this host and the locations of the zones that return, and all hosts to which those of `waiting` may be
    /// relocated.
    pub(super) async fn view_of_return(
        &self,
        request: &Request,
        waiting: &BTreeSet<&ZoneName>,
    ) -> Result<PlanningView, EvacuationError> {
        let targets = self.store.targets()?;
        let (mut away, departures) = (self.store.away()?, self.store.departures()?);
        away.retain(|row| request.zones.is_empty() || request.zones.contains(&row.zone));
        let aside = away.iter().filter(|row| waiting.contains(&row.zone));
        let aside = aside.flat_map(|row| targets_of(&targets, &row.zone).0).chain(request.policy.hosts());
        let aside = aside.filter(|_| !waiting.is_empty());
        let plan = request.plan.as_ref().map(|plan| plan.clone().returning(&self.key()));
        let planned = plan.iter().flat_map(|plan| &plan.moves).filter_map(|one| one.to.uri().cloned());
        let named = away.iter().filter_map(|row| row.location.as_ref()).chain(aside).cloned();
        let connected = self.peers.connect(planned.chain(named)).await;
        let targets = named_in(&connected, &targets);
        // To boot zones that were stopped here, no other host is needed.
        let mut fleet = if away.is_empty() { Fleet::default() } else { self.fleet(&connected).await };
        let is_ours = |zone: &FleetZone| zone.home == Some(self.key());
        for zone in fleet.zones.iter_mut().filter(|zone| is_ours(zone)) {
            zone.targets = own_targets(zone, &targets, request);
        }
        let cycles = policy_for(&connected, request).apply(&mut fleet);
        for zone in fleet.zones.iter_mut().filter(|zone| is_ours(zone)) {
            zone.action = return_action(&zone.name, &departures, request);
        }
        if request.policy.return_order == ReturnOrder::Reverse {
            reverse(&mut fleet, &away);
        }
        let rules = match &plan {
            Some(plan) => Rules { inbound: plan.rules.inbound.min(jobs(request)), ..plan.rules.clone() },
            None => rules_of(request, Direction::Return),
        };
        Ok(self.view_of(Direction::Return, (fleet, cycles), rules, connected, plan))
    }

    fn view_of(
        &self,
        direction: Direction,
        (fleet, cycles): (Fleet, Vec<Vec<ZoneName>>),
        rules: Rules,
        connected: Connected,
        plan: Option<PlanFile>,
    ) -> PlanningView {
        // Without the history only the forecasts are worse.
        let history = learnt(&self.store.past_moves().unwrap_or_default());
        let here = self.key();
        PlanningView { here, direction, fleet, cycles, rules, connected, history, plan }
    }

    /// How fast zones write to their memory, as the hosts that they leave measure it within a second. This goes
    /// on while zones are checked, and is not waited for.
    pub(super) async fn measured(&self, view: &PlanningView) -> Fleet {
        let hosts = match view.direction {
            Direction::Evacuate | Direction::Migrate => {
                vec![(self.key(), self.this_host())]
            }
            Direction::Return => others(&view.connected),
        };
        let asked = hosts.into_iter().map(|(name, host)| ask(name, std::future::ready(Ok(host)), true));
        Surveyed::of(futures_util::future::join_all(asked).await).fleet
    }

    /// This host's name in its own plans.
    pub(super) fn key(&self) -> HostKey {
        HostKey::Name(self.local.name().to_owned())
    }

    fn this_host(&self) -> Arc<dyn Host> {
        self.local.clone()
    }

    /// This host and all of those, as far as they answer.
    async fn fleet(&self, connected: &Connected) -> Fleet {
        let here = (self.key(), self.this_host());
        let hosts = std::iter::once(here).chain(others(connected));
        let asked = hosts.map(|(name, host)| ask(name, std::future::ready(Ok(host)), false));
        let answers = futures_util::future::join_all(asked).await;
        let Surveyed { mut fleet, .. } = Surveyed::of(answers);
        fleet.zones.iter_mut().for_each(|zone| zone.storage.clear());
        fleet.map_networks(|host| self.maps.networks_of(host));
        // Announced maintenance of this host does not keep its zones from coming home.
        let here = |host: &&mut FleetHost| host.name == self.key();
        fleet.hosts.iter_mut().filter(here).for_each(|host| host.announced = None);
        fleet
    }
}

/// The hosts that could be reached.
fn others(connected: &Connected) -> Vec<(HostKey, Arc<dyn Host>)> {
    connected.reached().map(|(uri, host)| (HostKey::Uri(uri.clone()), Arc::clone(host))).collect()
}

/// The targets under the present names of their hosts.
fn named_in(connected: &Connected, targets: &Targets) -> Targets {
    targets.iter().map(|(key, uris)| (key.clone(), connected.names_of(uris))).collect()
}

/// The policy with the present names of its hosts.
fn policy_for(connected: &Connected, request: &Request) -> Policy {
    request.policy.renamed(|uri| connected.name_of(uri).clone())
}

/// The policy's rules, with the number of simultaneous moves that was asked for: no more than the policy allows at this
/// host, and, where it sets no limit, as many at one other host.
fn rules_of(request: &Request, direction: Direction) -> Rules {
    let (rules, limits, jobs) = (request.policy.rules(), &request.policy.limits, jobs(request));
    let here = |limit: Option<u32>| limit.map_or(jobs, |most| most.min(jobs));
    let there = |limit: Option<u32>, usual: u32| limit.unwrap_or(usual.max(jobs));
    let (outbound, inbound) = match direction {
        Direction::Evacuate | Direction::Migrate => {
            (here(limits.outbound), there(limits.inbound, rules.inbound))
        }
        Direction::Return => (there(limits.outbound, rules.outbound), here(limits.inbound)),
    };
    Rules { outbound, inbound, ..rules }
}

/// Maximum number of simultaneous moves.
fn jobs(request: &Request) -> u32 {
    u32::try_from(request.jobs.max(1)).unwrap_or(u32::MAX)
}

/// Makes the zone that left last come back first, and reverses the policy's order.
fn reverse(fleet: &mut Fleet, away: &[ZoneRecord]) {
    let left = |zone: &FleetZone| away.iter().find(|row| Some(row.uuid) == zone.uuid).map(|row| row.since);
    let after: Vec<_> = fleet.zones.iter().map(|zone| (zone.name.clone(), zone.after.clone())).collect();
    for zone in &mut fleet.zones {
        let Some(started) = left(zone) else { continue };
        let earlier = away.iter().filter(|row| row.since < started).count();
        zone.priority = i32::try_from(earlier).unwrap_or(i32::MAX);
        let came_after = after.iter().filter(|(_, before)| before.contains(&zone.name));
        zone.after = came_after.map(|(name, _)| name.clone()).collect();
    }
}

/// A zone comes back by the method by which it left.
fn return_action(zone: &ZoneName, departures: &[Move], request: &Request) -> Action {
    let departure = departures.iter().find(|departure| departure.zone == *zone);
    let has_restarted = departure.is_some_and(|departure| departure.method == Some(Method::Restart));
    match has_restarted || request.actions.of(zone) == Action::Restart {
        true => Action::Restart,
        false => Action::Live,
    }
}

/// Actions that were requested take precedence over those of the policy.
fn apply_actions(actions: &Actions, here: &HostKey, fleet: &mut Fleet) {
    if *actions == Actions::default() {
        return;
    }
    for zone in fleet.zones.iter_mut().filter(|zone| zone.host == *here) {
        zone.action = actions.of(&zone.name);
    }
}

/// Makes every zone of a plan go where the plan says.
fn apply_plan(plan: &PlanFile, fleet: &mut Fleet) {
    for one in &plan.moves {
        let zone = fleet.zones.iter_mut().find(|zone| zone.name == one.zone && zone.host == one.from);
        if let Some(zone) = zone {
            (zone.targets, zone.action) = (Some(vec![one.to.clone()]), one.action);
        }
    }
}

/// The targets of a zone before the policy is applied. Destinations of a policy take precedence over the default
/// targets, but not over the zone's own.
fn own_targets(zone: &FleetZone, targets: &Targets, request: &Request) -> Option<Vec<HostKey>> {
    let (uris, origin) = targets_of(targets, &zone.name);
    let is_default = origin == TargetOrigin::Default && !request.policy.destinations.is_empty();
    (!uris.is_empty() && !is_default).then(|| uris.iter().cloned().map(HostKey::Uri).collect())
}
