//! The zones that an operator names: as they are listed, by their platform's names, or by UUID.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::context::Context;
use super::{CliError, Exit};
use crate::evacuation::EvacuationError;
use crate::model::{Inventory, ZoneName};
use crate::store::{Place, Store, ZoneRecord};

impl Context {
    /// The zones that were typed ([`ZoneName::typed`]). A UUID may be that of a zone that is here, belongs here
    /// or was left here; but a zone that has the UUID as its name takes precedence.
    ///
    /// # Errors
    /// If the store cannot be read, or a UUID is that of a guest that cannot be handled.
    pub async fn zones(&self, store: &Store, typed: &[ZoneName]) -> Result<Vec<ZoneName>, CliError> {
        if typed.iter().all(|name| uuid_in(name).is_none()) {
            return Ok(typed.to_vec());
        }
        // If the platform does not answer, the command that needs it reports that.
        let inventory = self.platform()?.inventory().await.unwrap_or_default();
        let known = known(&inventory, store)?;
        typed.iter().map(|name| meant(name, &inventory, &known)).collect()
    }

    /// The zone that was typed: see [`zones`](Self::zones).
    pub async fn zone(&self, store: &Store, typed: &ZoneName) -> Result<ZoneName, CliError> {
        let found = self.zones(store, std::slice::from_ref(typed)).await?;
        Ok(found.into_iter().next().unwrap_or_else(|| typed.clone()))
    }
}

impl Context {
    /// # Errors
    /// If one of these is not a zone of this host, nor recorded here.
    pub fn must_be_known(&self, inventory: &Inventory, zones: &[ZoneName]) -> Result<(), CliError> {
        let recorded = self.recorded()?;
        let is_known = |zone: &ZoneName| inventory.find(zone).is_some() || recorded.contains(zone);
        let unknown: Vec<_> = zones.iter().filter(|zone| !is_known(zone)).collect();
        EvacuationError::not_zones(inventory, &unknown).map_err(|error| CliError::new(Exit::Error, error))
    }

    /// The zones that are known here without the platform: those that are away, and those that are configured.
    pub fn recorded(&self) -> Result<BTreeSet<ZoneName>, CliError> {
        let records = self.store()?.zones()?.into_iter();
        let records = records.filter(|record| record.place.is_elsewhere() || record.is_configured());
        Ok(records.map(|record| record.zone).collect())
    }
}

fn uuid_in(name: &ZoneName) -> Option<Uuid> {
    Uuid::parse_str(name.as_str()).ok()
}

/// All zones that are known here, those that are on this host first.
fn known(inventory: &Inventory, store: &Store) -> Result<Vec<(ZoneName, Uuid)>, CliError> {
    let mut known: Vec<_> = inventory.zones.iter().map(|zone| (zone.name.clone(), zone.uuid)).collect();
    // A guest that has moved on is not a zone of this host.
    let is_gone = |record: &ZoneRecord| record.place == Place::Migrated && !record.is_configured();
    let recorded =
        store.zones()?.into_iter().filter(|record| record.place != Place::Here && !is_gone(record));
    known.extend(recorded.map(|record| (record.zone, record.uuid)));
    known.extend(store.held_replicas()?.into_iter().map(|row| (row.zone, row.uuid)));
    Ok(known)
}

fn meant(typed: &ZoneName, inventory: &Inventory, known: &[(ZoneName, Uuid)]) -> Result<ZoneName, CliError> {
    let Some(uuid) = uuid_in(typed).filter(|_| known.iter().all(|(name, _)| name != typed)) else {
        return Ok(typed.clone());
    };
    inventory
        .identified(uuid)
        .map_err(|unmanaged_guest| CliError::new(Exit::Error, unmanaged_guest.to_string()))?;
    let found = known.iter().find(|(_, other)| *other == uuid);
    Ok(found.map_or_else(|| typed.clone(), |(name, _)| name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnmanagedGuest;
    use crate::store::tests::sample;

    #[test]
    fn a_zone_may_be_named_by_its_uuid_and_one_that_is_called_so_comes_first() {
        let uuid = |number: u128| Uuid::from_u128(number);
        let unmanaged_guest = UnmanagedGuest {
            name: "a\nb".into(),
            uuid: Some(uuid(3)),
            reason: "odd".into(),
            hint: None,
            running: true,
        };
        let inventory = Inventory { zones: vec![sample::zone("web")], unmanaged: vec![unmanaged_guest] };
        let known = [
            (sample::name("Windows%2010"), uuid(1)),
            (sample::name("web"), uuid(2)),
            (sample::name(&uuid(1).to_string()), uuid(4)),
        ];
        let meant = |typed: &str| {
            let found = meant(&sample::name(typed), &inventory, &known);
            found.map(String::from).map_err(|error| error.message().to_string())
        };
        assert_eq!(meant("web").as_deref(), Ok("web"));
        assert_eq!(meant(&uuid(2).to_string()).as_deref(), Ok("web"));
        assert_eq!(meant(&uuid(2).simple().to_string()).as_deref(), Ok("web"));
        assert_eq!(meant(&uuid(1).to_string()).as_deref(), Ok(uuid(1).to_string().as_str()));
        assert_eq!(meant(&uuid(9).to_string()).as_deref(), Ok(uuid(9).to_string().as_str()));
        let told = "\"a\\nb\" runs and cannot be handled: odd".to_owned();
        assert_eq!(meant(&uuid(3).to_string()), Err(told));
    }
}
