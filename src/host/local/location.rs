//! Where a zone is, as far as this host knows.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::Location;

impl Local {
    /// Where that zone is. What the platform has is here, and what has a reservation is coming, whatever the
    /// records say.
    pub(super) async fn find(&self, uuid: Uuid) -> Result<Location, HostError> {
        // In this order: a zone that arrives meanwhile is among the one or the other.
        let reserved = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        let is_present = self.inventory().await?.has(uuid);
        let record = self.store.zone(uuid).map_err(|error| self.failed(error))?;
        if !is_present && reserved.iter().any(|one| one.uuid == uuid) {
            return Ok(Location::Arriving);
        }
        Ok(match (record, is_present) {
            (Some(record), _) => record.known_location(is_present),
            (None, true) => Location::Here,
            (None, false) => Location::Unknown,
        })
    }
}
