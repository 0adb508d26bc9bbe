//! A zone's manifest: everything another host needs in order to take the zone.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Zone;

/// What travels instead of the zone when a host is asked to take it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The zone as it was when this was written.
    pub zone: Zone,
    /// The platform's own configuration, whole (libvirt: the domain's XML).
    pub config: String,
    /// Which platform can read `config`: `libvirt` or `sim`.
    pub platform: String,
    /// Its disks and folders, outside of the configuration's own files.
    pub disks: Vec<Disk>,
    /// What it is plugged into.
    pub networks: Vec<Network>,
    /// Why its own host says that it cannot move, live or at all.
    pub obstacles: Vec<String>,
}

/// One piece of storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// What the zone calls it (`vda`, or the folder inside a container).
    pub target: String,
    /// Where it lies.
    pub source: DiskSource,
    /// The zone does not write to it.
    pub readonly: bool,
}

/// Where a piece of storage lies, as the host of the zone sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiskSource {
    /// A file.
    File(PathBuf),
    /// A folder.
    Dir(PathBuf),
    /// A block device.
    Block(PathBuf),
    /// Something that the hypervisor itself reaches over the network.
    Network {
        /// `rbd`, `nbd`, `iscsi`, …
        protocol: String,
        /// Its servers, `host:port`.
        servers: Vec<String>,
    },
}

impl std::fmt::Display for DiskSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) | Self::Dir(path) | Self::Block(path) => write!(f, "{}", path.display()),
            Self::Network { protocol, servers } => write!(f, "{protocol}://{}", servers.join(",")),
        }
    }
}

/// One network connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Network {
    /// A bridge of the host.
    Bridge(String),
    /// A network that the platform manages under this name.
    Managed(String),
    /// A network device of the host, used directly.
    Device(String),
}

impl Network {
    /// Its name among all that zones can be plugged into: a bridge is found like any other device.
    pub fn label(&self) -> String {
        match self {
            Self::Bridge(name) | Self::Device(name) => name.clone(),
            Self::Managed(name) => format!("network:{name}"),
        }
    }
}
