//! The settings of simulated hosts and zones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::clock::Scale;
use crate::model::{
    Brand, Disk, Edit, Interface, InterfaceMapping, LocalPath, Mac, Manifest, Network, Obstacle, Software,
    UnmanagedGuest, Zone, ZoneName,
};
use crate::paths::Paths;
use crate::plan::Version;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostSettings {
    pub name: String,
    /// In bytes.
    pub memory: u64,
    pub cpus: u32,
    /// Disk space of its own storages, in bytes.
    pub disk: u64,
    pub arch: String,
    /// Hypervisor and version, to be shown to people.
    pub hypervisor: String,
    /// The features of its CPUs; none: not reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_features: Option<BTreeSet<String>>,
    /// The bandwidth to other hosts, in bytes of zone memory per virtual second.
    pub bandwidth: u64,
    /// How fast its time passes.
    pub scale: Scale,
    pub bridges: Vec<String>,
    /// The storages that it can access.
    pub storages: Vec<StorageFolder>,
    pub unmanaged: Vec<UnmanagedGuest>,
    /// The software that its zones depend on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub software: Option<Software>,
}

impl Default for HostSettings {
    fn default() -> Self {
        Self {
            name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            memory: 64 << 30,
            cpus: 16,
            disk: 1 << 40,
            arch: "x86_64".to_owned(),
            hypervisor: concat!("simulated ", env!("CARGO_PKG_VERSION")).to_owned(),
            cpu_features: None,
            bandwidth: 1 << 30,
            scale: Scale::Times(1),
            bridges: vec!["br0".to_owned()],
            storages: vec![StorageFolder { name: "local".to_owned(), folder: None }],
            unmanaged: Vec::new(),
            software: None,
        }
    }
}

impl HostSettings {
    /// The folders of its storages.
    pub(super) fn folders(&self, paths: &Paths) -> impl Iterator<Item = PathBuf> {
        self.storages.iter().map(|storage| storage.folder(paths))
    }

    /// The folder of one of its storages.
    pub(super) fn folder(&self, storage: &str, paths: &Paths) -> Option<PathBuf> {
        self.storages.iter().find(|known| known.name == storage).map(|known| known.folder(paths))
    }

    /// Whether that lies on a storage of its own, which no other host sees.
    pub(super) fn is_own(&self, path: &Path, paths: &Paths) -> bool {
        let mut own = self.storages.iter().filter(|storage| storage.folder.is_none());
        own.any(|storage| path.starts_with(storage.folder(paths)))
    }

    /// Whether it can access that path.
    pub(super) fn sees(&self, path: &Path, paths: &Paths) -> bool {
        self.storages.iter().any(|storage| path.starts_with(storage.folder(paths)))
    }

    /// Whether it has that folder of a container. A folder that the zone only reads is the host's own on every host.
    pub(super) fn has(&self, disk: &Disk, folder: &Path, paths: &Paths) -> bool {
        disk.readonly || self.sees(folder, paths)
    }

    /// A disk that the zone needs in order to run, and which this host cannot access.
    pub(super) fn lacks(&self, config: &ZoneConfig, paths: &Paths) -> Option<String> {
        let missing = |disk: &&Disk| match disk.source.local_path() {
            Some(LocalPath::File(path)) => !(self.sees(path, paths) && path.is_file()),
            Some(LocalPath::Dir(path)) => !(self.has(disk, path, paths) && path.is_dir()),
            Some(LocalPath::Device(_)) | None => true,
        };
        config.disks.iter().find(missing).map(|disk| format!("its disk {} is not here", disk.source.label()))
    }
}

/// A folder for disks of zones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StorageFolder {
    /// Its name, which follows the rule for names that an administrator chooses.
    pub name: String,
    /// The folder, the same on every host that shares it. None: this host's own, which no other host can access.
    #[serde(default)]
    pub folder: Option<PathBuf>,
}

impl StorageFolder {
    fn folder(&self, paths: &Paths) -> PathBuf {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => paths.root().join("srv").join(&self.name),
        };
        std::path::absolute(&folder).unwrap_or(folder)
    }
}

