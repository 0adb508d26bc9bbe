//! Changes to a zone's configuration, as an administrator asks for them.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{NetMap, ZoneName, format_bytes};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another name.
    Name(ZoneName),
    /// Another identity: the zone becomes a copy, which is known by nothing that the original is known by.
    Uuid(Uuid),
    /// Its folder is another one: whatever lies at or below `from` lies at or below `to`.
    Zonepath {
        /// Where it was.
        from: PathBuf,
        /// Where it is.
        to: PathBuf,
    },
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

impl Edit {
    /// Where a path is that was below the old zonepath; none if it was not.
    pub fn moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
        let rest = path.strip_prefix(from).ok()?;
        Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
    }
}

impl std::fmt::Display for Edit {
    /// What it makes of the zone: `machine type pc-q35-9.0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => write!(f, "name {name}"),
            Self::Uuid(uuid) => write!(f, "UUID {uuid}"),
            Self::Zonepath { to, .. } => write!(f, "zonepath {}", to.display()),
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
