//! Saves the configuration that an incoming zone replaces, until the move is final.
//!
//! It is saved as a record that the zone is `configured` here, which is ignored while the platform has the zone.
//! The record is written before room is reserved, so before anything of the zone can arrive; if the zone does not
//! stay, it is `configured` here, with the configuration that it would have replaced.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::Inventory;
use crate::model::document::Written;
use crate::store::{Place, ZoneRecord};

/// The user in records that no user has made.
const NOBODY: &str = "sysadm";

impl Local {
    /// Saves the platform's configuration of a zone that does not run. Returns whether it has one.
    pub(super) async fn save_previous_config(&self, uuid: Uuid, here: &Inventory) -> Result<bool, HostError> {
        let Some(present) = here.zones.iter().find(|zone| zone.uuid == uuid) else { return Ok(false) };
        let manifest = self.platform.manifest(&present.name).await.map_err(|error| self.failed(error))?;
        let (manifest, written) = (manifest.configured(), Written::by(&self.name, (self.clock)()));
        let record = ZoneRecord::configured(&manifest, written, NOBODY.to_owned());
        self.store.keep_previous(&record, &manifest).map(|()| true).map_err(|error| self.failed(error))
    }

    /// The zone is attached, here or on another host: the saved configuration is no longer valid.
    pub(super) fn drop_previous_config(&self, uuid: Uuid) -> Result<(), HostError> {
        self.store.forget_configured(uuid).map_err(|error| self.failed(error))
    }

    /// Likewise at the end of an arrival, if the zone is here.
    pub(super) async fn drop_previous_config_if_it_is_here(&self, uuid: Uuid) -> Result<(), HostError> {
        let record = self.store.zone(uuid).map_err(|error| self.failed(error))?;
        let is_kept = |record: &ZoneRecord| matches!(record.place, Place::Configured | Place::Migrated);
        if record.as_ref().is_some_and(is_kept)
            && self.inventory().await?.zones.iter().any(|zone| zone.uuid == uuid)
        {
            self.drop_previous_config(uuid)?;
        }
        Ok(())
    }
}
