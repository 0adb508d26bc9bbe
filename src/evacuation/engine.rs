//! Everything that a run needs.

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

/// Everything that an evacuation or return needs.
pub struct Engine {
    /// The host whose zones are moved: this one.
    pub local: Arc<dyn LocalAdmin>,
    /// Its store.
    pub store: Arc<Store>,
    /// The other hosts.
    pub peers: Peers,
    /// Receives the events of the run.
    pub events: Arc<dyn EventSink>,
    /// Cancels the run.
    pub cancel: Cancel,
    /// When a single move is given up.
    pub policy: MoveLimits,
    /// Network names that differ at other hosts.
    pub maps: Maps,
}

impl Engine {
    pub(super) fn now() -> Millis {
        Millis::now()
    }

    /// An evacuation requires this host's maintenance, a return requires that it has ended.
    pub(super) fn check_lock_state(&self, direction: Direction) -> Result<(), EvacuationError> {
        let held = maintenance::describe(&self.store.holders()?);
        match (direction, held) {
            (Direction::Evacuate, None) => Err(EvacuationError::NotInMaintenance),
            (Direction::Return, Some(holders)) => Err(EvacuationError::InMaintenance(holders)),
            (Direction::Evacuate, Some(_)) | (Direction::Return, None) => Ok(()),
            // It only takes a zone away, and its destination checks its own maintenance.
            (Direction::Migrate, _) => Ok(()),
        }
    }

    /// If maintenance ends during an evacuation, no more zones leave.
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
