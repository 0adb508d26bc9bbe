//! Discarding the record of a zone that is away: it will not return, but its configuration is not lost.

use super::{AdminError, AdminRefusal, ZoneAdmin};
use crate::host::Host;
use crate::model::document::Written;
use crate::model::{HostUri, Manifest, Zone, ZoneName, ZoneState};
use crate::run_lock::RunLock;
use crate::store::Detached;

/// What became of the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// It was stopped here, and stays so.
    Rest,
    /// It is here, complete; it was recorded as away there.
    Here(HostUri),
    /// It was last there, and is configured here now.
    Configured(HostUri),
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
        if let Some(rest) = store.rests()?.into_iter().find(|rest| rest.zone == *zone) {
            store.zone_is_here(rest.uuid)?;
            return Ok(Some(GivenUp::Rest));
        }
        let Some(row) = store.away()?.into_iter().find(|row| row.zone == *zone) else {
            return Ok(self.adopt(zone).await?.map(GivenUp::Home));
        };
        if self.is_known_to_be_here(row.uuid).await {
            store.zone_is_here(row.uuid)?;
            return Ok(Some(GivenUp::Here(row.location)));
        }
        if let Some(other) = store.detached()?.into_iter().find(|other| other.zone == *zone)
            && other.uuid != row.uuid
            && other.moved_to.is_none()
        {
            return Err(AdminRefusal::NameTaken(zone.clone(), other.uuid).into());
        }
        let manifest = store.manifest_of(row.uuid)?.ok_or_else(|| AdminRefusal::NoSuchZone(zone.clone()))?;
        let at_rest = Zone { state: ZoneState::Configured, aux: None, id: None, ..manifest.zone };
        let written = Written::by(self.local.name(), row.started);
        let kept = Detached::new(Manifest { zone: at_rest, ..manifest }, written, self.user.clone());
        store.give_up(&Detached { last_at: Some(row.location.clone()), since: self.now, ..kept })?;
        Ok(Some(GivenUp::Configured(row.location)))
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
