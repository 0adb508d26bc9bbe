//! One zone's move within a run: its attempts, each written down step by step, and its record afterwards.

use std::time::Duration;

use super::cancel::{MOVES, QUESTIONS, Stage};
use super::engine::Engine;
use super::events::Event;
use super::journal::Journal;
use super::move_queue::Permit;
use super::record::{MoveContext, Purpose, conclude};
use crate::host::Host;
use crate::migration::steps::Procedure;
use crate::migration::{Log, MoveError, Moved, backoff, migrate};
use crate::model::document::{self, Written};
use crate::model::{Step, ZoneName};
use crate::store::{Mark, Move, MoveState};

/// One zone's move within a run.
pub(super) struct ZoneMove<'a> {
    of: MoveContext<'a>,
    permit: Permit<'a>,
}

/// What the journal says of a move that is forced.
const FORCED: &str =
    "forced: what its destination has against its software, platform and networks does not count";

impl<'a> ZoneMove<'a> {
    /// The move of a zone that is ready, when it is its turn.
    pub const fn new(of: MoveContext<'a>, permit: Permit<'a>) -> Self {
        Self { of, permit }
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
            self.end(|a_move| {
                a_move.state = MoveState::Skipped;
                a_move.error = Some("cancelled before its turn".to_owned());
            });
            return;
        }
        self.tell_that_it_moves();
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
        self.end(|a_move| conclude(a_move, &self.of, &result, now));
    }

    fn tell_that_it_moves(&self) {
        let (zone, peer) = (self.zone(), self.of.peer.host.as_str());
        self.of.engine.events.emit(&match self.of.purpose {
            Purpose::Leave | Purpose::Migrate | Purpose::PassOn | Purpose::Return(_) => {
                Event::Migrating(zone, peer)
            }
            Purpose::Aside(_) => Event::Relocating(zone, peer),
        });
    }

    /// Tries, and again while that may help.
    async fn attempt(&self, retries: u32) -> Result<Moved, MoveError> {
        let (begun, mut attempts) = (tokio::time::Instant::now(), 1);
        loop {
            let result = self.migrate().await;
            let Err(error) = &result else { return result };
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
        let _ = self.of.run_state.change(self.zone(), |a_move| {
            a_move.state = MoveState::Ready;
            a_move.error = Some(text.clone());
        });
        self.of.engine.events.emit(&Event::Retrying(self.zone(), &text));
        tokio::select! {
            () = tokio::time::sleep(pause) => self.permit.wait().await,
            () = self.of.engine.cancel.given_up() => {}
        }
        if self.of.engine.cancel.stage() != Stage::Running {
            self.of.run_state.cut_short();
            return false;
        }
        self.tell_that_it_moves();
        let changed = self.of.run_state.change(self.zone(), |a_move| {
            (a_move.state, a_move.error, a_move.bytes) = (MoveState::Migrating, None, 0);
        });
        changed.is_ok()
    }

    async fn migrate(&self) -> Result<Moved, MoveError> {
        let (cancel, journal) = (&self.of.engine.cancel, self.journal());
        let migrating = migrate(self.of.task, &journal, self.of.engine.policy, cancel.aborting());
        if let Some(result) = cancel.bound(MOVES, migrating).await {
            return result;
        }
        let step = journal.last().unwrap_or(Step::Reserve);
        let reason = format!("given up, and no end of it was seen within {} s", MOVES.as_secs());
        journal.failed(step, &reason);
        Err(MoveError::Unknown { step, reason })
    }

    /// The record of a zone that is away is there before the zone leaves.
    fn begin(&self) -> Result<(), String> {
        if matches!(self.of.purpose, Purpose::Leave | Purpose::PassOn) {
            self.of.engine.must_still_be_held()?;
        }
        let started = Engine::now();
        let changed = self.of.run_state.change(self.zone(), |a_move| {
            a_move.state = MoveState::Migrating;
            a_move.started = Some(started);
        });
        changed.map_err(|error| error.to_string())?;
        // Before the zone is on its way in the away list: else recovery would take the last step of its move before
        // for one of this.
        let forced = self.of.task.arrival.force.then(|| FORCED.to_owned());
        self.journal().write(Step::Reserve, Mark::Intent, forced)?;
        let row = self.of.begun(started);
        let written = match self.of.purpose {
            Purpose::Return(away) => match self.of.engine.left(&self.of.task.manifest, away)? {
                Some(left) => self.of.engine.store.begin_return(&row, &left),
                None => self.of.engine.store.update_away(&row),
            },
            Purpose::Aside(_) => self.of.engine.store.update_away(&row),
            Purpose::Leave | Purpose::PassOn => self.of.engine.store.begin_away(&row, &self.of.task.manifest),
            Purpose::Migrate => {
                // What could not be kept afterwards does not go.
                document::write(&self.of.task.manifest, &Written::by(self.of.engine.local.name(), started))
                    .map_err(|error| crate::model::chain(&error))?;
                self.of.engine.store.begin_away(&row, &self.of.task.manifest)
            }
        };
        written.map_err(|error| crate::model::chain(&error))
    }

    fn end(&self, change: impl FnOnce(&mut Move)) {
        match self.of.run_state.change(self.zone(), change) {
            Ok(a_move) => self.of.engine.events.emit(&Event::Ended(&a_move)),
            Err(error) => self.of.engine.events.emit(&Event::Warning(&error.to_string())),
        }
    }

    fn journal(&self) -> Journal<'_> {
        let (engine, run_state) = (self.of.engine, self.of.run_state);
        let procedure = Procedure::from(self.of.task.arrival.kind);
        Journal::new(engine, run_state, self.zone(), procedure, Some(&self.permit))
    }
}
