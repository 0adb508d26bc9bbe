//! One move, decided, and what comes of it.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::host::Host;
use crate::model::{CheckRequest, Manifest, Zone, ZoneName};

/// One move, decided: what, how, from where, to where.
#[derive(Clone)]
pub struct Task {
    /// The zone, as it is where it comes from.
    pub zone: Zone,
    /// What is kept of it by the host that it belongs to, with what its networks are called where it is or goes.
    pub record: Manifest,
    /// What its destination is asked: how it moves, and what it will be there.
    pub request: CheckRequest,
    /// Where it is.
    pub from: Arc<dyn Host>,
    /// Where it goes.
    pub to: Arc<dyn Host>,
}

impl Task {
    /// Its name.
    pub fn name(&self) -> ZoneName {
        self.zone.name.clone()
    }

    /// Its identity.
    pub const fn uuid(&self) -> Uuid {
        self.zone.uuid
    }
}

/// What a move came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes of memory that crossed.
    pub bytes: u64,
    /// Milliseconds during which the zone did not answer; none if it did not run.
    pub downtime: Option<u64>,
}

/// How long room stays reserved if nobody renews the reservation, in milliseconds: longer than a line is broken for a
/// while, and not for ever after the one who has reserved is gone.
pub const LEASE: u64 = 300_000;

/// How often a reservation is renewed while its zone waits or moves.
pub const RENEWAL: Duration = Duration::from_secs(60);
