//! One zone's move within a run: its attempts, recorded step by step, and its record afterwards.

use std::time::Duration;

use super::engine::Engine;
use super::job_state::JobEvent;
use super::journal::Journal;
use super::move_queue::Permit;
use super::operation::Operation;
use super::record::MoveContext;
use crate::cancel::{MOVES, QUESTIONS, Stage};
use crate::migration::steps::Procedure;
use crate::migration::{Log, MoveError, Moved, backoff, migrate};
use crate::model::document::{self, Written};
use crate::model::{Message, Step, ZoneName};
use crate::store::{Direction, Mark};

/// One zone's move within a run.
pub(super) struct ZoneMove<'a> {
    of: MoveContext<'a>,
    permit: Permit<'a>,
}

/// The entry in the journal for a forced move.
const FORCED: &str =
    "forced: what its destination has against its software, platform and networks does not count";

impl<'a> ZoneMove<'a> {
    /// The move of a zone that is ready.
    pub const fn new(of: MoveContext<'a>, permit: Permit<'a>) -> Self {
        Self { of, permit }
    }

    fn zone(&self) -> &ZoneName {
        self.of.zone()
    }

    /// Waits for its turn, and moves the zone.
    pub async fn run(&self, retries: u32) {
        self.permit.wait().await;
        if self.of.engine.cancel.stage() != Stage::Running {
            self.of.run_state.cut_short();
            let uuid = self.of.task.zone.uuid;
            // The next move need not wait for this answer.
            self.permit.end();
            let release = self.of.task.to.release(self.zone().clone(), uuid);
            let _ = tokio::time::timeout(QUESTIONS, release).await;
            self.report(JobEvent::Skip("cancelled before its turn".into()));
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

    /// Tries to move the zone, and again while that may help.
    async fn attempt(&self, retries: u32) -> Result<Moved, MoveError> {
        let (begun, mut attempts) = (tokio::time::Instant::now(), 1);
        loop {
            let result = self.migrate().await;
            let Err(error) = &result else { return result };
            let pause = backoff(retries).next(attempts, begun.elapsed()).filter(|_| error.is_transient());
            let Some(pause) = pause else { return result.map_err(|error| error.after(attempts)) };
            let again = format!("trying again in {} s ({attempts} of {retries})", pause.as_secs());
            let again = Message::of(error).map(|text| format!("{text}; {again}"));
            if !self.back_off(pause, again).await {
                return result.map_err(|error| error.after(attempts));
            }
            attempts += 1;
        }
    }

    /// Pauses, and then waits for its turn. Returns whether the move may be tried again.
    async fn back_off(&self, pause: Duration, text: Message) -> bool {
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
        self.of.run_state.apply(self.zone(), JobEvent::Start).is_ok()
    }

    async fn migrate(&self) -> Result<Moved, MoveError> {
        let (cancel, journal) = (&self.of.engine.cancel, self.journal());
        let migrating = migrate(self.of.task, &journal, self.of.engine.policy, cancel.aborting());
        if let Some(result) = cancel.bound(MOVES, migrating).await {
            return result;
        }
        let step = journal.last().unwrap_or(Step::Reserve);
        let reason = format!("cancelled, and it did not end within {} s", MOVES.as_secs());
        journal.failed(step, &reason);
        Err(MoveError::unknown(step, reason))
    }

    /// Records that the zone is away before it leaves.
    fn begin(&self) -> Result<(), Message> {
        if self.of.run_state.direction() == Direction::Evacuate {
            self.of.engine.must_still_be_held()?;
        }
        let job = self.of.run_state.apply(self.zone(), JobEvent::Start);
        let job = job.map_err(Message::from)?;
        let started = job.figures.started.unwrap_or_else(Engine::now);
        // Before the zone is recorded as being on its way: otherwise recovery would take the last step of its
        // previous move for one of this move.
        let forced = self.of.task.request.force.then(|| FORCED.to_owned());
        self.journal().write(Step::Reserve, Mark::Intent, forced)?;
        let row = self.of.begun(started);
        let (store, record) = (&self.of.engine.store, &self.of.task.record);
        let written = match &self.of.job.operation {
            Operation::Return(_) | Operation::Relocate(_) => store.begin_return(&row, record),
            _ => {
                // A zone that could not be recorded afterwards does not leave.
                if self.of.is_for_good() && self.of.task.request.home.is_none() {
                    document::write(record, &Written::by(self.of.engine.local.name(), started))
                        .map_err(Message::from)?;
                }
                store.begin_move(&row, record)
            }
        };
        written.map_err(Message::from)
    }

    fn journal(&self) -> Journal<'_> {
        let (engine, run_state) = (self.of.engine, self.of.run_state);
        let procedure = Procedure::from(self.of.task.request.method);
        Journal::new(engine, run_state, self.zone(), procedure, Some(&self.permit))
    }
}
