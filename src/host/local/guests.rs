//! Whose a zone is: which host this is, zones of other hosts that come and go, and own ones that others bring home.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::{Arrival, HostId, ZoneName};
use crate::paths::Paths;
use crate::store::{AwayPhase, Guest, Store};

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
    /// Puts down whose zone it is for which room was booked. One that belongs here is nobody's guest, whatever is said of it.
    pub(super) fn welcome(&self, arrival: &Arrival) -> Result<(), HostError> {
        let zone = &arrival.manifest.zone;
        let away = self.store.away().map_err(|error| self.failed(error))?;
        let is_own = away.iter().any(|row| row.uuid == zone.uuid);
        let home = arrival.home.clone().filter(|home| !is_own && !home.is(&self.name, self.id));
        let written = match home {
            Some(home) => {
                let guest = Guest { zone: zone.name.clone(), uuid: zone.uuid, home, gone_to: None };
                self.store.welcome(&guest)
            }
            None => self.store.remove_guest(zone.uuid).map(drop),
        };
        written.map_err(|error| self.failed(error))
    }

    /// The arrival of a zone has ended: one that did not come is no guest, and one that belongs here and was brought home
    /// by others is not away any more. What this host itself is about to fetch is its own affair.
    pub(super) async fn settle_in(&self, uuid: Uuid) -> Result<(), HostError> {
        let failed = |error| self.failed(error);
        // A configuration that lay here all the time has not come.
        let came = self.arrived.take(uuid);
        let away = self.store.away().map_err(failed)?;
        let away = away.into_iter().find(|row| came && row.uuid == uuid && row.phase == AwayPhase::Away);
        let guest = self.store.guest(uuid).map_err(failed)?.filter(|guest| guest.gone_to.is_none());
        if away.is_none() && guest.is_none() {
            return Ok(());
        }
        let is_here = self.inventory().await?.zones.iter().any(|zone| zone.uuid == uuid);
        match (is_here, away) {
            (true, Some(row)) => self.store.remove_away(&row.zone).map(drop).map_err(failed),
            (false, _) if guest.is_some() => self.store.remove_guest(uuid).map(drop).map_err(failed),
            _ => Ok(()),
        }
    }

    /// A zone has left. Of a guest that was fetched by its home nothing is kept; one that this host itself sends on is put
    /// down by its run.
    pub(super) fn see_off(&self, zone: &ZoneName) -> Result<(), HostError> {
        let failed = |error| self.failed(error);
        let guests = self.store.guests().map_err(failed)?;
        let away = self.store.away().map_err(failed)?;
        let left = guests.into_iter().filter(|guest| guest.zone == *zone && guest.gone_to.is_none());
        for guest in left.filter(|guest| away.iter().all(|row| row.uuid != guest.uuid)) {
            self.store.remove_guest(guest.uuid).map_err(failed)?;
        }
        Ok(())
    }
}
