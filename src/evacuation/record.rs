//! What is written down of one zone's move: its row in the away list, and in the run.

use uuid::Uuid;

use super::engine::Engine;
use super::error::EvacuationError;
use super::events::Event;
use super::run_state::RunState;
use crate::host::Host;
use crate::migration::{MoveError, Moved, Task};
use crate::model::document::Written;
use crate::model::{Home, HostUri, Manifest, Millis, ZoneName};
use crate::store::{Away, AwayPhase, Detached, Move, MoveState, StoreError};

/// What one zone's move is about.
pub(super) struct MoveContext<'a> {
    pub engine: &'a Engine,
    pub run_state: &'a RunState,
    pub purpose: Purpose<'a>,
    pub task: &'a Task,
    /// The other host.
    pub peer: &'a HostUri,
}

/// What a zone moves for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// To a refuge.
    Leave,
    /// To another host, for good.
    Migrate,
    /// From its refuge to another one, or home: it belongs to another host.
    PassOn,
    /// Home; its record.
    Return(&'a Away),
    /// From its refuge to another one, because its home has no room yet; its record.
    Aside(&'a Away),
}

impl MoveContext<'_> {
    pub fn zone(&self) -> &ZoneName {
        &self.task.arrival.manifest.zone.name
    }

    fn uuid(&self) -> Uuid {
        self.task.arrival.manifest.zone.uuid
    }

    /// Its record while it moves.
    pub fn begun(&self, started: Millis) -> Away {
        let zone = &self.task.arrival.manifest.zone;
        match self.purpose {
            Purpose::Return(away) => Away { phase: AwayPhase::Returning, ..away.clone() },
            Purpose::Aside(away) => {
                Away { phase: AwayPhase::Aside, aside: Some(self.peer.clone()), ..away.clone() }
            }
            Purpose::Leave | Purpose::Migrate | Purpose::PassOn => Away {
                zone: zone.name.clone(),
                uuid: zone.uuid,
                brand: zone.brand,
                home: self.home(),
                refuge: self.peer.clone(),
                aside: None,
                one_way: matches!(self.purpose, Purpose::Migrate | Purpose::PassOn),
                was_running: zone.is_running(),
                kind: self.task.arrival.kind,
                phase: AwayPhase::Leaving,
                started,
                ended: None,
                bytes: 0,
                downtime: None,
                expected: None,
                down: None,
            },
        }
    }

    /// The host that it belongs to until it has moved, if that is another one.
    fn home(&self) -> Option<Home> {
        let home = self.task.arrival.home.clone();
        home.filter(|home| !home.is(self.engine.local.name(), self.engine.local.id()))
    }

    /// Puts the away list right after a move. One whose end is not known stays as it is, for the next run.
    pub fn record(&self, result: &Result<Moved, MoveError>, now: Millis) {
        let store = &self.engine.store;
        let stayed = matches!(result, Err(MoveError::Undone { .. } | MoveError::Cancelled));
        let written = match (self.purpose, result) {
            (Purpose::Leave, Ok(moved)) => {
                let began = self.run_state.moves().into_iter().find(|a_move| a_move.zone == *self.zone());
                let expected = began.as_ref().and_then(|a_move| a_move.expected);
                let started = began.and_then(|a_move| a_move.started).unwrap_or(now);
                store.update_away(&Away {
                    phase: AwayPhase::Away,
                    ended: Some(now),
                    bytes: moved.bytes,
                    downtime: moved.downtime,
                    expected,
                    ..self.begun(started)
                })
            }
            (Purpose::Migrate | Purpose::PassOn, Ok(_)) => return self.gone(now),
            (Purpose::Leave | Purpose::Migrate | Purpose::PassOn, Err(_)) if stayed => {
                store.zone_is_here(self.uuid()).map(drop)
            }
            (Purpose::Return(_), Ok(_)) => store.zone_is_here(self.uuid()).map(drop),
            (Purpose::Return(away) | Purpose::Aside(away), Err(_)) if stayed => store.update_away(away),
            (Purpose::Aside(away), Ok(_)) => {
                store.update_away(&Away { refuge: self.peer.clone(), down: None, ..away.clone() })
            }
            // Its end is not known, or something is left: the next run settles it.
            (_, Err(_)) => Ok(()),
        };
        if let Err(error) = written {
            self.not_written(&error);
        }
    }

    /// The zone does not belong here any more. If that cannot be written the next run finds it out.
    fn gone(&self, now: Millis) {
        let (manifest, to) = (&self.task.manifest, self.task.to.as_ref());
        if let Err(error) = self.engine.gone(&self.begun(now), manifest, to, now) {
            self.not_written(&error);
        }
    }

    fn not_written(&self, error: &dyn std::error::Error) {
        let text = format!("{}: its record could not be written: {error}", self.zone());
        self.engine.events.emit(&Event::Warning(&text));
    }
}

