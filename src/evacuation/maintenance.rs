//! What a run needs of this host's maintenance: an evacuation that it is held, a return that it has ended.

use super::{Engine, EvacuationError};
use crate::maintenance;
use crate::model::chain;
use crate::store::Direction;

impl Engine {
    /// An evacuation needs this host's maintenance, a return needs it gone.
    pub(super) fn check_lock_state(&self, direction: Direction) -> Result<(), EvacuationError> {
        let held = maintenance::describe(&self.store.holders()?);
        match (direction, held) {
            (Direction::Evacuate, None) => Err(EvacuationError::NotInMaintenance),
            (Direction::Return, Some(holders)) => Err(EvacuationError::InMaintenance(holders)),
            (Direction::Evacuate, Some(_)) | (Direction::Return, None) => Ok(()),
            // It takes nothing but a zone away, and its destination's own lock counts.
            (Direction::Migrate, _) => Ok(()),
        }
    }

    /// Whoever has lifted the lock under an evacuation wants no more zones to leave.
    pub(super) fn must_still_be_held(&self) -> Result<(), String> {
        match self.store.holders() {
            Ok(holders) if holders.is_empty() => {
                Err("this host is not in maintenance any more; it stays here".to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(chain(&error)),
        }
    }
}
