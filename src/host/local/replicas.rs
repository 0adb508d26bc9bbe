//! Replicas that other hosts have left here, as the host that keeps them sees them.

use uuid::Uuid;

use super::Local;
use crate::host::HostError;
use crate::model::document::LIMIT;
use crate::model::{Location, Millis, Replica, Takeover, format_bytes};

/// Maximum number of replicas of one host, and of their bytes: a peer must not be able to fill the disk.
const MANY: u64 = 4096;
const MUCH: u64 = 256 << 20;

impl Local {
    /// Keeps a replica that another host has left.
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

    /// Drops the replicas of these zones of `origin`, and returns which of its zones were taken over here, until
    /// `origin` has acknowledged that. This includes a zone that is no longer here and of which only the replica
    /// is known: that may be its last configuration.
    pub(super) async fn takeovers(
        &self,
        origin: &str,
        withdrawn: &[Uuid],
        recorded: &[(Uuid, Millis)],
    ) -> Result<Vec<Takeover>, HostError> {
        let kept = self.store.held_replicas().map_err(|error| self.failed(error))?;
        let mut takeovers = Vec::new();
        for row in kept.into_iter().filter(|row| row.origin == origin) {
            let done = match row.taken {
                None => withdrawn.contains(&row.uuid),
                Some((at, _)) if recorded.contains(&(row.uuid, at)) => true,
                Some((at, by)) => {
                    // A zone that is being attached may yet fail to be.
                    if self.find(row.uuid).await? != Location::Arriving {
                        takeovers.push(Takeover { zone: row.zone.clone(), uuid: row.uuid, at, by });
                    }
                    false
                }
            };
            if done {
                self.store.drop_replica(origin, &row.zone).map_err(|error| self.failed(error))?;
            }
        }
        Ok(takeovers)
    }
}