impl Engine {
    /// This host, as one that zones belong to.
    pub(super) fn here(&self) -> Home {
        Home { name: self.local.name().to_owned(), id: Some(self.local.id()) }
    }

    /// The host that a zone which is here belongs to, if that is another one.
    pub(super) fn home_of(&self, uuid: Uuid) -> Result<Option<Home>, StoreError> {
        Ok(self.store.zone(uuid)?.and_then(|record| record.home))
    }

    /// A zone has gone to that host for good: it is `configured` here. One of another host leaves nothing behind but where
    /// it went, and not that if it went home.
    pub(super) fn gone(
        &self,
        row: &Away,
        manifest: &Manifest,
        to: &dyn Host,
        now: Millis,
    ) -> Result<(), EvacuationError> {
        if let Some(home) = self.home_of(row.uuid)? {
            let is_home = home.is(to.name(), to.id());
            return Ok(self.store.passed_on(row.uuid, Some(&row.refuge).filter(|_| !is_home))?);
        }
        let written = Written::by(self.local.name(), now);
        // Who has begun it the journal knows.
        let configured = Detached::new(manifest.clone(), written, String::new());
        Ok(self.store.gone_for_good(Detached { moved_to: Some(row.refuge.clone()), ..configured })?)
    }
}

/// The row of a zone whose move has ended.
pub(super) fn conclude(
    a_move: &mut Move,
    of: &MoveContext<'_>,
    result: &Result<Moved, MoveError>,
    now: Millis,
) {
    a_move.ended = Some(now);
    match result {
        Ok(moved) => {
            a_move.error = of.came_home_down();
            a_move.state = match of.purpose {
                Purpose::Leave | Purpose::Migrate | Purpose::PassOn => MoveState::Evacuated,
                Purpose::Return(_) => MoveState::Returned,
                // It has yet to come home.
                Purpose::Aside(_) => MoveState::Ready,
            };
            a_move.bytes = moved.bytes;
            a_move.total = moved.bytes;
            a_move.downtime = moved.downtime;
        }
        Err(error @ MoveError::Unknown { step, .. }) => {
            a_move.state = MoveState::Unknown;
            a_move.step = Some(*step);
            a_move.error =
                Some(format!("{error}; 'sysadm evacuate --resume' settles it when both hosts answer"));
        }
        Err(error @ MoveError::Leftover { step, .. }) => {
            a_move.state = MoveState::Failed;
            a_move.step = Some(*step);
            a_move.error =
                Some(format!("{error}; the next run, or 'sysadm evacuate --resume', takes it away"));
        }
        Err(error @ MoveError::Undone { step, .. }) => {
            a_move.state = MoveState::Failed;
            a_move.step = Some(*step);
            a_move.error = Some(error.to_string());
        }
        Err(MoveError::Cancelled) => {
            a_move.state = MoveState::Failed;
            a_move.error = Some("cancelled; it stays where it was".to_owned());
        }
    }
}
