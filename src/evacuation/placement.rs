//! The view that a plan is made from, as reported by the hosts, and the planner's proposals.
//!
//! ```text
//!   targets ─┐
//!   policy ──┼─► PlanningView ─► place ─► who is asked first ─► ... refused there? place again ─► order
//!   survey ──┘
//! ```
//!
//! The planner knows what many hosts reported a moment ago; whether a zone can really go somewhere, its
//! destination decides. For storage only the destination does: two hosts may have different names for the same
//! storage.

use std::collections::{BTreeMap, BTreeSet};

use super::job::Job;
use super::operation::Operation;
use super::request::{Actions, EvacuationError, Request};
use crate::model::{Blocker, BlockerKind, HostUri, Method, ZoneName};
use crate::peers::Connected;
use crate::plan::dispatch::{QueuedMove, Slots};
use crate::plan::file::changes;
use crate::plan::forecast::sharers;
use crate::plan::{
    Action, Assignment, BuiltPlan, Fleet, FleetZone, History, HostIx, HostKey, Leg, Placement,
    PlacementRequest, PlanFile, Refusal, Rules, Trip, ZoneIx, place, timed,
};
use crate::store::{Direction, TargetKey};

/// Hosts and zones as they are, with everything that the policy says of them.
pub(super) struct PlanningView {
    /// The name of this host in it.
    pub(super) here: HostKey,
    /// The direction of the run.
    pub(super) direction: Direction,
    pub(super) fleet: Fleet,
    /// Zones whose order in the policy is a cycle, so that no order can satisfy it.
    pub(super) cycles: Vec<Vec<ZoneName>>,
    pub(super) rules: Rules,
    /// The other hosts, as far as they could be reached.
    pub(super) connected: Connected,
    /// What earlier moves took.
    pub(super) history: History,
    /// The plan to follow, if one was made before.
    pub(super) plan: Option<PlanFile>,
}

/// The planner's proposal for a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proposal {
    /// It goes there.
    At(HostUri),
    /// It fits nowhere: the blockers, by target. Targets that are not listed did not answer.
    Nowhere(BTreeMap<HostUri, Vec<Blocker>>),
}

impl PlanningView {
    /// The host that a zone leaves and the one that it goes to, if it goes to that peer or returns from it.
    fn ends(&self, peer: &HostUri) -> (HostKey, HostKey) {
        let (here, there) = (self.here.clone(), HostKey::Uri(self.connected.name_of(peer).clone()));
        match self.direction {
            Direction::Evacuate | Direction::Migrate => (here, there),
            Direction::Return => (there, here),
        }
    }

    /// Records how fast zones write to their memory.
    pub fn note(&mut self, measured: &Fleet) {
        let rates: BTreeMap<_, _> =
            measured.zones.iter().filter_map(|zone| Some(((&zone.host, zone.uuid?), zone.dirty?))).collect();
        for zone in &mut self.fleet.zones {
            let rate = zone.uuid.and_then(|uuid| rates.get(&(&zone.host, uuid)));
            zone.dirty = rate.copied().or(zone.dirty);
        }
    }

    /// The request with its defaults filled in: the zones of a plan, and the policy's action for each.
    ///
    /// # Errors
    /// If the plan is outdated.
    pub fn resolved(&self, request: &Request) -> Result<Request, EvacuationError> {
        let zones = match &request.plan {
            Some(plan) => self.zones_of(plan)?,
            None => request.zones.clone(),
        };
        let leaves_it_open = self.direction != Direction::Return && request.actions == Actions::default();
        let actions = match leaves_it_open {
            true => Actions { zones: self.actions(), ..Actions::default() },
            false => request.actions.clone(),
        };
        Ok(Request { zones, actions, ..request.clone() })
    }

    /// The zones that the plan moves, if it is still valid.
    fn zones_of(&self, plan: &PlanFile) -> Result<Vec<ZoneName>, EvacuationError> {
        let plan = self.plan.as_ref().unwrap_or(plan);
        let changed = changes(plan, &self.fleet);
        if !changed.is_empty() {
            return Err(EvacuationError::Changed(changed.iter().map(ToString::to_string).collect()));
        }
        let whole = plan.moves.iter().filter(|one| one.leg != Leg::First);
        let zones: Vec<_> = whole.map(|one| one.zone.clone()).collect();
        if zones.is_empty() { Err(EvacuationError::NotPlanned(self.here.to_string())) } else { Ok(zones) }
    }

