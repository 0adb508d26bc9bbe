//! The outcome of an evacuation, a return or a migration, and whether everything that was asked is done.

use crate::cancel::CancelReason;
use crate::model::{UnmanagedGuest, ZoneName};
use crate::store::{Direction, Move, MoveState};

/// A guest that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    pub zone: ZoneName,
    /// Where it is, and the command that boots it.
    pub reason: String,
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
