//! What happens to simulated hosts and zones from outside: their creation, and what their owners do.

use std::path::Path;

use uuid::Uuid;

use super::abilities::abilities;
use super::faults::Fault;
use super::record::SimZone;
use super::settings::{HostSettings, ZoneConfig, ZoneSpec};
use super::{Sim, io_error};
use crate::file;
use crate::model::{Disk, Ended, Identifier, LocalPath, Millis, StorageUri, ZoneName};
use crate::platform::PlatformError;
use crate::zonepath;

/// The beginning of a disk's contents.
const DISK: &str = "a disk of the simulated zone";

/// How long a guest has run since it was booted, on all hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Virtual milliseconds.
    pub value: u64,
    /// It is counting: the guest really runs here.
    pub goes_on: bool,
}

impl Sim {
    pub fn host(&self) -> Result<HostSettings, PlatformError> {
        self.read(|session| session.host())
    }

    pub fn set_host(&self, settings: &HostSettings) -> Result<(), PlatformError> {
        for storage in &settings.storages {
            if let Err(error) = storage.name.parse::<Identifier>() {
                return Err(PlatformError::Simulated(format!("storage: {error}")));
            }
        }
        self.change(|session| session.put_host(settings))
    }

    /// Replaces all faults. Operations that hang because of a removed fault continue.
    pub fn set_faults(&self, faults: &[Fault]) -> Result<(), PlatformError> {
        self.change(|session| session.put_faults(faults))
    }

    pub fn add_fault(&self, fault: &Fault) -> Result<(), PlatformError> {
        self.change(|session| session.put_fault(fault))
    }

    /// The faults that can still occur.
    pub fn faults(&self) -> Result<Vec<Fault>, PlatformError> {
        self.read(|session| Ok(session.faults()?.into_iter().map(|(_, fault)| fault).collect()))
    }

    pub fn now(&self) -> Result<Millis, PlatformError> {
        self.read(|session| session.now())
    }

    /// Creates a zone that does not run, with its disks.
    pub fn create(&self, spec: ZoneSpec) -> Result<(), PlatformError> {
        let host = self.host()?;
        if abilities(spec.brand).is_none() {
            return Err(PlatformError::Simulated(format!("there are no simulated {} zones", spec.brand)));
        }
        let uuid = spec.uuid.unwrap_or_else(Uuid::new_v4);
        let mut disks = Vec::new();
        for (storage, letter) in spec.storages.iter().zip('a'..='z') {
            let folder = host
                .folder(storage, &self.inner.paths)
                .ok_or_else(|| PlatformError::Simulated(format!("the host has no storage {storage:?}")))?;
            let target = format!("vd{letter}");
            let path = folder.join(disk_name(&spec.name, uuid, &target));
            disks.push(Disk::new(target, StorageUri::file(path), false));
        }
        let folder = |target: String, path, readonly| Disk::new(target, StorageUri::dir(path), readonly);
        if let Some(zonepath) = &spec.zonepath {
            if !host.sees(zonepath, &self.inner.paths) {
                let what = format!("the host has no storage at {}", zonepath.display());
                return Err(PlatformError::Simulated(what));
            }
            if let Some(what) = zonepath::occupied(zonepath, uuid) {
                return Err(PlatformError::State { zone: spec.name, what: what.text });
            }
            disks.push(folder("/".to_owned(), zonepath.join("root"), false));
        }
        disks.extend(spec.inherit.into_iter().map(|path| folder(path.display().to_string(), path, true)));
        let config = ZoneConfig {
            name: spec.name,
            uuid,
            brand: spec.brand,
            arch: host.arch,
            memory: spec.memory,
            cpus: spec.cpus,
            dirty_rate: spec.dirty_rate,
            disks,
            networks: spec.networks,
            obstacles: spec.obstacles,
            profile: spec.profile,
        };
        self.change(|session| {
            if session.named(&config.name).is_ok() || session.identified(uuid)?.is_some() {
                let what = "there is one of that name or UUID already".to_owned();
                return Err(PlatformError::State { zone: config.name.clone(), what });
            }
            config.disks.iter().filter_map(file_of).try_for_each(|path| make_disk(path, &config))?;
            config
                .disks
                .iter()
                .filter_map(root_of)
                .try_for_each(|path| std::fs::create_dir_all(path).map_err(io_error("create", path)))?;
            let text = serde_json::to_string_pretty(&config)
                .map_err(|error| PlatformError::Simulated(error.to_string()))?;
            session.save(&SimZone::installed(config.clone(), text, spec.autostart))
        })
    }

    pub fn remove(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.change(|session| {
            let record = session.named(zone)?;
            if record.zone().is_running() {
                return Err(record.refuse("it runs"));
            }
            session.delete(record.config.uuid)?;
            for path in record.config.disks.iter().filter_map(file_of) {
                match std::fs::remove_file(path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        return Err(io_error("remove", path)(error));
                    }
                    _ => {}
                }
            }
            // Other files in a container stay.
            for path in record.config.disks.iter().filter_map(root_of) {
                let _ = std::fs::remove_dir(path)
                    .and_then(|()| path.parent().map_or(Ok(()), std::fs::remove_dir));
            }
            Ok(())
        })
    }

    /// Boots a zone, as its owner would. Refused while the host is in maintenance.
    pub fn start(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.not_locked()?;
        self.put_in_order()?;
        self.not_held(zone, self.read(|session| session.named(zone))?.config.uuid)?;
        self.change(|session| self.switch_on(session, session.named(zone)?))
    }

    /// Ends a zone, as its owner would, even during its migration.
    pub fn stop(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.put_in_order()?;
        self.change(|session| {
            let mut record = session.named(zone)?;
            record.halt(Ended::Destroyed)?;
            session.save(&record)
        })
    }

    /// What the guest itself would report.
    pub fn zone_counter(&self, zone: &ZoneName) -> Result<Counter, PlatformError> {
        self.read(|session| {
            let record = session.named(zone)?;
            Ok(Counter { value: record.counter(session.now()?), goes_on: record.since.is_some() })
        })
    }
}

/// The file name of a disk: from the zone's name, or from its UUID if the name would be too long.
fn disk_name(zone: &ZoneName, uuid: Uuid, target: &str) -> String {
    const LONGEST: usize = 255;
    let name = format!("{zone}-{target}.img");
    if name.len() > LONGEST { format!("{uuid}-{target}.img") } else { name }
}

fn file_of(disk: &Disk) -> Option<&Path> {
    match disk.source.local_path()? {
        LocalPath::File(path) => Some(path),
        _ => None,
    }
}

/// The path of a container's root file system.
fn root_of(disk: &Disk) -> Option<&Path> {
    match disk.source.local_path()? {
        LocalPath::Dir(path) if disk.target == "/" => Some(path),
        _ => None,
    }
}

fn make_disk(path: &Path, config: &ZoneConfig) -> Result<(), PlatformError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(io_error("create", folder))?;
    }
    let content = format!("{DISK} {} ({})\n", config.name, config.uuid);
    // Disks that an earlier zone with this name left behind are created anew.
    let is_disk = |present: &[u8]| present.starts_with(DISK.as_bytes());
    file::output(path, content.as_bytes(), is_disk).map_err(io_error("write", path))
}
