//! Whose a zone is: which host this is, zones of other hosts that come and go, and own ones that others bring home.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::{CheckRequest, HostId, ZoneName};
use crate::paths::Paths;
use crate::store::{Place, Store};

/// The identity of the host that keeps its records there. What cannot be read says nothing: a simulated host has no
/// machine of its own.
pub(super) fn identity(store: &Store, paths: &Paths) -> HostId {
    let machine = std::fs::read_to_string(paths.machine_id()).unwrap_or_default();
    let root = std::fs::canonicalize(paths.root()).unwrap_or_else(|_| paths.root().to_owned());
    HostId::new(store.identity(), &machine, &root)
}

/// Zones that have come here since this process began, and of which the arrival has not ended.
#[derive(Default)]
pub(super) struct Arrived(Mutex<HashSet<Uuid>>);

impl Arrived {
    fn lock(&self) -> MutexGuard<'_, HashSet<Uuid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The zone is here.
    pub(super) fn note(&self, uuid: Uuid) {
        self.lock().insert(uuid);
    }

    /// Whether the zone has come.
    fn take(&self, uuid: Uuid) -> bool {
        self.lock().remove(&uuid)
    }
}

impl Local {
    /// Puts down whose zone it is for which room was reserved. One that belongs here is nobody's guest, whatever is said of it.
    pub(super) fn welcome(&self, arrival: &CheckRequest) -> Result<(), HostError> {
        let zone = &arrival.manifest.zone;
        let failed = |error| self.failed(error);
        let is_own =
            self.store.zone(zone.uuid).map_err(failed)?.is_some_and(|record| record.place.is_elsewhere());
        match arrival.home.as_ref().filter(|home| !is_own && !home.is(&self.name, self.id)) {
            Some(home) => self.store.set_home(zone, home).map_err(failed),
            None => self.store.remove_home(zone.uuid).map(drop).map_err(failed),
        }
    }

    /// The arrival of a zone has ended: one that did not come is no guest, and one that belongs here and was brought home
    /// by others is not away any more. What this host itself is about to fetch is its own affair.
    pub(super) async fn settle_in(&self, uuid: Uuid) -> Result<(), HostError> {
        let failed = |error| self.failed(error);
        // A configuration that lay here all the time has not come.
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

    /// A zone has left. Of a guest that was fetched by its home nothing is kept; one that this host itself sends on is put
    /// down by its run.
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
