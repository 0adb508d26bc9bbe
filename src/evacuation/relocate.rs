//! What a return does if there is no room at home: it reports which zones must leave first; and if zones wait for
//! each other in a cycle, it relocates those that belong here to a third host.
//!
//! ```text
//!   h1: db (of h2), full        h2: web (of h1), full        h3
//!    web waits for db, and db for web ─► web is relocated from h2 to h3
//!    h2 fetches db                    ─► there is room on h1, web comes home
//! ```
//!
//! Additional hosts are asked only if a zone waits: a host that does not answer does not hold up a return that
//! does not need it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::engine::Engine;
use super::job_state::JobEvent;
use super::move_queue::MoveQueue;
use super::operation::Operation;
use super::placement::PlanningView;
use super::preflight::check::{Check, Mode};
use super::request::Request;
use super::run_state::RunState;
use crate::cancel::QUESTIONS;
use crate::migration::Task;
use crate::model::{HostUri, Method, PendingLoad, ZoneName};
use crate::plan::dispatch::{QueuedMove, Slots};
use crate::plan::{BlockedReason, HostKey, ReturnPlan, ZoneIx, return_plan};
use crate::store::{Direction, ZoneRecord};

/// What can be done about zones that wait for room here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReturnAdvice {
    /// A hint for each zone, besides what is missing.
    hints: BTreeMap<ZoneName, String>,
    /// The zones to relocate, and where to.
    relocations: Vec<(ZoneName, HostUri)>,
}

impl Engine {
    /// Considers everything that is known of hosts and zones, for those of these zones that wait for room here.
    pub(super) async fn plan_relocations(
        &self,
        request: &Request,
        run_state: &RunState,
    ) -> Option<(PlanningView, ReturnAdvice)> {
        let waiting = run_state.waiting();
        let waiting: BTreeSet<_> = waiting.iter().map(|(zone, _)| zone).collect();
        if run_state.direction() != Direction::Return || waiting.is_empty() {
            return None;
        }
        let view = self.cancel.bound(QUESTIONS, self.view_of_return(request, &waiting)).await?.ok()?;
        let advice = advice(&view.return_plan(&waiting), &waiting);
        Some((view, advice))
    }

    /// Relocates zones. Returns whether one was relocated.
    pub(super) async fn relocate(
        &self,
        ahead: Option<&(PlanningView, ReturnAdvice)>,
        request: &Request,
        run_state: &RunState,
    ) -> bool {
        let Some((view, advice)) = ahead else { return false };
        let mut jobs = Vec::new();
        for (zone, to) in &advice.relocations {
            let Some(Operation::Return(record)) = run_state.job(zone).map(|job| job.operation) else {
                continue;
            };
            let task = self.cancel.bound(QUESTIONS, self.way_aside(view, &record, to, request)).await;
            if let Some(task) = task.flatten() {
                // That it cannot be written is noticed by its journal, before the move.
                jobs.extend(run_state.apply(zone, JobEvent::Relocate(to.clone(), task)).ok());
            }
        }
        let slots = Slots { jobs: request.jobs, outbound: request.jobs, inbound: request.jobs };
        // All that may move at the same time may share the network; between which hosts does not matter.
        let queue = MoveQueue::new(vec![QueuedMove::new(self.key(), self.key()); jobs.len()], slots);
        self.run_moves(&jobs, &queue, request, run_state, |_| ()).await;
        jobs.iter().any(|job| {
            let now = run_state.job(&job.zone).map(|job| job.operation);
            matches!(now, Some(Operation::Return(record)) if record.location == job.peer)
        })
    }

    /// Reserves room for a zone that is to be relocated, if it can go there live.
    async fn way_aside(
        &self,
        view: &PlanningView,
        row: &ZoneRecord,
        to: &HostUri,
        request: &Request,
    ) -> Option<Arc<Task>> {
        let host = |uri| view.connected.get(uri)?.as_ref().ok();
        let (location, third) = (host(row.location.as_ref()?)?, host(to)?);
        let method = self
            .return_method(row, location.as_ref(), request)
            .await
            .ok()
            .filter(|method| *method == Method::Live)?;
        let exported = location.export(row.zone.clone()).await.ok()?;
        let check = Check {
            events: self.events.as_ref(),
            exported: &exported,
            method,
            from: location.name(),
            home: Some(self.here()),
            overwrite: false,
            force: request.force,
            mode: Mode::Reserve,
        };
        let task = match self.sideward(&exported.manifest, row, to) {
            Some(mapped) => {
                let answer = check.run(&mapped, third.as_ref(), PendingLoad::default()).await;
                let (from, to) = (location.clone(), third.clone());
                answer.ok().map(|accepted| Arc::new(check.task(accepted, mapped.record, from, to)))
            }
            None => None,
        };
        let _ = location.clear_markers(exported.ticket).await;
        task
    }
}

