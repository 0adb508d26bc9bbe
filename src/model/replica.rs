//! The manifests that a host leaves with its zones' targets in case the host is lost.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{HostUri, Manifest, Millis, ZoneName};

/// A zone's manifest as its host left it with one of the zone's targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replica {
    pub manifest: Manifest,
    /// The name of the host to which the zone belongs.
    pub origin: String,
    /// The URI by which that host reaches the one that keeps this replica.
    pub via: HostUri,
    /// The zone's other targets, as its host calls them; the zone may be on one of them.
    pub others: Vec<HostUri>,
}

/// A zone was started from its replica; its own host learns this when it is back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takeover {
    pub zone: ZoneName,
    pub uuid: Uuid,
    pub at: Millis,
    /// The user who did it.
    pub by: String,
}
