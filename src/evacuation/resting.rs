//! Zones are put to rest, and booted again: one after another, each step written down.
//!
//! What was asked of the hypervisor may have been answered or not: what counts is what it says of the zone then.

use uuid::Uuid;

use super::cancel::{MOVES, QUESTIONS, Stage};
use super::engine::Engine;
use super::events::Event;
use super::job::Job;
use super::job_state::{Ending, JobEvent};
use super::operation::Operation;
use super::rest::{rests_now, seen};
use super::run_state::RunState;
use crate::failpoints::{Actor, Timing};
use crate::migration::recovery::Observed;
use crate::model::chain;
use crate::model::{Aux, Inventory, Step, ZoneName};
use crate::store::{Entry, Mark, Rest, RestPhase, RestWay};

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
                let event = match self.begin(&rest.zone, Step::Boot) {
                    Ok(()) => self.boot(rest).await,
                    Err(reason) => JobEvent::Fail(None, reason),
                };
                self.run_state.report(&job.zone, event);
            }
        }
    }

    fn its_turn(&self, zone: &ZoneName) -> bool {
        let runs = self.engine.cancel.stage() == Stage::Running;
        if !runs {
            self.run_state.cut_short();
            self.run_state.report(zone, JobEvent::Skip("cancelled before its turn".to_owned()));
        }
        runs
    }

    async fn stop(&self, job: &Job, uuid: Uuid, method: RestWay) -> Result<JobEvent, String> {
        let (engine, zone) = (self.engine, &job.zone);
        let step = match method {
            RestWay::Stop => Step::Shutdown,
            RestWay::Suspend => Step::Save,
        };
        let row = Rest {
            zone: zone.clone(),
            uuid,
            brand: job.brand,
            way: method,
            phase: RestPhase::Stopping,
            started: Engine::now(),
            ended: None,
        };
        engine.must_still_be_held()?;
        // Before all else: if the power fails in the middle of it, the zone is booted on return.
        engine.store.begin_rest(&row).map_err(|error| chain(&error))?;
        if let Err(reason) = self.begin(zone, step) {
            self.forget(zone, uuid);
            return Err(reason);
        }
        let limit = u64::try_from(engine.policy.shutdown.as_millis()).unwrap_or(u64::MAX);
        let asking = async {
            match method {
                RestWay::Stop => engine.local.stop(zone, uuid, limit).await,
                RestWay::Suspend => engine.local.suspend(zone, uuid).await,
            }
        };
        // A shutdown cannot be called back: the end of it is waited for, also when the run is given up.
        let answer = engine.cancel.bound(MOVES, asking).await;
        if answer.is_none() {
            self.run_state.cut_short();
        }
        let Some(inventory) = self.look(uuid).await.filter(|_| answer.is_some()) else {
            let text = "whether it has ended is not known; 'sysadm evacuate --resume' finds out";
            return Ok(JobEvent::Lose(None, text.to_owned()));
        };
        let reason = match answer {
            Some(Err(error)) => error.to_string(),
            _ => "it still runs".to_owned(),
        };
        let (seen, found) = seen(&inventory, uuid);
        if seen == Observed::Installed {
            let now = rests_now(&row, found);
            self.told(engine.store.update_rest(&now).map_err(|error| chain(&error)), zone);
            self.told(self.done(zone, step), zone);
            let error = (now.way != method).then(|| format!("its memory was not saved: {reason}"));
            return Ok(JobEvent::Finish(Ending::Stopped(now.way), error));
        }
        self.forget(zone, uuid);
        self.told(self.write(zone, step, Mark::Failed, Some(reason.clone())), zone);
        Err(reason)
    }

    async fn boot(&self, rest: &Rest) -> JobEvent {
        let (engine, zone) = (self.engine, &rest.zone);
        let unknown = || {
            let text = "whether it runs is not known; 'sysadm evacuate --resume' finds out";
            JobEvent::Lose(None, text.to_owned())
        };
        let Some(before) = self.look(rest.uuid).await else { return unknown() };
        let saved = seen(&before, rest.uuid).1.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
        let answer = engine.cancel.bound(MOVES, engine.local.boot(zone.clone(), rest.uuid)).await;
        if answer.is_none() {
            self.run_state.cut_short();
        }
        let Some(inventory) = self.look(rest.uuid).await.filter(|_| answer.is_some()) else {
            return unknown();
        };
        if seen(&inventory, rest.uuid).0 != Observed::Runs {
            let reason = match answer {
                Some(Err(error)) => error.to_string(),
                _ => "it was booted and has ended at once".to_owned(),
            };
            self.told(self.write(zone, Step::Boot, Mark::Failed, Some(reason.clone())), zone);
            return JobEvent::Fail(None, reason);
        }
        // In this order: if the power fails just now, it is booted once more.
        self.told(self.done(zone, Step::Boot), zone);
        self.forget(zone, rest.uuid);
        if rest.way == RestWay::Suspend && !saved {
            self.told(Err("its saved memory was gone; it was booted afresh".to_owned()), zone);
        }
        JobEvent::Finish(Ending::Booted, None)
    }

    /// There is nothing to be booted any more.
    fn forget(&self, zone: &ZoneName, uuid: Uuid) {
        let removed = self.engine.store.zone_is_here(uuid);
        self.told(removed.map(drop).map_err(|error| chain(&error)), zone);
    }

    /// The zones of this host, if it tells of that one.
    async fn look(&self, uuid: Uuid) -> Option<Inventory> {
        let asked = self.engine.cancel.bound(QUESTIONS, self.engine.local.inventory()).await;
        asked.and_then(Result::ok).filter(|inventory| inventory.identified(uuid).is_ok())
    }

    /// The intent of its step is on the disk before anything is done with it.
    fn begin(&self, zone: &ZoneName, step: Step) -> Result<(), String> {
        self.write(zone, step, Mark::Intent, None)?;
        self.engine.local.failpoints().hit(Actor::Journal, Timing::Before, step)?;
        let begun = self.run_state.apply(zone, JobEvent::Start(Some(step)));
        begun.map(drop).map_err(|error| chain(&error))
    }

    fn done(&self, zone: &ZoneName, step: Step) -> Result<(), String> {
        self.write(zone, step, Mark::Done, None)?;
        self.engine.local.failpoints().hit(Actor::Journal, Timing::After, step)
    }

    fn write(&self, zone: &ZoneName, step: Step, mark: Mark, detail: Option<String>) -> Result<(), String> {
        let Some(run) = self.run_state.run() else { return Ok(()) };
        let entry = Entry { zone: zone.clone(), step, mark, at: Engine::now(), detail };
        self.engine.store.log_step(run, &entry).map_err(|error| chain(&error))
    }

    /// What was done is done; that it could not be written down is said.
    fn told(&self, written: Result<(), String>, zone: &ZoneName) {
        if let Err(reason) = written {
            self.engine.events.emit(&Event::Warning(&format!("{zone}: {reason}")));
        }
    }
}
