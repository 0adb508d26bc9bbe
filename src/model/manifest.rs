//! A zone's manifest: everything another host needs in order to take the zone.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Interface, Network, Plug, Software, Zone};

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
    /// Its interfaces: as they are now, and as its configuration has them. Older software does not tell them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Why its own host says that it cannot move, live or at all.
    pub obstacles: Vec<String>,
    /// What its own host has of the software that it depends on; a platform leaves that to the host. None: none, or older software does not
    /// tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// What a zone that runs has seen of a processor and must find wherever it runs on, in the platform's own words
    /// (libvirt: a `<cpu>`). None: any will do, or older software does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
}

impl Manifest {
    /// Its zonepath (zones(7)): the folder that holds its root file system, if that is a folder by itself (`root` or
    /// `rootfs` in it). None for a zone whose root is something else, such as every virtual machine.
    pub fn zonepath(&self) -> Option<&Path> {
        let root = self.disks.iter().find(|disk| disk.target == "/")?;
        let DiskSource::Dir(path) = &root.source else { return None };
        let is_root = path.file_name().is_some_and(|name| name == "root" || name == "rootfs");
        path.parent().filter(|parent| is_root && parent.parent().is_some())
    }

    /// The folders of its host that it shares, beside its own root (`inherit-pkg-dir`).
    pub fn inherited(&self) -> impl Iterator<Item = &Path> {
        self.disks.iter().filter(|disk| disk.target.starts_with('/') && disk.target != "/").filter_map(
            |disk| match &disk.source {
                DiskSource::Dir(path) => Some(path.as_path()),
                DiskSource::File(_) | DiskSource::Block(_) | DiskSource::Network { .. } => None,
            },
        )
    }

    /// Why its host says that it cannot move, beside what its configuration says: snapshots, and what it has been told.
    pub fn obstacles_beside<'a>(&'a self, of_config: &'a [String]) -> impl Iterator<Item = String> + 'a {
        let said: BTreeSet<_> = of_config.iter().collect();
        self.obstacles.iter().filter(move |obstacle| !said.contains(obstacle)).cloned()
    }

    /// The zone as it is with these changes, `config` being its configuration with them.
    #[must_use]
    pub fn plugged(&self, plugs: &[Plug], config: String) -> Self {
        let after = |network: &Network| {
            let there = self.interfaces.iter().filter(|one| one.network == *network);
            let names = there.map(|one| one.plugged(plugs).network).collect::<Vec<_>>();
            if names.is_empty() { vec![network.clone()] } else { names }
        };
        let mut networks = Vec::new();
        for network in self.networks.iter().flat_map(after) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        let interfaces = self.interfaces.iter().map(|one| one.plugged(plugs)).collect();
        Self { config, networks, interfaces, ..self.clone() }
    }
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
