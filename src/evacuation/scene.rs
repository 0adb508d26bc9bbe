//! What a plan is made from, as the hosts themselves have just told it, and what the planner makes of it.
//!
//! ```text
//!   targets ─┐
//!   policy ──┼─► Scene ─► place ─► who is asked first ─► ... refused there? place again ─► order
//!   survey ──┘
//! ```
//!
//! The planner knows what many hosts have said a moment ago; whether a zone can really go somewhere its destination
//! is asked. Of storage only that is believed: the names of two hosts for the same storage may differ.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::connect::Connected;
use super::experience::learnt;
use super::select::{Candidate, Intent};
use super::survey::{Surveyed, ask};
use super::{Engine, EvacuationError, Options};
use crate::host::Host;
use crate::model::{Blocker, BlockerKind, HostUri, ZoneName};
use crate::plan::dispatch::{Item, Slots};
use crate::plan::file::changes;
use crate::plan::{
    Action, Assignment, Experience, Fleet, FleetZone, HostIx, Made, Placement, PlanFile, Question, Refusal,
    Rules, ZoneIx, place, timed,
};
use crate::store::{TargetKey, TargetOrigin, targets_of};

/// Hosts and zones as they are, with all that the policy says of them.
pub(super) struct Scene {
    /// The name of this host in it.
    here: String,
    fleet: Fleet,
    rules: Rules,
    /// The hosts that zones may go to, as far as they could be reached.
    pub(super) connected: Connected,
    /// What earlier moves took.
    experience: Experience,
    /// What is to be done, if that was decided before.
    plan: Option<PlanFile>,
}

/// What the planner makes of a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It goes there.
    At(HostUri),
    /// It fits nowhere: what stands against it, by target. A target that is not named was not heard of.
    Nowhere(BTreeMap<HostUri, Vec<Blocker>>),
}

impl Engine {
    /// Asks this host and all hosts that zones may go to.
    pub(super) async fn scene(&self, options: &Options) -> Result<Scene, EvacuationError> {
        let targets = self.store.targets()?;
        let plan = options.plan.as_ref().map(|plan| plan.clone().of_host(self.local.name()));
        let planned = plan.iter().flat_map(|plan| &plan.moves).filter_map(|one| one.to.parse().ok());
        let uris = targets.values().flatten().chain(options.policy.hosts()).cloned().chain(planned);
        let connected = self.peers.connect(uris).await;
        let here = self.local.name().to_owned();
        let host: Arc<dyn Host> = self.local.clone();
        let local = ask(here.clone(), std::future::ready(Ok(host)), false);
        let others = connected.iter().filter_map(|(uri, host)| {
            Some(ask(uri.to_string(), std::future::ready(Ok(Arc::clone(host.as_ref().ok()?))), false))
        });
        let (local, others) = tokio::join!(local, futures::future::join_all(others));
        let Surveyed { mut fleet, .. } = Surveyed::of(std::iter::once(local).chain(others));
        fleet.zones.iter_mut().for_each(|zone| zone.storage.clear());
        for zone in fleet.zones.iter_mut().filter(|zone| zone.host == here) {
            zone.targets = own_targets(zone, &targets, options);
        }
        self.maps.apply(&mut fleet);
        // When its own maintenance begins keeps no zone from coming home.
        fleet.hosts.iter_mut().filter(|host| host.name == here).for_each(|host| host.announced = None);
        options.policy.apply(&mut fleet);
        let mut rules = options.policy.rules();
        if let Some(plan) = &plan {
            rules = plan.rules.clone();
            obey(plan, &mut fleet);
        }
        // More than that are never under way.
        rules.outbound = rules.outbound.min(u32::try_from(options.jobs.max(1)).unwrap_or(u32::MAX));
        // Without it, forecasts are only worse.
        let experience = learnt(&self.store.trips().unwrap_or_default());
        Ok(Scene { here, fleet, rules, connected, experience, plan })
    }
}

/// Lets every zone of a plan go where the plan says.
fn obey(plan: &PlanFile, fleet: &mut Fleet) {
    for one in &plan.moves {
        let zone = fleet.zones.iter_mut().find(|zone| zone.name == one.zone && zone.host == one.from);
        if let Some(zone) = zone {
            (zone.targets, zone.action) = (Some(vec![one.to.clone()]), one.action);
        }
    }
}

