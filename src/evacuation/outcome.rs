//! What came of an evacuation, a return or a migration, and whether that is all that was asked.
//!
//! Guests that ran when their move began, and run nowhere now: that is said until they run, return, or are given up.
//!
//! An interrupted move can end so although its zone is whole: the image that was held at its destination is lost with the
//! hypervisor there, its source having ended. Nobody boots such a guest unasked: what it was doing is lost, and its owner
//! has to know. One that has crashed at its location, or of whose end nothing is known, is down when it is home again. One that
//! was shut down there or ended by somebody was stopped by whoever may do that, and comes home as it is.

use super::engine::Engine;
use super::request::EvacuationError;
use crate::cancel::CancelReason;
use crate::host::Host;
use crate::migration::recovery::Observed;
use crate::migration::settle::observe;
use crate::model::{Message, Method, UnmanagedGuest, ZoneName};
use crate::store::{Direction, Move, MoveState, Place, ZoneRecord};

/// A guest that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    pub zone: ZoneName,
    /// Where it is, and the command that boots it.
    pub reason: Message,
}

impl Down {
    /// The message about it.
    pub fn message(&self) -> Message {
        self.reason.clone().about(format!("{}: down", self.zone))
    }
}

/// The outcome of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub direction: Direction,
    /// Every zone of the run.
    pub moves: Vec<Move>,
    /// Guests that should leave but cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// Zones that still run here after an evacuation of all. None if this host could not be asked.
    pub left_running: Option<Vec<ZoneName>>,
    /// Zones that still run here because the policy leaves them.
    pub left_alone: Vec<ZoneName>,
    /// Zones that ran when their moves began, and do not run now.
    pub down: Vec<Down>,
    /// Something is left undone because the run was cancelled, and why.
    pub stopped: Option<CancelReason>,
    /// The outcome is recorded; otherwise it may be lost.
    pub recorded: bool,
}

impl Outcome {
    /// The number of zones in that state.
    pub fn count(&self, state: MoveState) -> usize {
        self.moves.iter().filter(|a_move| a_move.state == state).count()
    }

    /// The number of zones that have moved, or run here again.
    pub fn moved(&self) -> usize {
        self.count(MoveState::Evacuated) + self.count(MoveState::Returned)
    }

    /// The number of zones that were stopped or suspended.
    pub fn resting(&self) -> usize {
        self.count(MoveState::Stopped) + self.count(MoveState::Suspended)
    }

    /// Whether everything that was asked is done: all zones have moved or were stopped, and after an evacuation
    /// none runs here except for those that the policy leaves, and no guest is left that cannot be handled.
    pub fn is_complete(&self) -> bool {
        self.recorded
            && self.moved() + self.resting() == self.moves.len()
            && self.left_running.as_ref().is_some_and(Vec::is_empty)
            && self.unmanaged.is_empty()
            && self.down.is_empty()
    }
}

impl Engine {
    /// The report about a zone whose move has just been settled: none unless it ran, and does not run where it is
    /// now.
    pub(super) async fn down_after(
        &self,
        row: &ZoneRecord,
        place: &dyn Host,
    ) -> Result<Option<Down>, EvacuationError> {
        if !self.ran(row)? || observe(place, row.uuid).await != Observed::Installed {
            return Ok(None);
        }
        let reason =
            format!("was running before its move, is not running on {}; its memory is lost", place.name());
        Ok(Some(self.down(row, reason)))
    }

    /// A zone that is down for that reason, with the command that boots it.
    fn down(&self, row: &ZoneRecord, reason: String) -> Down {
        let command = self.local.boot_command(&row.zone, row.uuid, row.brand);
        let reason = Message::from(reason).with_hint(format!("boot it where it is: {command}"));
        Down { zone: row.zone.clone(), reason }
    }

    /// Whether it ran when the move began that was interrupted: one that comes home may have been down at its location.
    fn ran(&self, row: &ZoneRecord) -> Result<bool, EvacuationError> {
        let moves = self.store.latest_run(None)?.map(|(_, moves)| moves).unwrap_or_default();
        let method = moves.iter().find(|one| one.zone == row.zone).and_then(|one| one.method);
        let was_down = row.place == Place::Returning && method == Some(Method::Cold);
        Ok(row.was_running && (!was_down || row.down.is_some()))
    }

    /// Records in the latest run that a zone which has stayed does not run.
    pub(super) fn note_down(&self, down: &Down) -> Result<(), EvacuationError> {
        let Some((run, moves)) = self.store.latest_run(None)? else { return Ok(()) };
        if let Some(mut a_move) = moves.into_iter().find(|one| one.zone == down.zone) {
            (a_move.state, a_move.error) = (MoveState::Failed, Some(down.reason.clone()));
            self.store.save_moves(run.id, &[a_move])?;
        }
        Ok(())
    }

    /// The guests that were found down before this run, and those that it has brought home in that state. One
    /// that has moved is down where it is now.
    pub(super) fn still_down(&self, found: Vec<Down>, moves: &[Move]) -> Vec<Down> {
        // Zones that are away may have been booted or have come home meanwhile, by this run or by another host.
        // If the store cannot be read nothing has changed; the end of the run reports the error.
        let away = self.store.away();
        let is_down = |one: &Down| match &away {
            Ok(away) => {
                let row = away.iter().find(|row| row.zone == one.zone);
                row.is_none_or(|row| row.down.as_ref() == Some(&one.reason.text))
            }
            Err(_) => true,
        };
        let mut down = Vec::new();
        for one in found {
            match moves.iter().find(|a_move| a_move.zone == one.zone) {
                None if is_down(&one) => down.push(one),
                Some(a_move)
                    if a_move.state == MoveState::Evacuated && a_move.method == Some(Method::Cold) =>
                {
                    let reason =
                        "was running before an earlier move, was not running since, and was moved so";
                    down.push(Down { reason: reason.into(), ..one });
                }
                _ => {}
            }
        }
        let home = moves.iter().filter(|a_move| a_move.state == MoveState::Returned);
        down.extend(home.filter_map(|one| Some(Down { zone: one.zone.clone(), reason: one.error.clone()? })));
        down
    }

    /// Looks again at the zones that are away and were found down: one that runs now is no longer down.
    pub(super) async fn look_at_those_down(&self) -> Result<(), EvacuationError> {
        let rows: Vec<_> = self.store.away()?.into_iter().filter(|row| row.down.is_some()).collect();
        let connected = self.peers.connect(rows.iter().filter_map(|row| row.location.clone())).await;
        for row in rows {
            let location = row.location.as_ref().and_then(|uri| connected.get(uri));
            let Some(Ok(location)) = location else { continue };
            if !matches!(observe(location.as_ref(), row.uuid).await, Observed::Installed | Observed::Silent) {
                self.store.update_zone(&ZoneRecord { down: None, ..row })?;
            }
        }
        Ok(())
    }

    /// The zones that are away and were down when they were last seen.
    pub(super) fn away_and_down(&self) -> Result<Vec<Down>, EvacuationError> {
        let rows = self.store.away()?.into_iter();
        Ok(rows.filter_map(|row| Some(self.down(&row, row.down.clone()?))).collect())
    }
}
