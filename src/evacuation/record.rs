//! What is written down of one zone's move: its row in the away list, and in the run.

use super::{Board, Engine, Event};
use crate::host::Host;
use crate::migration::{MoveError, Moved, Task};
use crate::model::{HostUri, Millis, ZoneName};
use crate::store::{Away, AwayPhase, Direction, Move, MoveState};

/// What one zone's move is about.
pub(super) struct Subject<'a> {
    pub engine: &'a Engine,
    pub board: &'a Board,
    pub direction: Direction,
    pub task: &'a Task,
    /// The other host.
    pub peer: &'a HostUri,
    /// Its record, if it is away.
    pub away: Option<&'a Away>,
}

impl Subject<'_> {
    pub fn zone(&self) -> &ZoneName {
        &self.task.arrival.manifest.zone.name
    }

    pub fn away_row(&self, phase: AwayPhase, started: Millis) -> Away {
        if let Some(away) = self.away {
            return Away { phase, ..away.clone() };
        }
        let zone = &self.task.arrival.manifest.zone;
        Away {
            zone: zone.name.clone(),
            uuid: zone.uuid,
            brand: zone.brand,
            origin: self.engine.local.name().to_owned(),
            refuge: self.peer.clone(),
            was_running: zone.is_running(),
            kind: self.task.arrival.kind,
            phase,
            started,
            ended: None,
            bytes: 0,
            downtime: None,
            expected: None,
        }
    }

    /// Puts the away list right after a move. One whose end is not known stays as it is, for the next run.
    pub fn record(&self, result: &Result<Moved, MoveError>, now: Millis) {
        let store = &self.engine.store;
        let started = self.away.map_or(now, |away| away.started);
        let written = match (self.direction, result) {
            (Direction::Evacuate, Ok(moved)) => {
                let began = self.board.moves().into_iter().find(|a_move| a_move.zone == *self.zone());
                let expected = began.as_ref().and_then(|a_move| a_move.expected);
                let row = Away {
                    ended: Some(now),
                    bytes: moved.bytes,
                    downtime: moved.downtime,
                    expected,
                    ..self.away_row(AwayPhase::Away, began.and_then(|a_move| a_move.started).unwrap_or(now))
                };
                store.update_away(&row)
            }
            (Direction::Return, Ok(_))
            | (Direction::Evacuate, Err(MoveError::Undone { .. } | MoveError::Cancelled)) => {
                store.remove_away(self.zone()).map(drop)
            }
            (Direction::Return, Err(MoveError::Undone { .. } | MoveError::Cancelled)) => {
                store.update_away(&self.away_row(AwayPhase::Away, started))
            }
            (_, Err(MoveError::Unknown { .. } | MoveError::Leftover { .. })) => Ok(()),
        };
        if let Err(error) = written {
            let text = format!("{}: its record could not be written: {error}", self.zone());
            self.engine.watcher.event(&Event::Warning(&text));
        }
    }
}

/// The row of a zone whose move has ended.
pub(super) fn conclude(
    a_move: &mut Move,
    direction: Direction,
    result: &Result<Moved, MoveError>,
    now: Millis,
) {
    a_move.ended = Some(now);
    match result {
        Ok(moved) => {
            a_move.state = match direction {
                Direction::Evacuate => MoveState::Evacuated,
                Direction::Return => MoveState::Returned,
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
