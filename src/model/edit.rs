//! Changes to a zone's configuration, as an administrator asks for them.

use uuid::Uuid;

use super::{NetMap, ZoneName, format_bytes};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Name(ZoneName),
    /// Another identity: the zone becomes a copy, which is known by nothing that the original is known by.
    Uuid(Uuid),
    /// Memory in bytes.
    Memory(u64),
    /// Virtual processors.
    Cpus(u32),
    /// Another machine type of a virtual machine.
    Machine(String),
    /// Every interface in a network of the one name goes into the one of the other name, all at the same time: two
    /// networks may change places.
    Networks(NetMap),
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
            Self::Networks(names) => {
                let all: Vec<_> = names.iter().map(|(from, to)| format!("{to} (for {from})")).collect();
                write!(f, "network {}", all.join(", "))
            }
        }
    }
}
