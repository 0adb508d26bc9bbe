//! What came of an evacuation, a return or a migration, and whether that is all that was asked.

use crate::cancel::CancelReason;
use crate::model::{UnmanagedGuest, ZoneName};
use crate::store::{Direction, Move, MoveState};

/// A guest that is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// The zone.
    pub zone: ZoneName,
    /// Where it is, and what boots it.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which way.
    pub direction: Direction,
    /// Every zone that was looked at.
    pub moves: Vec<Move>,
    /// Guests that would have to leave, and cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// Zones that still run here, after an evacuation of all.
    /// None if this host did not tell.
    pub left_running: Option<Vec<ZoneName>>,
    /// Zones that still run here because they were to be left alone.
    pub left_alone: Vec<ZoneName>,
    /// Zones that ran when their moves began, and do not run where they are: of those that were asked for.
    pub down: Vec<Down>,
    /// Something is left undone because it was given up, and why it was.
    pub stopped: Option<CancelReason>,
    /// It is written down: what is not may be lost.
    pub recorded: bool,
}

impl Outcome {
    /// How many zones ended in that state.
    pub fn count(&self, state: MoveState) -> usize {
        self.moves.iter().filter(|a_move| a_move.state == state).count()
    }

    /// How many zones have moved, or run here again.
    pub fn moved(&self) -> usize {
        self.count(MoveState::Evacuated) + self.count(MoveState::Returned)
    }

    /// How many zones were put to rest.
    pub fn resting(&self) -> usize {
        self.count(MoveState::Stopped) + self.count(MoveState::Suspended)
    }

    /// Whether everything that was asked is done: all zones moved or rest, and none runs here after an evacuation but
    /// those that are to be left alone, nor is one left that cannot be handled.
    pub fn is_complete(&self) -> bool {
        self.recorded
            && self.moved() + self.resting() == self.moves.len()
            && self.left_running.as_ref().is_some_and(Vec::is_empty)
            && self.unmanaged.is_empty()
            && self.down.is_empty()
    }
}
