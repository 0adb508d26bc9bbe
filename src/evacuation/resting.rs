//! Zones are stopped or suspended in place, and booted again: one after another, each step written down.

use uuid::Uuid;

use super::cancel::Stage;
use super::engine::Engine;
use super::events::Event;
use super::in_place::InPlace;
use super::job::StopPlan;
use super::journal::Journal;
use super::rest::{rests_now, state_of};
use super::run_state::RunState;
use crate::migration::steps::Procedure;
use crate::migration::{MoveError, runner};
use crate::model::{ZoneName, chain};
use crate::store::{Move, MoveState, Rest, RestPhase, RestWay};

/// The part of a run that is about zones that stay.
pub(super) struct StopInPlace<'a> {
    pub engine: &'a Engine,
    pub run_state: &'a RunState,
}

impl StopInPlace<'_> {
    /// Puts them to rest in that order.
    pub async fn stop_all(&self, stops: &[StopPlan]) {
        for plan in stops {
            if self.its_turn(&plan.zone) {
                self.engine.events.emit(&Event::Stopping(&plan.zone, plan.way));
                let (state, error) = self.stop(plan).await;
                self.end(&plan.zone, state, error);
            }
        }
    }

    /// Boots them in that order.
    pub async fn boot_all(&self, rests: &[Rest]) {
        for rest in rests {
            if self.its_turn(&rest.zone) {
                self.engine.events.emit(&Event::Booting(&rest.zone));
                let (state, error) = self.boot(rest).await;
                self.end(&rest.zone, state, error);
            }
        }
    }

    fn its_turn(&self, zone: &ZoneName) -> bool {
        let runs = self.engine.cancel.stage() == Stage::Running;
        if !runs {
            self.run_state.cut_short();
            self.end(zone, MoveState::Skipped, Some("cancelled before its turn".to_owned()));
        }
        runs
    }

    async fn stop(&self, plan: &StopPlan) -> (MoveState, Option<String>) {
        let (engine, zone, uuid) = (self.engine, &plan.zone, plan.uuid);
        let row = Rest {
            zone: zone.clone(),
            uuid,
            brand: plan.brand,
            way: plan.way,
            phase: RestPhase::Stopping,
            started: Engine::now(),
            ended: None,
        };
        if let Err(reason) = engine.must_still_be_held() {
            return (MoveState::Failed, Some(reason));
        }
        // Before all else: if the power fails in the middle of it, the zone is booted on return.
        if let Err(error) = engine.store.begin_rest(&row) {
            return (MoveState::Failed, Some(chain(&error)));
        }
        let procedure = match plan.way {
            RestWay::Stop => Procedure::Stop,
            RestWay::Suspend => Procedure::Suspend,
        };
        let mut acts = InPlace::new(engine, zone, uuid);
        match self.run(procedure, &mut acts).await {
            Ok(()) => {
                let now = rests_now(&row, acts.found.as_ref());
                self.told(engine.store.update_rest(&now).map_err(|error| chain(&error)), zone);
                let refusal = acts.refusal.filter(|_| now.way != plan.way);
                (state_of(now.way), refusal.map(|reason| format!("its memory was not saved: {reason}")))
            }
            Err(error @ MoveError::Unknown { .. }) => unknown(&error),
            Err(error) => {
                self.forget(zone, uuid);
                (MoveState::Failed, Some(error.to_string()))
            }
        }
    }

    async fn boot(&self, rest: &Rest) -> (MoveState, Option<String>) {
        let mut acts = InPlace::new(self.engine, &rest.zone, rest.uuid);
        match self.run(Procedure::Boot, &mut acts).await {
            // In this order: if the power fails just now, it is booted once more.
            Ok(()) => {
                self.forget(&rest.zone, rest.uuid);
                if rest.way == RestWay::Suspend && !acts.was_saved {
                    let text = "its saved memory was gone; it was booted afresh".to_owned();
                    self.told(Err(text), &rest.zone);
                }
                (MoveState::Returned, None)
            }
            Err(error @ MoveError::Unknown { .. }) => unknown(&error),
            Err(error) => (MoveState::Failed, Some(error.to_string())),
        }
    }

    /// Runs a procedure. What is done is done: that it could not be written down is told, and no more.
    async fn run(&self, procedure: Procedure, acts: &mut InPlace<'_>) -> Result<(), MoveError> {
        let zone = acts.zone;
        let begun = self.run_state.change(zone, |a_move| {
            (a_move.state, a_move.started) = (MoveState::Migrating, Some(Engine::now()));
        });
        begun.map_err(|error| MoveError::undone(procedure.steps()[0].step, chain(&error)))?;
        let journal = Journal::new(self.engine, self.run_state, zone, procedure, None);
        let result = runner::run(procedure, acts, &journal, &self.engine.cancel.aborting()).await;
        if acts.is_cut_short {
            self.run_state.cut_short();
        }
        match result {
            Err(error) if acts.is_done => {
                self.told(Err(error.to_string()), zone);
                Ok(())
            }
            result => result,
        }
    }

    /// There is nothing to be booted any more.
    fn forget(&self, zone: &ZoneName, uuid: Uuid) {
        let removed = self.engine.store.zone_is_here(uuid);
        self.told(removed.map(drop).map_err(|error| chain(&error)), zone);
    }

    fn end(&self, zone: &ZoneName, state: MoveState, error: Option<String>) {
        let change = |a_move: &mut Move| {
            (a_move.state, a_move.error, a_move.ended) = (state, error, Some(Engine::now()));
        };
        match self.run_state.change(zone, change) {
            Ok(a_move) => self.engine.events.emit(&Event::Ended(&a_move)),
            Err(error) => self.engine.events.emit(&Event::Warning(&error.to_string())),
        }
    }

    /// What was done is done; that it could not be written down is said.
    fn told(&self, written: Result<(), String>, zone: &ZoneName) {
        if let Err(reason) = written {
            self.engine.events.emit(&Event::Warning(&format!("{zone}: {reason}")));
        }
    }
}

fn unknown(error: &MoveError) -> (MoveState, Option<String>) {
    (MoveState::Unknown, Some(format!("{error}; 'sysadm evacuate --resume' finds out")))
}