    /// When each of these moves begins, in ms from now; those without a known time come last.
    pub fn starts(&self, built: &BuiltPlan, moving: &[(ZoneName, HostUri)]) -> BTreeMap<ZoneName, u64> {
        let planned = |name: &ZoneName| {
            let plan = self.plan.as_ref()?;
            plan.moves.iter().find(|one| one.zone == *name).map(|one| one.start_ms)
        };
        let start = |name: &ZoneName| planned(name).or_else(|| built.start(name)).unwrap_or(u64::MAX);
        moving.iter().map(|(name, _)| (name.clone(), start(name))).collect()
    }

    /// The policy's actions for zones of this host, except to migrate them.
    fn actions(&self) -> BTreeMap<ZoneName, Action> {
        let here = self.fleet.zones.iter().filter(|zone| zone.host == self.here);
        let other = here.filter(|zone| zone.action != Action::default());
        other.map(|zone| (zone.name.clone(), zone.action)).collect()
    }

    /// All zones of this host, with what the policy says of them.
    pub fn here(&self) -> impl Iterator<Item = &FleetZone> {
        self.fleet.zones.iter().filter(|zone| zone.host == self.here)
    }

    /// The targets of each zone of this host after the policy was applied.
    pub fn targets(&self) -> BTreeMap<TargetKey, Vec<HostUri>> {
        let here = self.fleet.zones.iter().filter(|zone| zone.host == self.here);
        let with_targets = here.map(|zone| {
            // A key that is only a name is this host.
            let uris = zone.targets.iter().flatten().filter_map(HostKey::uri).cloned().collect();
            (TargetKey::Zone(zone.name.clone()), uris)
        });
        with_targets.collect()
    }

    /// Places each of these zones on one of its remaining targets. `settled` zones have theirs already. With
    /// `force`, a target is acceptable if all of its blockers may be overruled.
    pub fn place(
        &self,
        open: &[Job],
        settled: &[(ZoneName, HostUri)],
        force: bool,
    ) -> BTreeMap<ZoneName, Proposal> {
        let mut fleet = self.with(settled);
        let (mut numbers, mut named) = (Vec::new(), BTreeMap::new());
        for (number, zone) in (0..).zip(&mut fleet.zones).filter(|(_, zone)| zone.host == self.here) {
            let of_zone = |job: &&Job| job.zone == zone.name;
            let Some(job) = open.iter().find(of_zone) else { continue };
            let Operation::Migrate { method, .. } = job.operation else { continue };
            let targets = self.connected.names_of(&job.targets_left());
            zone.targets = Some(targets.iter().cloned().map(HostKey::Uri).collect());
            // The action was decided when the zone was selected, and a run moves it after those before it have
            // ended, whatever became of them.
            zone.after.clear();
            zone.action = if method == Method::Restart { Action::Restart } else { Action::Live };
            numbers.push(ZoneIx(number));
            named.insert(ZoneIx(number), (&job.zone, targets));
        }
        let question = PlacementRequest { zones: numbers, drained: self.this_host() };
        let placement = place(&fleet, &self.rules, &question);
        let mut places = BTreeMap::new();
        for Assignment { zone, to } in placement.moves {
            if let (Some((name, _)), Some(uri)) = (named.get(&zone), host_uri(&fleet, to)) {
                places.insert((*name).clone(), Proposal::At(uri));
            }
        }
        for one in placement.unplaced {
            let Some((name, targets)) = named.get(&one.zone) else { continue };
            let refusals = one.refusals.into_iter().filter_map(|(host, refusals)| {
                let uri = host_uri(&fleet, host).filter(|uri| targets.contains(uri))?;
                let heeded = |one: &Blocker| !(force && one.kind.is_validation());
                Some((uri, refusals.iter().map(blocker).filter(heeded).collect()))
            });
            let refusals: BTreeMap<HostUri, Vec<Blocker>> = refusals.collect();
            let overruled = |uri: &&HostUri| force && refusals.get(uri).is_some_and(Vec::is_empty);
            let place = match targets.iter().find(overruled) {
                Some(target) => Proposal::At(target.clone()),
                None => Proposal::Nowhere(refusals),
            };
            places.insert((*name).clone(), place);
        }
        places
    }

    /// These moves as parts of a plan, in order; not more than `jobs` are in progress.
    pub fn items(&self, moving: &[(ZoneName, HostUri)], jobs: usize) -> Vec<QueuedMove> {
        let place_of = |name: &ZoneName| moving.iter().position(|(zone, _)| zone == name);
        let item = |(name, peer): &(ZoneName, HostUri)| {
            let (from, to) = self.ends(peer);
            let is_it = |zone: &&FleetZone| zone.host == from && zone.name == *name;
            let zone = self.fleet.zones.iter().find(is_it);
            QueuedMove {
                after: zone.map(|zone| zone.after.iter().filter_map(place_of).collect()).unwrap_or_default(),
                one_by_one: zone.map(|zone| zone.one_by_one.clone()).unwrap_or_default(),
                sharers: zone.and_then(|zone| self.sharers(zone, &to, jobs)),
                from,
                to,
            }
        };
        moving.iter().map(item).collect()
    }

