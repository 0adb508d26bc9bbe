//! Why a zone cannot be on a simulated host.

use super::abilities::{abilities, able};
use super::config_of;
use super::settings::HostSettings;
use crate::model::{Blocker, BlockerKind, CheckRequest, LocalPath, Method, Network};
use crate::paths::Paths;

/// All blockers of an arrival.
pub(super) fn blockers(request: &CheckRequest, host: &HostSettings, paths: &Paths) -> Vec<Blocker> {
    let manifest = &request.manifest;
    let config = match config_of(manifest) {
        Ok(config) => config,
        Err(error) => return vec![Blocker::new(BlockerKind::Zone, error.to_string())],
    };
    let zone = &manifest.zone;
    if abilities(zone.brand).is_none() {
        return vec![Blocker::new(BlockerKind::Zone, format!("the simulation has no {} zones", zone.brand))];
    }
    let mut found = Vec::new();
    if config.arch != host.arch {
        let reason = format!("it needs {}, the host there is {}", config.arch, host.arch);
        found.push(Blocker::new(BlockerKind::Platform, reason));
    }
    if request.method == Method::Live && !able(config.brand).live {
        found.push(Blocker::new(BlockerKind::Platform, "a container cannot move live"));
    }
    found.extend(config.networks.iter().filter_map(|network| missing_network(network, request, host)));
    for disk in &config.disks {
        // The storage probe looks at real files, and two hosts simulated on one machine see the same ones.
        let seen = match disk.source.local_path() {
            Some(LocalPath::File(path)) => host.sees(path, paths),
            Some(LocalPath::Dir(path)) => host.has(disk, path, paths),
            Some(LocalPath::Device(_)) | None => false,
        };
        if !seen {
            let reason = format!("disk {} ({}) is not accessible", disk.target, disk.source.label());
            found.push(Blocker::new(BlockerKind::Storage, reason));
        }
    }
    found
}

fn missing_network(network: &Network, request: &CheckRequest, host: &HostSettings) -> Option<Blocker> {
    let called = request.describe(network);
    let reason = match network {
        Network::Bridge(name) if host.bridges.contains(name) => return None,
        Network::Bridge(_) => format!("no bridge {called}"),
        Network::Managed(_) => format!("no active network {called}"),
        Network::Device(_) => format!("no network device {called}"),
    };
    Some(Blocker::new(BlockerKind::Network, reason))
}
