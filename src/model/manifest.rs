//! A zone's manifest: everything that another host needs to take over the zone.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{
    Interface, InterfaceMapping, LocalPath, Message, Method, Network, Obstacle, Software, StorageUri, Zone,
    ZoneState,
};
use crate::words;

/// A zone's whole configuration, as one host hands it to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The zone at the time of writing.
    pub zone: Zone,
    /// The platform's own configuration, unabridged (libvirt: the domain's XML).
    pub config: String,
    /// The platform that can read `config`: `libvirt` or `sim`.
    pub platform: String,
    /// Disks and folders that are not part of the configuration.
    pub disks: Vec<Disk>,
    pub networks: Vec<Network>,
    /// The interfaces, both as they are now and as they will be after the next boot. Older versions do not send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<Interface>,
    /// Why the zone cannot be moved, live or at all, according to its own host.
    pub obstacles: Vec<Obstacle>,
    /// The installed software that the zone depends on. The host adds it, not the platform. None: nothing, or an
    /// older version, which does not send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
    /// The CPU that a running zone has seen and must find at its destination, in the platform's own words (libvirt: a
    /// `<cpu>` element). None: any CPU will do, or an older version, which does not send it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processor: Option<String>,
}

impl Manifest {
    /// The zonepath (zones(7)): the folder that contains the zone's root file system as `root` or `rootfs`. None
    /// if the root is something else, as in every virtual machine.
    pub fn zonepath(&self) -> Option<&Path> {
        let root = self.disks.iter().find(|disk| disk.target == "/")?;
        let LocalPath::Dir(path) = root.source.local_path()? else { return None };
        let is_root = path.file_name().is_some_and(|name| name == "root" || name == "rootfs");
        path.parent().filter(|parent| is_root && parent.parent().is_some())
    }

    /// The same when only the zone's configuration is left on its host.
    #[must_use]
    pub fn configured(self) -> Self {
        let zone = Zone { state: ZoneState::Configured, aux: None, id: None, ..self.zone };
        Self { zone, ..self }
    }

    /// The folders with the host's programs that the zone reads besides its own root (`inherit-pkg-dir`). Folders
    /// that it writes to, and folders elsewhere, are data.
    pub fn inherited(&self) -> impl Iterator<Item = Inherited<'_>> {
        self.disks.iter().filter_map(|disk| match disk.source.local_path() {
            Some(LocalPath::Dir(folder)) if disk.readonly && disk.target != "/" && is_static(folder) => {
                Some(Inherited { folder, covered: self.covered(&disk.target, folder) })
            }
            _ => None,
        })
    }

    /// The parts of a folder mounted at `target` that the zone cannot see because something else is mounted over
    /// them.
    fn covered(&self, target: &str, folder: &Path) -> Vec<PathBuf> {
        let below = |disk: &Disk| Some(folder.join(Path::new(&disk.target).strip_prefix(target).ok()?));
        let others = self.disks.iter().filter(|disk| Path::new(&disk.target) != Path::new(target));
        others.filter_map(below).collect()
    }

    /// Why the zone cannot be moved by that method, or none if it can.
    pub fn held(&self, method: Method) -> Option<Message> {
        let reasons: Vec<_> = self.obstacles.iter().filter(|obstacle| obstacle.stops(method)).collect();
        (!reasons.is_empty()).then(|| Message::join(reasons.into_iter().map(Obstacle::message), "; "))
    }

    /// The obstacles that do not follow from the configuration: snapshots, and runtime settings.
    pub fn obstacles_beside<'a>(&'a self, of_config: &'a [Obstacle]) -> impl Iterator<Item = Obstacle> + 'a {
        self.obstacles.iter().filter(move |obstacle| !of_config.contains(obstacle)).cloned()
    }

    /// The zone with its interfaces mapped to other networks; `config` must already contain the changes.
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

/// A folder of the host that a zone reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited<'a> {
    /// Its path on the host.
    pub folder: &'a Path,
    /// The paths in it that the zone cannot see because something else is mounted over them.
    pub covered: Vec<PathBuf>,
}

impl<'a> From<&'a Path> for Inherited<'a> {
    fn from(folder: &'a Path) -> Self {
        Self { folder, covered: Vec::new() }
    }
}

/// Whether a path holds programs and libraries that each host has for itself: `/usr` and the like, or a package's
/// folder in `/opt`.
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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The zone's name for it (`vda`, or a path inside a container).
    pub target: String,
    pub source: StorageUri,
    /// The zone only reads it.
    pub readonly: bool,
    #[serde(default = "Presence::needed", skip_serializing_if = "Presence::is_needed")]
    pub presence: Presence,
}

impl Disk {
    /// Storage that must exist.
    pub fn new(target: impl Into<String>, source: StorageUri, readonly: bool) -> Self {
        Self { target: target.into(), source, readonly, presence: Presence::Needed }
    }

    #[must_use]
    pub fn with_presence(self, presence: Presence) -> Self {
        Self { presence, ..self }
    }
}

words! {
    /// Whether storage may be missing at the destination.
    Presence, "presence of storage" {
        /// It must exist.
        Needed = "needed",
        /// Created when the zone boots if it is missing, as NVRAM is from its template.
        Made = "made",
        /// The zone works without it, as libvirt's `startupPolicy` allows.
        Optional = "optional",
    }
}

impl Presence {
    /// The default.
    const fn needed() -> Self {
        Self::Needed
    }

    pub fn is_needed(&self) -> bool {
        *self == Self::Needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A container with these folders as (source, target, mode); the mode `r` means read-only.
    fn container(folders: &[(&str, &str, &str)]) -> Manifest {
        let disks: Vec<_> = folders
            .iter()
            .map(|(target, folder, mode)| {
                serde_json::json!({ "target": target, "source": format!("dir:{folder}"), "readonly": *mode == "r" })
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
