//! Changes to a zone's configuration that an administrator asks for.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{NetMap, ZoneName, format_bytes};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Name(ZoneName),
    /// A new UUID makes the zone a copy: nothing that identifies the original may remain in it.
    Uuid(Uuid),
    /// The zonepath moves: every path at or below `from` becomes one at or below `to`.
    Zonepath {
        from: PathBuf,
        to: PathBuf,
    },
    /// In bytes.
    Memory(u64),
    Cpus(u32),
    /// The machine type of a virtual machine.
    Machine(String),
    /// Moves each interface from the network with the one name to the network with the other. All at once, so
    /// that two networks can be swapped.
    Networks(NetMap),
}

impl Edit {
    /// The new path of `path`, if it was at or below the old zonepath.
    pub fn moved(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
        let rest = path.strip_prefix(from).ok()?;
        Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
    }
}

impl std::fmt::Display for Edit {
    /// The result of the change, for messages: `machine type pc-q35-9.0`.
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
