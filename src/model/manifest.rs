//! A zone's manifest: everything another host needs in order to take the zone.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Interface, InterfaceMapping, Kind, Network, Obstacle, Software, Zone, ZoneState};
use crate::words;

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
    pub obstacles: Vec<Obstacle>,
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

    /// The same when only the zone's configuration is left on its host.
    #[must_use]
    pub fn configured(self) -> Self {
        let zone = Zone { state: ZoneState::Configured, aux: None, id: None, ..self.zone };
        Self { zone, ..self }
    }

    /// The folders with programs of its host that it reads, beside its own root (`inherit-pkg-dir`). What is written to,
    /// and what lies elsewhere, is data.
    pub fn inherited(&self) -> impl Iterator<Item = Inherited<'_>> {
        self.disks.iter().filter_map(|disk| match &disk.source {
            DiskSource::Dir(folder) if disk.readonly && disk.target != "/" && is_static(folder) => {
                Some(Inherited { folder, covered: self.covered(&disk.target, folder) })
            }
            _ => None,
        })
    }

    /// What of a folder that it has at `target` it does not see, since it has something else there.
    fn covered(&self, target: &str, folder: &Path) -> Vec<PathBuf> {
        let below = |disk: &Disk| Some(folder.join(Path::new(&disk.target).strip_prefix(target).ok()?));
        let others = self.disks.iter().filter(|disk| Path::new(&disk.target) != Path::new(target));
        others.filter_map(below).collect()
    }

    /// Why its host says that it cannot move in that way; none: it can.
    pub fn held(&self, kind: Kind) -> Option<String> {
        let reasons = self.obstacles.iter().filter(|obstacle| obstacle.stops(kind));
        let reasons: Vec<_> = reasons.map(|obstacle| obstacle.reason.as_str()).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Why its host says that it cannot move, beside what its configuration says: snapshots, and what it has been told.
    pub fn obstacles_beside<'a>(&'a self, of_config: &'a [Obstacle]) -> impl Iterator<Item = Obstacle> + 'a {
        self.obstacles.iter().filter(move |obstacle| !of_config.contains(obstacle)).cloned()
    }

    /// The zone as it is with these changes, `config` being its configuration with them.
    #[must_use]
    pub fn with_mapping(&self, mappings: &[InterfaceMapping], config: String) -> Self {
        let after = |network: &Network| {
            let there = self.interfaces.iter().filter(|one| one.network == *network);
            let names = there.map(|one| one.with_mapping(mappings).network).collect::<Vec<_>>();
            if names.is_empty() { vec![network.clone()] } else { names }
        };
        let mut networks = Vec::new();
        for network in self.networks.iter().flat_map(after) {
            if !networks.contains(&network) {
                networks.push(network);
            }
        }
        let interfaces = self.interfaces.iter().map(|one| one.with_mapping(mappings)).collect();
        Self { config, networks, interfaces, ..self.clone() }
    }
}

/// A folder of its host that a zone reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited<'a> {
    /// Where it lies on the host.
    pub folder: &'a Path,
    /// What is in it and the zone does not see: it has something else in these places.
    pub covered: Vec<PathBuf>,
}

impl<'a> From<&'a Path> for Inherited<'a> {
    fn from(folder: &'a Path) -> Self {
        Self { folder, covered: Vec::new() }
    }
}

/// Whether programs and libraries lie there, which each host has for itself: below `/usr` and the like, or in a folder
/// of `/opt`, where each package has its own.
pub fn is_static(folder: &Path) -> bool {
    const PLACES: [&str; 8] = ["usr", "lib", "lib32", "lib64", "libx32", "bin", "sbin", "platform"];
    let mut names = folder.components().map(|part| match part {
        Component::RootDir => Some(""),
        Component::Normal(name) => name.to_str(),
        Component::Prefix(_) | Component::CurDir | Component::ParentDir => None,
    });
    let start = [names.next(), names.next(), names.next()].map(Option::flatten);
    let is_place = match start {
        [Some(""), Some("opt"), package] => package.is_some(),
        [Some(""), Some(place), _] => PLACES.contains(&place),
        _ => false,
    };
    is_place && folder.components().all(|part| part != Component::ParentDir)
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
    /// Whether it may be missing.
    #[serde(default = "Presence::needed", skip_serializing_if = "Presence::is_needed")]
    pub presence: Presence,
}

