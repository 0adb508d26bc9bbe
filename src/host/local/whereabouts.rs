//! Where a zone is, as far as this host knows.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::Whereabouts;

impl Local {
    /// Where that zone is, as far as is known here. What its platform has is here, and what is booked comes, whatever is
    /// recorded.
    pub(super) async fn find(&self, uuid: Uuid) -> Result<Whereabouts, HostError> {
        // In this order: a zone that comes is among the one or the other.
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        let is_present = self.inventory().await?.has(uuid);
        let record = self.store.zone(uuid).map_err(|error| self.failed(error))?;
        if !is_present && booked.iter().any(|one| one.uuid == uuid) {
            return Ok(Whereabouts::Coming);
        }
        Ok(match (record, is_present) {
            (Some(record), _) => record.whereabouts(is_present),
            (None, true) => Whereabouts::Here,
            (None, false) => Whereabouts::Unknown,
        })
    }
}
