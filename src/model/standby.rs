//! What a host leaves of its zones with their targets, for the case that it is lost.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{HostUri, Manifest, Millis, ZoneName};

/// A zone's manifest as its host has left it with one of the zone's targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standby {
    /// The zone as it is there.
    pub manifest: Manifest,
    /// The host that it runs on, by its own name.
    pub origin: String,
    /// By which name that host has reached the one with which this is left.
    pub via: HostUri,
    /// The other targets of the zone, as that host calls them: it may be on one of them.
    pub others: Vec<HostUri>,
}

/// A zone that was attached elsewhere from such a manifest, as its host hears of it when it is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// When it was attached there.
    pub at: Millis,
    /// Who did that.
    pub by: String,
}
