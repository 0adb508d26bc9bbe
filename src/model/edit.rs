//! Changes to a zone's configuration, as an administrator asks for them.

use uuid::Uuid;

use super::{NetworkName, ZoneName, format_bytes};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Name(ZoneName),
    /// Another identity: the zone becomes a copy.
    Uuid(Uuid),
    /// Memory in bytes.
    Memory(u64),
    /// Virtual processors.
    Cpus(u32),
    /// Another machine type of a virtual machine.
    Machine(String),
    /// Every interface in the network of the one name goes into the one of the other name.
    Network {
        /// Where it is.
        from: NetworkName,
        /// Where it goes.
        to: NetworkName,
    },
}

impl std::fmt::Display for Edit {
    /// What it makes of the zone: `machine type pc-q35-9.0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name {name}"),
            Self::Uuid(uuid) => write!(f, "UUID {uuid}"),
            Self::Memory(bytes) => write!(f, "memory {}", format_bytes(*bytes)),
            Self::Cpus(cpus) => write!(f, "{cpus} virtual processor(s)"),
            Self::Machine(machine) => write!(f, "machine type {machine}"),
            Self::Network { from, to } => write!(f, "network {to} (for {from})"),
        }
    }
}
