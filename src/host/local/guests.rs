//! Which host a zone belongs to: zones of other hosts that come and go, and own zones that others bring home.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::{CheckRequest, HostId, ZoneName};
use crate::paths::Paths;
use crate::store::{Place, Store};

/// The identity of the host with that database and those paths. A machine id that cannot be read is left out: a
/// simulated host has no machine of its own.
pub(super) fn identity(store: &Store, paths: &Paths) -> HostId {
    let machine = std::fs::read_to_string(paths.machine_id()).unwrap_or_default();
    let root = std::fs::canonicalize(paths.root()).unwrap_or_else(|_| paths.root().to_owned());
    HostId::new(store.identity(), &machine, &root)
}

/// Zones that have arrived here since this process began, and whose arrival has not yet ended.
#[derive(Default)]
pub(super) struct Arrived(Mutex<HashSet<Uuid>>);

impl Arrived {
    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The zone has arrived.
    pub(super) fn note(&self, uuid: Uuid) {
        self.lock().insert(uuid);
    }

    /// Whether the zone has arrived; forgets it.
    fn take(&self, uuid: Uuid) -> bool {
        self.lock().remove(&uuid)
    }
}

impl Local {
    /// Records the home of a zone for which room was reserved. A zone that belongs here is not recorded, whatever
    /// its source says.
    pub(super) fn welcome(&self, request: &CheckRequest) -> Result<(), HostError> {
        let zone = &request.manifest.zone;
        let failed = |error| self.failed(error);
        let is_own =
            self.store.zone(zone.uuid).map_err(failed)?.is_some_and(|record| record.place.is_elsewhere());
        match request.home.as_ref().filter(|home| !is_own && !home.is(&self.name, self.id)) {
            Some(home) => self.store.set_home(zone, home).map_err(failed),
            None => self.store.remove_home(zone.uuid).map(drop).map_err(failed),
        }
    }

    /// Ends the arrival of a zone: one that did not come is not a guest, and one that belongs here and was
    /// brought home by another host is no longer away. A zone that this host itself fetches is recorded by its
    /// run.
    pub(super) async fn settle_in(&self, uuid: Uuid) -> Result<(), HostError> {
        let failed = |error| self.failed(error);
        // A configuration that was here all the time has not arrived.
        let came = self.arrived.take(uuid);
        let Some(record) = self.store.zone(uuid).map_err(failed)? else { return Ok(()) };
        let is_home = came && record.place == Place::Away;
        let has_gone_on = record.place == Place::Migrated && !record.is_configured();
        let is_guest = record.home.is_some() && !has_gone_on;
        if !is_home && !is_guest {
            return Ok(());
        }
        match self.inventory().await?.zones.iter().any(|zone| zone.uuid == uuid) {
            true if is_home => self.store.zone_is_here(uuid).map(drop).map_err(failed),
            false if is_guest => self.store.remove_home(uuid).map(drop).map_err(failed),
            _ => Ok(()),
        }
    }

    /// A zone has left. Nothing is kept of a guest that its home has fetched; one that this host itself sends on
    /// is recorded by its run.
    pub(super) fn see_off(&self, zone: &ZoneName) -> Result<(), HostError> {
        let failed = |error| self.failed(error);
        let records = self.store.zones().map_err(failed)?;
        let left = records.iter().filter(|record| record.zone == *zone && record.home.is_some());
        for guest in left.filter(|record| record.place != Place::Migrated && !record.place.is_elsewhere()) {
            self.store.remove_home(guest.uuid).map_err(failed)?;
        }
        Ok(())
    }
}
