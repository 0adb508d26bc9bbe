//! The role of a peer: what it may ask of a host.

use serde::{Deserialize, Serialize};

/// What a peer may ask for; each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Read only.
    Observe,
    /// Send and fetch zones.
    Migrate,
    Admin,
}

impl Role {
    /// Its name in sysadm.toml.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Migrate => "migrate",
            Self::Admin => "admin",
        }
    }
}
