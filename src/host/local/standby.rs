//! What other hosts have left here of their zones, seen from the host with which it is left.

use uuid::Uuid;

use super::Local;
use crate::host::{Host, HostError};
use crate::model::{Claim, Standby};

/// So many manifests of one host are kept at most: what a peer may leave must not fill the disk.
const MANY: usize = 4096;

impl Local {
    /// Keeps what another host has left.
    pub(super) fn keep(&self, standby: &Standby) -> Result<(), HostError> {
        let failed = |reason| HostError::Failed { host: self.name.clone(), reason };
        let kept = self.store.standbys().map_err(|error| self.failed(error))?;
        let zone = &standby.manifest.zone.name;
        let others = kept.iter().filter(|row| row.origin == standby.origin && row.zone != *zone).count();
        if others >= MANY {
            return Err(failed(format!("{MANY} manifests of {} are kept here already", standby.origin)));
        }
        self.store.keep_standby(standby, (self.clock)()).map_err(|error| self.failed(error))
    }

    /// Drops what `origin` has left of zones that it has no more, and tells which ones were attached here.
    pub(super) async fn claims(&self, origin: &str, zones: &[Uuid]) -> Result<Vec<Claim>, HostError> {
        // In this order: a zone that is being attached is among the one or the other.
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        let here = self.inventory().await?.zones;
        let kept = self.store.standbys().map_err(|error| self.failed(error))?;
        let mut claims = Vec::new();
        for row in kept.into_iter().filter(|row| row.origin == origin) {
            let done = match &row.taken {
                None => !zones.contains(&row.uuid),
                Some((at, by)) if here.iter().any(|zone| zone.uuid == row.uuid) => {
                    let (zone, by) = (row.zone.clone(), by.clone());
                    claims.push(Claim { zone, uuid: row.uuid, at: *at, by });
                    false
                }
                // It has gone home or on; or it is about to come to be here, and has its room already.
                Some(_) => booked.iter().all(|one| one.uuid != row.uuid),
            };
            if done {
                self.store.drop_standby(origin, &row.zone).map_err(|error| self.failed(error))?;
            }
        }
        Ok(claims)
    }
}
