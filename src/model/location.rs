//! What a host knows of where a zone is.

use serde::{Deserialize, Serialize};

use super::{Home, HostUri};

/// A host's answer to "where is that zone, as far as you know?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// Its platform has it.
    Here,
    /// Its platform has it, and it belongs to that host.
    Guest(Home),
    /// Room is booked for it: it is on its way there, or is being attached.
    Coming,
    /// It was evacuated from there to that host.
    Evacuated(HostUri),
    /// It was migrated from there to that host, for good, or passed on: it belonged to another one.
    Migrated(HostUri),
    /// It is configured there, and nothing more.
    Configured,
    /// Nothing is known of it.
    Unknown,
}

impl Location {
    /// Where it went from there.
    pub const fn gone_to(&self) -> Option<&HostUri> {
        match self {
            Self::Evacuated(to) | Self::Migrated(to) => Some(to),
            Self::Here | Self::Guest(_) | Self::Coming | Self::Configured | Self::Unknown => None,
        }
    }
}
