//! The survey of a simulated host and its zones. The planner calculates in real seconds, so rates are converted
//! to those.

use std::collections::BTreeSet;

use super::abilities::able;
use super::record::SimZone;
use super::settings::HostSettings;
use crate::model::{Aux, Brand, Disk, LocalPath};
use crate::paths::Paths;
use crate::plan::{Dirty, FleetHost, FleetZone, HostKey, Survey, Version};

/// Memory available to a new zone, in bytes.
pub(super) fn memory_free(host: &HostSettings, zones: &[SimZone]) -> u64 {
    let running = zones.iter().filter(|zone| zone.zone().is_running());
    // A zone that is still arriving uses no memory yet: its memory is reserved.
    let whole = running.filter(|zone| zone.aux != Some(Aux::MigratingIn));
    let used = whole.fold(0, |sum: u64, zone| sum.saturating_add(zone.config.memory));
    host.memory.saturating_sub(used)
}

/// Bytes of a zone's disks that only its own host sees.
fn own_data(zone: &SimZone, host: &HostSettings, paths: &Paths) -> u64 {
    let own = zone.config.disks.iter().filter_map(|disk| match disk.source.local_path()? {
        LocalPath::File(path) if host.is_own(path, paths) => Some(path.metadata().ok()?.len()),
        _ => None,
    });
    own.fold(0, u64::saturating_add)
}

/// Disk space that the data of new zones could have, in bytes.
pub(super) fn disk_free(host: &HostSettings, zones: &[SimZone], paths: &Paths) -> u64 {
    zones.iter().fold(host.disk, |free, zone| free.saturating_sub(own_data(zone, host, paths)))
}

/// The host and its zones. Storage is identified by its folder, which is what hosts share.
pub(super) fn of(host: &HostSettings, zones: &[SimZone], paths: &Paths) -> Survey {
    let (free, disk_free) = (memory_free(host, zones), disk_free(host, zones, paths));
    let zones: Vec<_> = zones.iter().map(|zone| zone_of(zone, host, paths)).collect();
    let running = || zones.iter().filter(|zone| zone.running);
    let host = FleetHost {
        arch: host.arch.clone(),
        cpu_features: host.cpu_features.clone(),
        hypervisor: Version::find(&host.hypervisor),
        brands: Some([Brand::KVM, Brand::LXC].into()),
        memory: host.memory,
        memory_free: free,
        disk: host.disk,
        disk_free,
        cpus: host.cpus,
        cpu_load: running().fold(0.0, |sum, zone| sum + zone.cpu_load),
        network_load: running().fold(0, |sum, zone| zone.network_load.saturating_add(sum)),
        bandwidth: Some(host.scale.per_real_second(host.bandwidth)),
        networks: Some(host.bridges.iter().cloned().collect()),
        storage: Some(host.folders(paths).map(|folder| folder.display().to_string()).collect()),
        unmanaged: host.unmanaged.clone(),
        ..FleetHost::new(HostKey::Name(host.name.clone()))
    };
    Survey::new(host, zones)
}

fn zone_of(record: &SimZone, host: &HostSettings, paths: &Paths) -> FleetZone {
    let (config, zone) = (&record.config, record.zone());
    let (load, network_load) = if zone.is_running() {
        (config.profile.load, host.scale.per_real_second(config.profile.network_load))
    } else {
        (0, 0)
    };
    FleetZone {
        cpu_load: f64::from(load) / 100.0,
        network_load,
        no_live: !able(config.brand).live,
        arch: config.arch.clone(),
        cpu_features: config.profile.cpu_features.clone(),
        hypervisor: config.profile.hypervisor,
        disk: own_data(record, host, paths),
        networks: config.networks.iter().map(|network| network.label()).collect(),
        storage: config
            .disks
            .iter()
            .filter_map(|disk| storage_of(disk, host, paths))
            .collect::<BTreeSet<_>>(),
        tags: config.profile.tags.clone(),
        dirty: Some(Dirty { rate: host.scale.per_real_second(config.dirty_rate), ..Dirty::default() }),
        ..FleetZone::of(&zone, HostKey::Name(host.name.clone()))
    }
}

