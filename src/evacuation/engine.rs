//! What a run works with.

use std::sync::Arc;

use super::error::EvacuationError;
use super::events::EventSink;
use crate::cancel::Cancel;
use crate::config::Maps;
use crate::host::LocalAdmin;
use crate::maintenance;
use crate::model::{Millis, MoveLimits, chain};
use crate::peers::Peers;
use crate::store::{Direction, Store};

/// Everything that an evacuation or return works with.
pub struct Engine {
    /// The host whose zones are moved: this one.
    pub local: Arc<dyn LocalAdmin>,
    /// Its store.
    pub store: Arc<Store>,
    /// How other hosts are reached.
    pub peers: Peers,
    /// Where progress is told.
    pub events: Arc<dyn EventSink>,
    /// How it is given up.
    pub cancel: Cancel,
    /// When a single move is.
    pub policy: MoveLimits,
    /// What other hosts call otherwise.
    pub maps: Maps,
}

impl Engine {
    pub(super) fn now() -> Millis {
        Millis::now()
    }

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