/// The targets of a zone before the policy speaks. A policy that names destinations goes before the default of all
/// zones, and not before what was said of this one.
fn own_targets(
    zone: &FleetZone,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    options: &Options,
) -> Option<Vec<String>> {
    let (uris, origin) = targets_of(targets, &zone.name.parse().ok()?);
    let is_default = origin == TargetOrigin::Default && !options.policy.destinations.is_empty();
    (!uris.is_empty() && !is_default).then(|| uris.iter().map(ToString::to_string).collect())
}

impl Scene {
    fn zone(&self, name: &ZoneName) -> Option<&FleetZone> {
        self.fleet.zones.iter().find(|zone| zone.host == self.here && zone.name == name.as_str())
    }

    /// The zones that the plan moves, if it still holds.
    pub fn zones_of(&self, plan: &PlanFile) -> Result<Vec<ZoneName>, EvacuationError> {
        let plan = self.plan.as_ref().unwrap_or(plan);
        let changed = changes(plan, &self.fleet);
        if !changed.is_empty() {
            return Err(EvacuationError::Changed(changed.iter().map(ToString::to_string).collect()));
        }
        let zones: Vec<_> = plan.moves.iter().filter_map(|one| one.zone.parse().ok()).collect();
        if zones.is_empty() { Err(EvacuationError::NotPlanned(self.here.clone())) } else { Ok(zones) }
    }

    /// When the move of each of these begins, ms from now; those of which no time is known come last.
    pub fn starts(&self, made: &Made, moving: &[(ZoneName, HostUri)]) -> BTreeMap<ZoneName, u64> {
        let planned = |name: &ZoneName| {
            let plan = self.plan.as_ref()?;
            plan.moves.iter().find(|one| one.zone == name.as_str()).map(|one| one.start_ms)
        };
        let start = |name: &ZoneName| planned(name).or_else(|| made.start(name.as_str())).unwrap_or(u64::MAX);
        moving.iter().map(|(name, _)| (name.clone(), start(name))).collect()
    }

    /// What the policy does with the zones of this host, where that is not to migrate them.
    pub fn actions(&self) -> BTreeMap<ZoneName, Action> {
        let here = self.fleet.zones.iter().filter(|zone| zone.host == self.here);
        let other = here.filter(|zone| zone.action != Action::default());
        other.filter_map(|zone| Some((zone.name.parse().ok()?, zone.action))).collect()
    }

    /// Where each zone of this host may go, once the policy has spoken.
    pub fn targets(&self) -> BTreeMap<TargetKey, Vec<HostUri>> {
        let here = self.fleet.zones.iter().filter(|zone| zone.host == self.here);
        let with_targets = here.filter_map(|zone| {
            let uris = zone.targets.iter().flatten().filter_map(|uri| uri.parse().ok()).collect();
            Some((TargetKey::Zone(zone.name.parse().ok()?), uris))
        });
        with_targets.collect()
    }

    /// Finds a place for each of these zones among the targets that are left for it. `settled` have theirs already.
    pub fn place(&self, open: &[Candidate], settled: &[(ZoneName, HostUri)]) -> BTreeMap<ZoneName, Place> {
        let mut fleet = self.with(settled);
        let (mut numbers, mut named) = (Vec::new(), BTreeMap::new());
        for (number, zone) in (0..).zip(&mut fleet.zones).filter(|(_, zone)| zone.host == self.here) {
            let of_zone = |one: &&Candidate| one.zone.as_str() == zone.name;
            let Some(candidate) = open.iter().find(of_zone) else { continue };
            let Intent::Leave { targets, .. } = &candidate.intent else { continue };
            zone.targets = Some(targets.iter().map(ToString::to_string).collect());
            // What is done with it was decided when it was chosen.
            zone.action = Action::Migrate;
            numbers.push(ZoneIx(number));
            named.insert(ZoneIx(number), (&candidate.zone, targets));
        }
        let question = Question { zones: numbers, drained: self.this_host() };
        let placement = place(&fleet, &self.rules, &question);
        let mut places = BTreeMap::new();
        for Assignment { zone, to } in placement.moves {
            if let (Some((name, _)), Some(uri)) = (named.get(&zone), host_uri(&fleet, to)) {
                places.insert((*name).clone(), Place::At(uri));
            }
        }
        for one in placement.unplaced {
            let Some((name, targets)) = named.get(&one.zone) else { continue };
            let refusals = one.refusals.into_iter().filter_map(|(host, refusals)| {
                let uri = host_uri(&fleet, host).filter(|uri| targets.contains(uri))?;
                Some((uri, refusals.iter().map(blocker).collect()))
            });
            places.insert((*name).clone(), Place::Nowhere(refusals.collect()));
        }
        places
    }

