//! Zones that do not leave: they are stopped or suspended here, one after another, when all others have left, and booted
//! again on return, the last one first.
//!
//! ```text
//!   record: stopping ─► the zone is asked to end ─► record: stopped … boot ─► no record
//! ```
//!
//! What others depend on comes `after` them in the policy: it is stopped last, and booted first. That holds always. Beside
//! that zones go as they are named on the command line, else the higher priority first, else by name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::engine::{Engine, Event};
use super::job::Job;
use super::job_state::{Ending, JobEvent};
use super::journal::Journal;
use super::operation::Operation;
use super::recover::rests_now;
use super::run_state::RunState;
use crate::cancel::Stage;
use crate::migration::steps::Procedure;
use crate::migration::{InPlace, MoveError, runner};
use crate::model::{Message, Millis, RESUME, ZoneName};
use crate::plan::{DependencyGraph, FleetZone};
use crate::store::{Place, StopMethod, ZoneRecord};

/// The part of a run that is about zones that stay.
pub(super) struct StopInPlace<'a> {
    pub engine: &'a Engine,
    pub run_state: &'a RunState,
}

impl StopInPlace<'_> {
    /// Stops or suspends them, in that order.
    pub async fn stop_all(&self, stops: &[Job]) {
        for job in stops {
            if let Operation::Stop { uuid, method } = job.operation
                && self.its_turn(&job.zone)
            {
                let event =
                    self.stop(job, uuid, method).await.unwrap_or_else(|reason| JobEvent::Fail(None, reason));
                self.run_state.report(&job.zone, event);
            }
        }
    }

    /// Boots them, in that order.
    pub async fn boot_all(&self, boots: &[Job]) {
        for job in boots {
            if let Operation::Boot(rest) = &job.operation
                && self.its_turn(&job.zone)
            {
                let event = self.boot(rest).await;
                self.run_state.report(&job.zone, event);
            }
        }
    }

    fn its_turn(&self, zone: &ZoneName) -> bool {
        let runs = self.engine.cancel.stage() == Stage::Running;
        if !runs {
            self.run_state.cut_short();
            self.run_state.report(zone, JobEvent::Skip("cancelled before its turn".into()));
        }
        runs
    }

    async fn stop(&self, job: &Job, uuid: Uuid, method: StopMethod) -> Result<JobEvent, Message> {
        let (engine, zone) = (self.engine, &job.zone);
        engine.must_still_be_held()?;
        let since = self.start(zone)?;
        let known = ZoneRecord::called(zone.clone(), uuid, job.brand);
        let row = ZoneRecord { place: method.stopping(), since, ..known };
        // Before anything else: if the power fails meanwhile, the zone is booted on return.
        engine.store.begin_stop(&row).map_err(Message::from)?;
        let procedure = match method {
            StopMethod::Stop => Procedure::Stop,
            StopMethod::Suspend => Procedure::Suspend,
        };
        let mut acts = self.acts(zone, uuid);
        match self.run(procedure, &mut acts).await {
            Ok(()) => {
                let now = rests_now(&row, acts.found.as_ref());
                self.told(engine.store.update_zone(&now).map_err(Message::from), zone);
                let as_asked = now.place == method.stopped();
                let refusal = acts.refusal.filter(|_| !as_asked);
                let error = refusal.map(|reason| reason.about("its memory was not saved"));
                Ok(JobEvent::Finish(Ending::Stopped(if as_asked { method } else { StopMethod::Stop }), error))
            }
            Err(error @ MoveError::Unknown { .. }) => Ok(unknown(&error)),
            Err(error) => {
                self.forget(zone, uuid);
                Err(error.into())
            }
        }
    }

    async fn boot(&self, rest: &ZoneRecord) -> JobEvent {
        if let Err(reason) = self.start(&rest.zone) {
            return JobEvent::Fail(None, reason);
        }
        let mut acts = self.acts(&rest.zone, rest.uuid);
        match self.run(Procedure::Boot, &mut acts).await {
            // In this order: if the power fails now, it is booted once more.
            Ok(()) => {
                self.forget(&rest.zone, rest.uuid);
                if rest.place == Place::Suspended && !acts.was_saved {
                    let text = "its saved memory was gone; it was booted from scratch";
                    self.told(Err(text.into()), &rest.zone);
                }
                JobEvent::Finish(Ending::Booted, None)
            }
            Err(error @ MoveError::Unknown { .. }) => unknown(&error),
            Err(error) => JobEvent::Fail(None, error.into()),
        }
    }

    fn acts<'z>(&'z self, zone: &'z ZoneName, uuid: Uuid) -> InPlace<'z> {
        InPlace::new(self.engine.local.as_ref(), &self.engine.cancel, self.engine.policy, zone, uuid)
    }

    /// Starts a job; gives when.
    fn start(&self, zone: &ZoneName) -> Result<Millis, Message> {
        let job = self.run_state.apply(zone, JobEvent::Start).map_err(Message::from)?;
        Ok(job.figures.started.unwrap_or_else(Engine::now))
    }

    /// Runs a procedure. What is done is done: that it could not be recorded is only reported.
    async fn run(&self, procedure: Procedure, acts: &mut InPlace<'_>) -> Result<(), MoveError> {
        let zone = acts.zone;
        let journal = Journal::new(self.engine, self.run_state, zone, procedure, None);
        let result = runner::run(procedure, acts, &journal, &self.engine.cancel.aborting()).await;
        if acts.is_cut_short {
            self.run_state.cut_short();
        }
        match result {
            Err(error) if acts.is_done => {
                self.told(Err(error.into()), zone);
                Ok(())
            }
            result => result,
        }
    }

    /// There is nothing to be booted any more.
    fn forget(&self, zone: &ZoneName, uuid: Uuid) {
        let removed = self.engine.store.zone_is_here(uuid);
        self.told(removed.map(drop).map_err(Message::from), zone);
    }

    /// What is done is done: that it could not be recorded is only reported.
    fn told(&self, written: Result<(), Message>, zone: &ZoneName) {
        if let Err(reason) = written {
            self.engine.events.emit(&Event::Warning(reason.about(zone)));
        }
    }
}

