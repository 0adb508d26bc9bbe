//! One move that is decided, and its result.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::data::{Route, StorageMove};
use crate::host::Host;
use crate::model::{CheckRequest, Manifest, Zone, ZoneName};

/// One move: what, how, from where, to where.
#[derive(Clone)]
pub struct Task {
    /// The zone, as its source sees it.
    pub zone: Zone,
    /// The configuration kept by the host to which the zone belongs, with the names of its networks where it is
    /// or goes.
    pub record: Manifest,
    /// The request to the destination: how the zone moves, and how it will be configured there.
    pub request: CheckRequest,
    /// Who carries each piece of its storage.
    pub storage: Vec<StorageMove>,
    pub from: Arc<dyn Host>,
    pub to: Arc<dyn Host>,
}

impl Task {
    pub fn name(&self) -> ZoneName {
        self.zone.name.clone()
    }

    pub const fn uuid(&self) -> Uuid {
        self.zone.uuid
    }

    /// The way of its data.
    pub fn route(&self) -> Route<'_> {
        Route { zone: &self.zone.name, uuid: self.zone.uuid, from: &*self.from, to: &*self.to }
    }
}

/// The result of a move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes of memory sent.
    pub bytes: u64,
    /// Downtime in milliseconds; none if the zone did not run.
    pub downtime: Option<u64>,
}

/// The lease of a reservation in milliseconds: longer than a connection is usually interrupted, but room must not be
/// reserved for ever after the run has died.
pub const LEASE: u64 = 300_000;

/// How often a reservation is renewed while its zone waits or moves.
pub const RENEWAL: Duration = Duration::from_secs(60);