impl PlanningView {
    /// The return plan for these zones.
    fn return_plan(&self, names: &BTreeSet<&ZoneName>) -> ReturnPlan {
        let is_asked = |zone: &crate::plan::FleetZone| {
            zone.home.as_ref() == Some(&self.here) && names.contains(&zone.name)
        };
        let asked = (0..).map(ZoneIx).zip(&self.fleet.zones).filter(|(_, zone)| is_asked(zone));
        let asked: Vec<_> = asked.map(|(ix, _)| ix).collect();
        return_plan(self.fleet.clone(), self.rules.clone(), &asked, &self.history)
    }
}

impl ReturnAdvice {
    /// Adds to each waiting zone what would help.
    pub(super) fn tell(&self, run_state: &RunState) {
        for (zone, wait) in run_state.waiting() {
            let hint = self.hints.get(&zone).cloned();
            run_state.report(&zone, JobEvent::Wait(wait.with_hint(hint)));
        }
    }
}

/// What follows from the return plan for these zones. Pure.
fn advice(plan: &ReturnPlan, waiting: &BTreeSet<&ZoneName>) -> ReturnAdvice {
    let built = &plan.built;
    let mut advice = ReturnAdvice::default();
    for (zone, to) in plan.relocations() {
        if let (Some(zone), Some(uri)) = (built.zone(zone), built.host(to).and_then(HostKey::uri))
            && waiting.contains(&zone.name)
        {
            advice.relocations.push((zone.name.clone(), uri.clone()));
        }
    }
    let first = leavers(plan);
    for &zone in waiting {
        let aside = advice.relocations.iter().find(|(one, _)| one == zone).map(|(_, to)| to);
        let hint = match (built.start(zone), aside) {
            (Some(_), Some(to)) => Some(format!("it can go to {} until then; {first}", to.host.as_str())),
            (Some(_), None) if !first.is_empty() => Some(first.clone()),
            (Some(_), None) => None,
            (None, _) => no_room(plan, zone),
        };
        advice.hints.extend(hint.map(|hint| (zone.clone(), hint)));
    }
    advice
}

/// The zones that must leave first, and the command for that.
fn leavers(plan: &ReturnPlan) -> String {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for zone in plan.first.iter().filter_map(|zone| plan.built.zone(*zone)) {
        homes.entry(zone.home.as_ref().map_or("?", HostKey::host)).or_default().push(zone.name.as_str());
    }
    let of_home = |(host, zones): (&str, Vec<&str>)| {
        let command = format!("run 'sysadm evacuate -r {}' on {host}", zones.join(" "));
        format!("{} of {host} must leave first: {command}", zones.join(", "))
    };
    homes.into_iter().map(of_home).collect::<Vec<_>>().join("; ")
}

/// Why it would not help that others leave: they cannot.
fn no_room(plan: &ReturnPlan, zone: &ZoneName) -> Option<String> {
    let built = &plan.built;
    let blocked = built
        .plan
        .blocked
        .iter()
        .find(|one| built.zone(one.zone).is_some_and(|blocked| blocked.name == *zone))?;
    let waits_for: BTreeSet<_> = blocked
        .obstacles
        .iter()
        .flat_map(|obstacle| match obstacle {
            BlockedReason::Room { waits_for, .. } | BlockedReason::Apart { waits_for, .. } => {
                waits_for.clone()
            }
            BlockedReason::After(other) | BlockedReason::Together(other) => [*other].into(),
            BlockedReason::NeverConverges(_)
            | BlockedReason::NoLine
            | BlockedReason::NotLive
            | BlockedReason::Stays(_) => BTreeSet::new(),
        })
        .filter_map(|other| Some(built.zone(other)?.name.as_str()))
        .collect();
    let why = built.unplaced().into_iter().filter(|left| waits_for.contains(left.zone.as_str()));
    let why = why.map(|left| format!("{} cannot leave: {}", left.zone, left.reasons.join("; ")));
    Some(why.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
}
