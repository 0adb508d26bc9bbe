//! The configuration that is here of a zone which comes, and comes over that: kept until the zone is here for good.
//!
//! The record of the zone says that it is `configured` here, which does not count while the platform has it. It is there
//! before room is reserved, so before anything of the zone can come; if the zone does not stay, what it came over
//! is `configured` here.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::Inventory;
use crate::model::document::Written;
use crate::store::{Place, ZoneRecord};

/// Who has detached a zone that nobody has.
const NOBODY: &str = "sysadm";

impl Local {
    /// Keeps the configuration that the platform has of a zone that does not run. Gives whether it has one.
    pub(super) async fn save_previous_config(&self, uuid: Uuid, here: &Inventory) -> Result<bool, HostError> {
        let Some(present) = here.zones.iter().find(|zone| zone.uuid == uuid) else { return Ok(false) };
        let manifest = self.platform.manifest(&present.name).await.map_err(|error| self.failed(error))?;
        let (manifest, written) = (manifest.configured(), Written::by(&self.name, (self.clock)()));
        let record = ZoneRecord::configured(&manifest, written, NOBODY.to_owned());
        self.store.keep_previous(&record, &manifest).map(|()| true).map_err(|error| self.failed(error))
    }

    /// The zone is attached, here or elsewhere: what was kept of it does not hold any more.
    pub(super) fn drop_previous_config(&self, uuid: Uuid) -> Result<(), HostError> {
        self.store.forget_configured(uuid).map_err(|error| self.failed(error))
    }

    /// The same at the end of its arrival, if it is here.
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