/// A zone to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneSpec {
    pub name: ZoneName,
    /// None: a random one.
    #[serde(default)]
    pub uuid: Option<Uuid>,
    pub brand: Brand,
    /// In bytes.
    pub memory: u64,
    pub cpus: u32,
    /// How fast it writes to its memory, in bytes per virtual second.
    pub dirty_rate: u64,
    /// Boots with its host.
    #[serde(default)]
    pub autostart: bool,
    /// It gets a disk on each of these storages.
    pub storages: Vec<String>,
    /// The folder of its root file system, on one of the host's storages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zonepath: Option<PathBuf>,
    /// Folders of its host that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherit: Vec<PathBuf>,
    /// Its networks.
    pub networks: Vec<Network>,
    /// Why it cannot be moved.
    #[serde(default)]
    pub obstacles: Vec<Obstacle>,
    /// What only the planner uses.
    #[serde(default)]
    pub profile: Profile,
}

/// Properties of a zone that only the planner uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// Tags that an administrator gave the zone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// The CPU features that it needs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub cpu_features: BTreeSet<String>,
    /// The oldest hypervisor that can run it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Version>,
    /// CPU load while it runs, in hundredths of a CPU.
    pub load: u32,
    /// Network load while it runs, sent and received, in bytes per second.
    pub network_load: u64,
}

impl Profile {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl ZoneSpec {
    /// A mostly idle virtual machine of 1 GiB, with one disk on storage `local`, on bridge `br0`.
    pub fn new(name: ZoneName) -> Self {
        Self {
            name,
            uuid: None,
            brand: Brand::KVM,
            memory: 1 << 30,
            cpus: 1,
            dirty_rate: 16 << 20,
            autostart: false,
            storages: vec!["local".to_owned()],
            zonepath: None,
            inherit: Vec::new(),
            networks: vec![Network::Bridge("br0".to_owned())],
            obstacles: Vec::new(),
            profile: Profile::default(),
        }
    }
}

/// A zone's whole configuration: the `config` of its manifest, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneConfig {
    pub name: ZoneName,
    pub uuid: Uuid,
    pub brand: Brand,
    /// The architecture that it needs.
    pub arch: String,
    /// In bytes.
    pub memory: u64,
    pub cpus: u32,
    /// How fast it writes to its memory, in bytes per virtual second.
    pub dirty_rate: u64,
    /// All disks are files; containers may have folders, too.
    pub disks: Vec<Disk>,
    /// Its networks.
    pub networks: Vec<Network>,
    /// Why it cannot be moved.
    pub obstacles: Vec<Obstacle>,
    /// What only the planner uses.
    #[serde(default, skip_serializing_if = "Profile::is_empty")]
    pub profile: Profile,
}

impl ZoneConfig {
    /// An interface for each of its networks, with a hardware address derived from its UUID and the interface's
    /// number.
    pub(super) fn interfaces(&self) -> Vec<Interface> {
        let [a, b, ..] = self.uuid.into_bytes();
        let mac = |place| Mac([0x52, 0x54, 0, a, b, place]);
        let places = self.networks.iter().zip(0_u8..);
        places.map(|(network, place)| Interface::new(mac(place), network.clone())).collect()
    }

    /// The manifest of the zone with this configuration; `text` is the configuration as it was given.
    pub(super) fn manifest(self, zone: Zone, text: String) -> Manifest {
        Manifest {
            zone,
            config: text,
            platform: "sim".to_owned(),
            interfaces: self.interfaces(),
            disks: self.disks,
            networks: self.networks,
            obstacles: self.obstacles,
            software: None,
            processor: None,
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit) -> Result<(), String> {
        match edit {
            Edit::Name(name) => self.name = name.clone(),
            Edit::Uuid(uuid) => self.uuid = *uuid,
            Edit::Zonepath { from, to } => {
                for disk in &mut self.disks {
                    disk.source = disk.source.moved(|path| Edit::moved(path, from, to));
                }
            }
            Edit::Memory(bytes) => self.memory = *bytes,
            Edit::Cpus(cpus) => self.cpus = *cpus,
            Edit::Machine(_) => return Err("a simulated zone has no machine type".to_owned()),
            Edit::Networks(names) => {
                for network in &mut self.networks {
                    if let Some(to) = names.there(network.name()) {
                        *network = network.called(to);
                    }
                }
            }
        }
        Ok(())
    }

    /// Maps its interfaces to other networks.
    pub(super) fn map_interfaces(&mut self, mappings: &[InterfaceMapping]) {
        self.networks = self.interfaces().iter().map(|one| one.with_mapping(mappings).network).collect();
    }
}
