//! What a host knows about where a zone is.

use serde::{Deserialize, Serialize};

use super::{Home, HostUri};

/// A host's answer to the question where a zone is, as far as that host knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// On the host, to which it belongs.
    Here,
    /// On the host, but it belongs to another one.
    Guest(Home),
    /// Room is reserved: the zone is being moved or attached.
    Arriving,
    /// The host evacuated it to another one.
    Evacuated(HostUri),
    /// The host migrated it to another one for good, or evacuated it although it belongs to a third.
    Migrated(HostUri),
    /// Only its configuration is known.
    Configured,
    Unknown,
}

impl Location {
    /// The host to which the zone was evacuated or migrated.
    pub const fn gone_to(&self) -> Option<&HostUri> {
        match self {
            Self::Evacuated(to) | Self::Migrated(to) => Some(to),
            Self::Here | Self::Guest(_) | Self::Arriving | Self::Configured | Self::Unknown => None,
        }
    }
}