impl Disk {
    /// Storage that must be there.
    pub fn new(target: impl Into<String>, source: DiskSource, readonly: bool) -> Self {
        Self { target: target.into(), source, readonly, presence: Presence::Needed }
    }

    /// The same, which may be missing or not.
    #[must_use]
    pub fn with_presence(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }
}

words! {
    /// Whether a piece of storage may be missing.
    Presence, "presence of storage" {
        /// It must be there.
        Needed = "needed",
        /// If it is not there yet it is made when the zone boots, as NVRAM is from its template.
        Made = "made",
        /// If it is not there the zone does without it, as libvirt's `startupPolicy` allows.
        Optional = "optional",
    }
}

impl Presence {
    /// What holds where nothing is said.
    const fn needed() -> Self {
        Self::Needed
    }

    /// Whether it must be there.
    pub fn is_needed(&self) -> bool {
        *self == Self::Needed
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A container with folders at these targets, `r` if it only reads them.
    fn container(folders: &[(&str, &str, &str)]) -> Manifest {
        let disks: Vec<_> = folders
            .iter()
            .map(|(target, folder, mode)| {
                serde_json::json!({ "target": target, "source": { "dir": folder }, "readonly": *mode == "r" })
            })
            .collect();
        let zone = serde_json::json!({
            "name": "web", "uuid": "00511286-3319-4f84-a168-e5fcdfb0de45", "brand": "lxc", "state": "installed",
            "autostart": false, "persistent": true, "memory": 1, "cpus": 1,
        });
        let manifest = serde_json::json!({
            "zone": zone, "config": "", "platform": "libvirt", "disks": disks, "networks": [], "obstacles": [],
        });
        serde_json::from_value(manifest).unwrap()
    }

    #[test]
    fn programs_that_it_only_reads_are_inherited_and_data_is_not() {
        let zone = container(&[
            ("/", "/usr/zones/web/root", "r"),
            ("/usr", "/usr", "r"),
            ("/lib", "/lib", "w"),
            ("/var/log", "/var/log", "r"),
            ("/opt/tool", "/opt/tool/", "r"),
            ("/data", "/usr/../srv/data", "r"),
        ]);
        let folders: Vec<_> = zone.inherited().map(|one| one.folder).collect();
        assert_eq!(folders, [Path::new("/usr"), Path::new("/opt/tool")]);
    }

    #[test]
    fn what_lies_under_another_folder_is_not_seen() {
        let zone = container(&[
            ("/", "/zones/web/root", "w"),
            ("/usr", "/usr", "r"),
            ("/usr/local/", "/srv/local", "w"),
            ("/usr2", "/srv/usr2", "w"),
            ("/host", "/usr", "r"),
        ]);
        let covered: Vec<_> = zone.inherited().map(|one| one.covered).collect();
        assert_eq!(covered, [vec![PathBuf::from("/usr/local")], vec![]]);
    }

    #[test]
    fn programs_lie_where_every_system_has_them() {
        for (folder, expected) in [
            ("/usr", true),
            ("/usr/share/zoneinfo", true),
            ("/lib64", true),
            ("/opt/tool", true),
            ("/opt/tool/lib", true),
            ("/opt", false),
            ("/", false),
            ("/etc/ssl", false),
            ("/var/log", false),
            ("/srv/usr", false),
            ("/usrlocal", false),
            ("/usr/../etc", false),
            ("usr", false),
            ("", false),
        ] {
            assert_eq!(is_static(Path::new(folder)), expected, "{folder}");
        }
    }
}
