//! What other hosts have left here of their zones, seen from the host with which it is left.

use uuid::Uuid;

use super::Local;
use crate::host::HostError;
use crate::model::document::LIMIT;
use crate::model::{Location, Millis, Replica, Takeover, format_bytes};

/// So many manifests of one host are kept at most, of so many bytes in all: what a peer may leave must not fill the disk.
const MANY: u64 = 4096;
const MUCH: u64 = 256 << 20;

impl Local {
    /// Keeps what another host has left.
    pub(super) fn keep(&self, standby: &Replica) -> Result<(), HostError> {
        let origin = &standby.origin;
        let refused = |why| Err(HostError::permanent(&self.name, why));
        let size = standby.manifest.config.len();
        if size > LIMIT {
            return refused(format!("a manifest of {} is longer than any is", format_bytes(size as u64)));
        }
        let others = self.store.replica_usage(origin, &standby.manifest.zone.name);
        let (many, much) = others.map_err(|error| self.failed(error))?;
        if many >= MANY {
            return refused(format!("{MANY} manifests of {origin} are kept here already"));
        }
        if much.saturating_add(size as u64) > MUCH {
            return refused(format!("manifests of {origin} of {} are kept here already", format_bytes(much)));
        }
        self.store.hold_replica(standby, (self.clock)()).map_err(|error| self.failed(error))
    }

    /// Drops what `origin` has left of these zones, and tells which of its zones were attached here from what it has left,
    /// until it has heard of that. Also of one that is not here any more, of which nothing is known but what was left: that
    /// may be its last configuration.
    pub(super) async fn claims(
        &self,
        origin: &str,
        withdrawn: &[Uuid],
        heard: &[(Uuid, Millis)],
    ) -> Result<Vec<Takeover>, HostError> {
        let kept = self.store.held_replicas().map_err(|error| self.failed(error))?;
        let mut claims = Vec::new();
        for row in kept.into_iter().filter(|row| row.origin == origin) {
            let done = match row.taken {
                None => withdrawn.contains(&row.uuid),
                Some((at, _)) if heard.contains(&(row.uuid, at)) => true,
                Some((at, by)) => {
                    // One that is being attached may yet fail to be.
                    if self.find(row.uuid).await? != Location::Arriving {
                        claims.push(Takeover { zone: row.zone.clone(), uuid: row.uuid, at, by });
                    }
                    false
                }
            };
            if done {
                self.store.drop_replica(origin, &row.zone).map_err(|error| self.failed(error))?;
            }
        }
        Ok(claims)
    }
}
