//! Discarding the record of a zone that is away: it will not return, but its configuration is not lost.

use super::{AdminError, ZoneAdmin};
use crate::host::Host;
use crate::model::ZoneName;
use crate::model::document::Written;
use crate::run_lock::RunLock;
use crate::store::ZoneRecord;

/// What became of the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// It was stopped here, and stays so.
    Stopped,
    /// It is here, complete; it was recorded as away there.
    Here(String),
    /// It was last there, and is configured here now.
    Configured(String),
    /// It is here and belonged to that host; now it belongs to this one.
    Home(String),
}

impl ZoneAdmin<'_> {
    /// Discards the record that a zone is away or stopped here, or that a zone here belongs to another host; none
    /// if there is no such record. There may be no other copy of the configuration of a zone that is away: it is
    /// configured here then, unless this host itself has the zone.
    ///
    /// # Errors
    /// Why not. It is away as before then.
    pub async fn give_up(&self, zone: &ZoneName) -> Result<Option<GivenUp>, AdminError> {
        let _lock = RunLock::take(self.local.paths(), format!("evacuate --forget {zone}"))?;
        let store = self.local.store();
        let is_meant = |record: &&ZoneRecord| {
            record.zone == *zone && (record.place.is_stop() || record.place.is_elsewhere())
        };
        let records = store.zones()?;
        let Some(record) = records.iter().find(is_meant) else {
            return Ok(self.adopt(zone).await?.map(GivenUp::Home));
        };
        let at = record.other_host();
        if record.place.is_stop() {
            store.zone_is_here(record.uuid)?;
            return Ok(Some(GivenUp::Stopped));
        }
        if self.is_known_to_be_here(record.uuid).await {
            store.zone_is_here(record.uuid)?;
            return Ok(Some(GivenUp::Here(at)));
        }
        let manifest = self.configuration(record)?.configured();
        let written = Written::by(self.local.name(), record.since);
        let kept = ZoneRecord::configured(&manifest, written, self.user.clone());
        store.configure(
            &ZoneRecord { location: record.location.clone(), since: self.now, ..kept },
            &manifest,
        )?;
        Ok(Some(GivenUp::Configured(at)))
    }

    /// Makes this host the home of a zone that is here; returns the host that it belonged to before.
    async fn adopt(&self, zone: &ZoneName) -> Result<Option<String>, AdminError> {
        let inventory = self.local.inventory().await?;
        let Some(uuid) = inventory.find(zone).map(|zone| zone.uuid) else { return Ok(None) };
        let record = self.local.store().zone(uuid)?;
        self.local.store().remove_home(uuid)?;
        Ok(record.and_then(|record| record.home).map(|home| home.name))
    }
}