    /// How many moves may share the network with that of a zone; none if that is unknown, or does not matter.
    fn sharers(&self, zone: &FleetZone, to: &HostKey, jobs: usize) -> Option<usize> {
        let host = |name: &HostKey| self.fleet.hosts.iter().find(|host| host.name == *name);
        let (from, to) = (host(&zone.host)?, host(to)?);
        let rate = [from.bandwidth, to.bandwidth].into_iter().flatten().min()?;
        let is_live = zone.running && zone.action == Action::Live;
        let trip = Trip { zone, method: Method::Live, from, to, rate };
        is_live.then(|| sharers(&self.history.costs, &trip, self.rules.bandwidth, jobs))
    }

    /// The plan of these moves.
    pub fn timed(&self, moving: &[(ZoneName, HostUri)]) -> BuiltPlan {
        let ends: BTreeMap<_, _> = moving.iter().map(|(name, peer)| (name, self.ends(peer))).collect();
        let moves = (0..).map(ZoneIx).zip(&self.fleet.zones).filter_map(|(ix, zone)| {
            let (_, to) = ends.get(&zone.name).filter(|(from, _)| *from == zone.host)?;
            let place = self.fleet.hosts.iter().position(|host| host.name == *to)?;
            Some(Assignment { zone: ix, to: HostIx(u32::try_from(place).ok()?) })
        });
        let placement = Placement { moves: moves.collect(), unplaced: Vec::new() };
        timed(self.fleet.clone(), self.rules.clone(), placement, &self.history)
    }

    /// The maximum numbers of moves: in all, away from one host, and to one host.
    pub fn slots(&self, jobs: usize) -> Slots {
        let [outbound, inbound] =
            [self.rules.outbound, self.rules.inbound].map(|slots| usize::try_from(slots).unwrap_or(jobs));
        Slots { jobs, outbound, inbound }
    }

    fn this_host(&self) -> Vec<HostIx> {
        let place = self.fleet.hosts.iter().position(|host| host.name == self.here);
        place.and_then(|place| u32::try_from(place).ok()).map(HostIx).into_iter().collect()
    }

    /// The fleet after these moves.
    fn with(&self, settled: &[(ZoneName, HostUri)]) -> Fleet {
        let mut fleet = self.fleet.clone();
        let gone: BTreeSet<_> = settled.iter().map(|(zone, _)| zone).collect();
        for zone in &mut fleet.zones {
            if zone.host != self.here || !gone.contains(&zone.name) {
                continue;
            }
            let Some((_, to)) = settled.iter().find(|(name, _)| *name == zone.name) else { continue };
            zone.host = HostKey::Uri(self.connected.name_of(to).clone());
            if let Some(host) = fleet.hosts.iter_mut().find(|host| host.name == zone.host)
                && zone.running
            {
                host.memory_free = host.memory_free.saturating_sub(zone.memory);
            }
        }
        fleet
    }
}

fn host_uri(fleet: &Fleet, host: HostIx) -> Option<HostUri> {
    fleet.hosts.get(host.0 as usize)?.name.uri().cloned()
}

/// The planner's reason as a blocker.
fn blocker(refusal: &Refusal) -> Blocker {
    let kind = match refusal {
        Refusal::Offline | Refusal::Drained | Refusal::Maintenance(_) | Refusal::Announced(_) => {
            BlockerKind::Maintenance
        }
        Refusal::Memory(_) | Refusal::HugePages(_) | Refusal::Node(_) => BlockerKind::Memory,
        Refusal::Cpus(_) => BlockerKind::Cpu,
        Refusal::Architecture(_)
        | Refusal::CpuFeatures(_)
        | Refusal::Brand
        | Refusal::NotLive
        | Refusal::Hypervisor(_) => BlockerKind::Platform,
        Refusal::Networks(_) | Refusal::MappedNetwork(..) => BlockerKind::Network,
        Refusal::Disk(_) => BlockerKind::Disk,
        Refusal::Storage(_) => BlockerKind::Storage,
        Refusal::Home
        | Refusal::NotATarget
        | Refusal::MaxZones(_)
        | Refusal::Apart(..)
        | Refusal::After(_)
        | Refusal::Together(..) => BlockerKind::Policy,
    };
    Blocker::new(kind, refusal.to_string())
}
