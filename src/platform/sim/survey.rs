//! What a planner wants to know of a simulated host and its zones.

use std::collections::BTreeSet;

use super::record::Record;
use super::settings::HostSettings;
use crate::model::{Aux, Brand, Disk, DiskSource};
use crate::paths::Paths;
use crate::plan::{Dirty, FleetHost, FleetZone, Survey, Version};

/// Memory that a new zone could have, in bytes.
pub(super) fn memory_free(host: &HostSettings, zones: &[Record]) -> u64 {
    let running = zones.iter().filter(|zone| zone.zone().is_running());
    // What still comes has not taken its memory yet: it is booked.
    let whole = running.filter(|zone| zone.aux != Some(Aux::MigratingIn));
    let used = whole.fold(0, |sum: u64, zone| sum.saturating_add(zone.config.memory));
    host.memory.saturating_sub(used)
}

/// The host and its zones. Storage is named by its folder: that is what hosts share.
pub(super) fn of(host: &HostSettings, zones: &[Record], paths: &Paths) -> Survey {
    let free = memory_free(host, zones);
    let zones: Vec<_> = zones.iter().map(|zone| zone_of(zone, host, paths)).collect();
    let running = || zones.iter().filter(|zone| zone.running);
    let host = FleetHost {
        name: host.name.clone(),
        arch: host.arch.clone(),
        cpu_features: host.cpu_features.clone(),
        hypervisor: Version::find(&host.hypervisor),
        brands: Some(Brand::ALL.iter().copied().collect()),
        memory: host.memory,
        memory_free: free,
        cpus: host.cpus,
        cpu_load: running().fold(0.0, |sum, zone| sum + zone.cpu_load),
        network_load: running().fold(0, |sum, zone| zone.network_load.saturating_add(sum)),
        bandwidth: Some(host.bandwidth),
        networks: Some(host.bridges.iter().cloned().collect()),
        storage: Some(host.folders(paths).map(|folder| folder.display().to_string()).collect()),
        unmanaged: host.unmanaged.clone(),
        ..FleetHost::default()
    };
    Survey { host, zones, ..Survey::default() }
}

fn zone_of(record: &Record, host: &HostSettings, paths: &Paths) -> FleetZone {
    let (config, zone) = (&record.config, record.zone());
    let (load, network_load) =
        if zone.is_running() { (config.profile.load, config.profile.network_load) } else { (0, 0) };
    FleetZone {
        cpu_load: f64::from(load) / 100.0,
        network_load,
        arch: config.arch.clone(),
        cpu_features: config.profile.cpu_features.clone(),
        hypervisor: config.profile.hypervisor,
        networks: config.networks.iter().map(|network| network.label()).collect(),
        storage: config
            .disks
            .iter()
            .filter_map(|disk| storage_of(disk, host, paths))
            .collect::<BTreeSet<_>>(),
        tags: config.profile.tags.clone(),
        dirty: Some(Dirty { rate: config.dirty_rate, ..Dirty::default() }),
        ..FleetZone::of(&zone, &host.name)
    }
}

fn storage_of(disk: &Disk, host: &HostSettings, paths: &Paths) -> Option<String> {
    let (DiskSource::File(path) | DiskSource::Dir(path)) = &disk.source else { return None };
    host.folders(paths).find(|folder| path.starts_with(folder)).map(|folder| folder.display().to_string())
}
