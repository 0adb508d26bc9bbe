//! The journal of one zone of a run: each step is recorded before and after it, and reported.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::engine::{Engine, Event};
use super::job_state::JobEvent;
use super::move_queue::Permit;
use super::run_state::RunState;
use crate::failpoints::{Actor, Timing};
use crate::migration::Log;
use crate::migration::steps::{Procedure, Running};
use crate::model::{Progress, Step, ZoneName, chain};
use crate::store::{Entry, Mark};

/// The journal of one zone of a run.
pub(super) struct Journal<'a> {
    pub engine: &'a Engine,
    pub run_state: &'a RunState,
    pub zone: &'a ZoneName,
    pub procedure: Procedure,
    /// Given back as soon as the zone runs at its destination: the rest is bookkeeping.
    pub permit: Option<&'a Permit<'a>>,
    /// The last step that was begun.
    step: Mutex<Option<Step>>,
}

impl<'a> Journal<'a> {
    pub const fn new(
        engine: &'a Engine,
        run_state: &'a RunState,
        zone: &'a ZoneName,
        procedure: Procedure,
        permit: Option<&'a Permit<'a>>,
    ) -> Self {
        Self { engine, run_state, zone, procedure, permit, step: Mutex::new(None) }
    }

    fn locked(&self) -> MutexGuard<'_, Option<Step>> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn last(&self) -> Option<Step> {
        *self.locked()
    }

    pub fn write(&self, step: Step, mark: Mark, detail: Option<String>) -> Result<(), String> {
        let Some(run) = self.run_state.run() else { return Ok(()) };
        let entry = Entry { zone: self.zone.clone(), step, mark, at: Engine::now(), detail };
        self.engine.store.log_step(run, &entry).map_err(|error| chain(&error))
    }

    /// Whether the zone is stopped during that step: then reports can wait.
    fn is_held(&self, step: Step) -> bool {
        let spec = self.procedure.steps().iter().find(|spec| spec.step == step);
        spec.is_some_and(|spec| spec.running_during == Running::Held)
    }
}

impl Log for Journal<'_> {
    fn intent(&self, step: Step) -> Result<(), String> {
        *self.locked() = Some(step);
        self.write(step, Mark::Intent, None)?;
        self.engine.local.failpoints().hit(Actor::Journal, Timing::Before, step)?;
        if !self.is_held(step) {
            let begun = self.run_state.apply(self.zone, JobEvent::Step(step));
            begun.map_err(|error| chain(&error))?;
        }
        Ok(())
    }

    fn done(&self, step: Step) -> Result<(), String> {
        if let Some(permit) = self.permit.filter(|_| self.procedure.arrives_with(step)) {
            permit.end();
        }
        self.write(step, Mark::Done, None)?;
        self.run_state.step_done(self.zone, step);
        self.engine.local.failpoints().hit(Actor::Journal, Timing::After, step)
    }

    fn failed(&self, step: Step, reason: &str) {
        let _ = self.write(step, Mark::Failed, Some(reason.to_owned()));
    }

    fn undone(&self, step: Step) {
        let _ = self.write(step, Mark::Undone, None);
    }

    fn finds_the_same(&self) {
        self.engine.events.emit(&Event::ReusingConfiguration(self.zone));
    }

    fn progress(&self, progress: Progress) {
        self.run_state.progress(self.zone, progress);
    }
}