fn unknown(error: &MoveError) -> JobEvent {
    JobEvent::Lose(None, Message::of(error).with_hint(RESUME))
}

/// Moves the jobs that stop zones here behind all others, in their order.
pub(super) fn order_stops<'a>(
    jobs: &mut Vec<Job>,
    zones: impl Iterator<Item = &'a FleetZone>,
    named: &[ZoneName],
) {
    let zones: BTreeMap<_, _> = zones.map(|zone| (&zone.name, zone)).collect();
    let (mut stops, others): (Vec<_>, Vec<_>) =
        jobs.drain(..).partition(|one| matches!(one.operation, Operation::Stop { .. }));
    stops.sort_by_cached_key(|one| {
        let place = named.iter().position(|zone| *zone == one.zone);
        let priority = zones.get(&one.zone).map_or(0, |zone| zone.priority);
        (place, Reverse(priority), one.zone.clone())
    });
    let places: BTreeMap<_, _> = (0..).zip(&stops).map(|(place, one)| (one.zone.clone(), place)).collect();
    let zone = |place: usize| stops.get(place).and_then(|one| zones.get(&one.zone));
    let mut graph = DependencyGraph::new(stops.len(), |place| {
        let after = zone(place).into_iter().flat_map(|zone| &zone.after);
        after.filter_map(|name| places.get(name).copied()).collect()
    });
    // The policy has none left; but no zone may be lost because of one.
    graph.break_cycles();
    jobs.extend(others);
    jobs.extend(graph.order().into_iter().filter_map(|place| stops.get(place).cloned()));
}

#[cfg(test)]
mod tests;
