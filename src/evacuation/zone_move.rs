//! One zone's move within a run: its attempts, each written down step by step, and its record afterwards.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cancel::{MOVES, QUESTIONS, Stage};
use super::engine::Engine;
use super::events::Event;
use super::job_state::JobEvent;
use super::move_queue::Permit;
use super::operation::Operation;
use super::record::MoveContext;
use crate::failpoints::{Actor, Timing};
use crate::migration::{Log, MoveError, Moved, backoff, migrate};
use crate::model::Progress;
use crate::model::document::{self, Written};
use crate::model::{Step, ZoneName};
use crate::store::{Direction, Entry, Mark};

/// One zone's move within a run.
pub(super) struct ZoneMove<'a> {
    of: MoveContext<'a>,
    /// Given back as soon as the zone runs at its destination: what follows is paper.
    permit: Permit<'a>,
    /// The last step that was begun.
    step: Mutex<Step>,
}

/// What the journal says of a move that is forced.
const FORCED: &str =
    "forced: what its destination has against its software, platform and networks does not count";

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> ZoneMove<'a> {
    /// The move of a zone that is ready, when it is its turn.
    pub const fn new(of: MoveContext<'a>, permit: Permit<'a>) -> Self {
        Self { of, permit, step: Mutex::new(Step::Reserve) }
    }

    fn zone(&self) -> &ZoneName {
        self.of.zone()
    }

    /// Waits for its turn, and does it.
    pub async fn run(&self, retries: u32) {
        self.permit.wait().await;
        if self.of.engine.cancel.stage() != Stage::Running {
            self.of.run_state.cut_short();
            let uuid = self.of.task.arrival.manifest.zone.uuid;
            // The next one need not wait for this answer.
            self.permit.end();
            let release = self.of.task.to.release(self.zone().clone(), uuid);
            let _ = tokio::time::timeout(QUESTIONS, release).await;
            self.report(JobEvent::Skip("cancelled before its turn".to_owned()));
            return;
        }
        let result = match self.begin() {
            Ok(()) => self.attempt(retries).await,
            Err(reason) => Err(MoveError::undone(Step::Reserve, reason)),
        };
        let now = Engine::now();
        let aborting = self.of.engine.cancel.stage() == Stage::Aborting;
        if matches!(&result, Err(MoveError::Cancelled))
            || aborting && matches!(&result, Err(MoveError::Unknown { .. }))
        {
            self.of.run_state.cut_short();
        }
        self.of.record(&result, now);
        self.report(self.of.conclusion(&result));
    }

    fn report(&self, event: JobEvent) {
        self.of.run_state.report(self.zone(), event);
    }

    /// Tries, and again while that may help.
    async fn attempt(&self, retries: u32) -> Result<Moved, MoveError> {
        let (begun, mut attempts) = (tokio::time::Instant::now(), 1);
        loop {
            let result = self.migrate().await;
            let Err(error) = &result else { return result };
            // Written for people alone: what is to be done next is not read from it.
            let _ = self.write(
                error.step().unwrap_or(*locked(&self.step)),
                Mark::Failed,
                Some(error.to_string()),
            );
            let pause = backoff(retries).next(attempts, begun.elapsed()).filter(|_| error.is_transient());
            let Some(pause) = pause else { return result.map_err(|error| error.after(attempts)) };
            let again = format!("{error}; tries again in {} s ({attempts} of {retries})", pause.as_secs());
            if !self.back_off(pause, again).await {
                return result.map_err(|error| error.after(attempts));
            }
            attempts += 1;
        }
    }

    /// Waits a while, and then for its turn. Gives whether the move may be tried again.
    async fn back_off(&self, pause: Duration, text: String) -> bool {
        self.permit.pause();
        self.report(JobEvent::Retry(text));
        tokio::select! {
            () = tokio::time::sleep(pause) => self.permit.wait().await,
            () = self.of.engine.cancel.given_up() => {}
        }
        if self.of.engine.cancel.stage() != Stage::Running {
            self.of.run_state.cut_short();
            return false;
        }
        self.of.run_state.apply(self.zone(), JobEvent::Start(None)).is_ok()
    }

    async fn migrate(&self) -> Result<Moved, MoveError> {
        let cancel = &self.of.engine.cancel;
        let migrated =
            cancel.bound(MOVES, migrate(self.of.task, self, self.of.engine.policy, cancel.aborting())).await;
        migrated.unwrap_or_else(|| {
            let step = *locked(&self.step);
            let reason = format!("given up, and no end of it was seen within {} s", MOVES.as_secs());
            Err(MoveError::Unknown { step, reason })
        })
    }

    /// The record of a zone that is away is there before the zone leaves.
    fn begin(&self) -> Result<(), String> {
        if self.of.run_state.direction() == Direction::Evacuate {
            self.of.engine.must_still_be_held()?;
        }
        let job = self.of.run_state.apply(self.zone(), JobEvent::Start(None));
        let job = job.map_err(|error| crate::model::chain(&error))?;
        let started = job.figures.started.unwrap_or_else(Engine::now);
        // Before the zone is on its way in the away list: else recovery would take the last step of its move before
        // for one of this.
        let forced = self.of.task.arrival.force.then(|| FORCED.to_owned());
        self.write(Step::Reserve, Mark::Intent, forced)?;
        let row = self.of.begun(started);
        let (store, manifest) = (&self.of.engine.store, &self.of.task.manifest);
        let written = match &self.of.job.operation {
            Operation::Return(away) => match self.of.engine.left(manifest, away)? {
                Some(left) => store.begin_return(&row, &left),
                None => store.update_away(&row),
            },
            Operation::Relocate(_) => store.update_away(&row),
            _ => {
                // What could not be kept afterwards does not go.
                if self.of.is_for_good() && self.of.task.arrival.home.is_none() {
                    document::write(manifest, &Written::by(self.of.engine.local.name(), started))
                        .map_err(|error| crate::model::chain(&error))?;
                }
                store.begin_away(&row, manifest)
            }
        };
        written.map_err(|error| crate::model::chain(&error))
    }

    fn write(&self, step: Step, mark: Mark, detail: Option<String>) -> Result<(), String> {
        let Some(run) = self.of.run_state.run() else { return Ok(()) };
        let entry = Entry { zone: self.zone().clone(), step, mark, at: Engine::now(), detail };
        self.of.engine.store.log_step(run, &entry).map_err(|error| crate::model::chain(&error))
    }
}

impl Log for ZoneMove<'_> {
    fn intent(&self, step: Step) -> Result<(), String> {
        *locked(&self.step) = step;
        self.write(step, Mark::Intent, None)?;
        self.of.engine.local.failpoints().hit(Actor::Journal, Timing::Before, step)?;
        // What people see may wait; the zone that stands still may not.
        if step != Step::Switch {
            let begun = self.of.run_state.apply(self.zone(), JobEvent::Step(step));
            begun.map_err(|error| crate::model::chain(&error))?;
        }
        Ok(())
    }

    fn done(&self, step: Step) -> Result<(), String> {
        if matches!(step, Step::Switch | Step::Boot) {
            self.permit.end();
        }
        self.write(step, Mark::Done, None)?;
        self.of.run_state.step_done(self.zone(), step);
        self.of.engine.local.failpoints().hit(Actor::Journal, Timing::After, step)
    }

    fn finds_the_same(&self) {
        self.of.engine.events.emit(&Event::ReusingConfiguration(self.zone()));
    }

    fn progress(&self, progress: Progress) {
        self.of.run_state.progress(self.zone(), progress);
    }
}