    /// These moves as parts of a plan, in their order.
    pub fn items(&self, moving: &[(ZoneName, HostUri)]) -> Vec<Item> {
        let place_of = |name: &String| moving.iter().position(|(zone, _)| zone.as_str() == name);
        let item = |(name, to): &(ZoneName, HostUri)| {
            let zone = self.zone(name);
            Item {
                from: self.here.clone(),
                to: to.to_string(),
                after: zone.map(|zone| zone.after.iter().filter_map(place_of).collect()).unwrap_or_default(),
                one_by_one: zone.map(|zone| zone.one_by_one.clone()).unwrap_or_default(),
            }
        };
        moving.iter().map(item).collect()
    }

    /// The plan of these moves.
    pub fn timed(&self, moving: &[(ZoneName, HostUri)]) -> Made {
        let index = |name: &str| self.fleet.hosts.iter().position(|host| host.name == name);
        let moves = (0..).zip(&self.fleet.zones).filter(|(_, zone)| zone.host == self.here).filter_map(
            |(number, zone)| {
                let (_, to) = moving.iter().find(|(name, _)| name.as_str() == zone.name)?;
                let to = HostIx(u32::try_from(index(&to.to_string())?).ok()?);
                Some(Assignment { zone: ZoneIx(number), to })
            },
        );
        let placement = Placement { moves: moves.collect(), unplaced: Vec::new() };
        timed(self.fleet.clone(), self.rules.clone(), placement, &self.experience)
    }

    /// How many may be under way: all of them, away from one host, and to one host.
    pub fn slots(&self, jobs: usize) -> Slots {
        let [outbound, inbound] =
            [self.rules.outbound, self.rules.inbound].map(|slots| usize::try_from(slots).unwrap_or(jobs));
        Slots { jobs, outbound, inbound }
    }

    fn this_host(&self) -> Vec<HostIx> {
        let place = self.fleet.hosts.iter().position(|host| host.name == self.here);
        place.and_then(|place| u32::try_from(place).ok()).map(HostIx).into_iter().collect()
    }

    /// The fleet as it will be when these have moved.
    fn with(&self, settled: &[(ZoneName, HostUri)]) -> Fleet {
        let mut fleet = self.fleet.clone();
        let gone: BTreeSet<_> = settled.iter().map(|(zone, _)| zone.as_str()).collect();
        for zone in &mut fleet.zones {
            if zone.host != self.here || !gone.contains(zone.name.as_str()) {
                continue;
            }
            let Some((_, to)) = settled.iter().find(|(name, _)| name.as_str() == zone.name) else { continue };
            zone.host = to.to_string();
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
    fleet.hosts.get(host.0 as usize)?.name.parse().ok()
}

/// A planner's reason as one that a host could have given.
fn blocker(refusal: &Refusal) -> Blocker {
    let kind = match refusal {
        Refusal::Drained | Refusal::Maintenance(_) | Refusal::Announced(_) => BlockerKind::Maintenance,
        Refusal::Memory(_) | Refusal::HugePages(_) | Refusal::Node(_) => BlockerKind::Memory,
        Refusal::Cpus(_) => BlockerKind::Cpu,
        Refusal::Architecture(_) | Refusal::CpuFeatures(_) | Refusal::Brand | Refusal::Hypervisor(_) => {
            BlockerKind::Platform
        }
        Refusal::Networks(_) | Refusal::MappedNetwork(..) => BlockerKind::Network,
        Refusal::Storage(_) | Refusal::Disk(_) => BlockerKind::Storage,
        Refusal::Home
        | Refusal::NotATarget
        | Refusal::MaxZones(_)
        | Refusal::Apart(..)
        | Refusal::Together(..) => BlockerKind::Policy,
    };
    Blocker::new(kind, refusal.to_string())
}