fn storage_of(disk: &Disk, host: &HostSettings, paths: &Paths) -> Option<String> {
    let (LocalPath::File(path) | LocalPath::Dir(path)) = disk.source.local_path()? else { return None };
    host.folders(paths).find(|folder| path.starts_with(folder)).map(|folder| folder.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Method, Millis, ZoneName};
    use crate::plan::{Costs, Trip};
    use crate::platform::Platform;
    use crate::platform::sim::precopy::{Precopy, PrecopyAction};
    use crate::platform::sim::settings::ZoneConfig;
    use crate::platform::sim::{Scale, Sim, StorageFolder, ZoneSpec};

    #[tokio::test]
    async fn only_disks_that_no_other_host_sees_take_disk_space() {
        let root = tempfile::tempdir().unwrap();
        let sim = Sim::open(&Paths::new(root.path()));
        let storage = |name: &str, folder| StorageFolder { name: name.to_owned(), folder };
        let storages = vec![storage("local", None), storage("nfs", Some(root.path().join("nfs")))];
        let host = HostSettings { disk: 1000, storages, scale: Scale::Instant, ..HostSettings::default() };
        sim.set_host(&host).unwrap();
        for (zone, storage) in [("own", "local"), ("shared", "nfs")] {
            let fresh = ZoneSpec::new(zone.parse().unwrap());
            sim.create(ZoneSpec { storages: vec![storage.to_owned()], ..fresh }).unwrap();
        }
        let survey = sim.survey(false).await.unwrap();
        let disk = |name: &str| survey.zones.iter().find(|zone| zone.name.as_str() == name).unwrap().disk;
        assert!(disk("own") > 0);
        assert_eq!(disk("shared"), 0);
        assert_eq!((survey.host.disk, survey.host.disk_free), (1000, 1000 - disk("own")));
    }

    /// Real milliseconds that a simulated host takes to send a zone.
    fn simulated(zone: &ZoneSpec, host: &HostSettings) -> u64 {
        let mut copy = Precopy::new(zone.memory, zone.dirty_rate, host.bandwidth);
        let mut virtual_ms = 0;
        loop {
            virtual_ms += match copy.next() {
                PrecopyAction::Round(bytes) => copy.time(bytes),
                PrecopyAction::Last(bytes) => {
                    let times = u64::from(u32::from(host.scale).max(1));
                    return (virtual_ms + copy.time(bytes)) / times;
                }
                PrecopyAction::Hopeless => panic!("{zone:?} does not converge"),
            };
        }
    }

    #[test]
    fn the_model_of_the_planner_takes_as_long_as_the_simulation_however_fast_that_lives() {
        let paths = Paths::new("/nowhere");
        for (scale, gigabytes, percent) in
            [(1, 4, 0), (1, 12, 10), (3, 4, 10), (3, 6, 10), (3, 12, 10), (3, 12, 50), (20, 64, 30)]
        {
            let host = HostSettings { scale: Scale::Times(scale), ..HostSettings::default() };
            let name: ZoneName = "web".parse().unwrap();
            let spec = ZoneSpec {
                memory: gigabytes << 30,
                dirty_rate: host.bandwidth * percent / 100,
                ..ZoneSpec::new(name)
            };
            let expected = simulated(&spec, &host);
            let config = ZoneConfig {
                name: spec.name,
                uuid: uuid::Uuid::nil(),
                brand: spec.brand,
                arch: host.arch.clone(),
                memory: spec.memory,
                cpus: spec.cpus,
                dirty_rate: spec.dirty_rate,
                disks: Vec::new(),
                networks: spec.networks,
                obstacles: spec.obstacles,
                profile: spec.profile,
            };
            let mut record = SimZone::installed(config, String::new(), false);
            record.boot(Millis(0), 1).unwrap();
            let survey = of(&host, &[record], &paths);
            let (zone, host) = (&survey.zones[0], &survey.host);
            let trip =
                Trip { zone, method: Method::Live, from: host, to: host, rate: host.bandwidth.unwrap() };
            let found = Costs::default().forecast(&trip).unwrap().total_ms;
            let ratio = found as f64 / expected as f64;
            assert!(
                (0.9..1.1).contains(&ratio),
                "{found} for {expected}: {scale} times, {gigabytes} GiB, {percent} %"
            );
        }
    }

    #[test]
    fn a_round_that_others_make_longer_leaves_more_to_send() {
        let (mut alone, mut shared) = (Precopy::new(4000, 500, 1000), Precopy::new(4000, 500, 1000));
        assert_eq!((alone.next(), shared.next()), (PrecopyAction::Round(4000), PrecopyAction::Round(4000)));
        shared.lasted(2 * shared.time(4000));
        assert_eq!((alone.next(), shared.next()), (PrecopyAction::Round(2000), PrecopyAction::Round(4000)));
    }
}
