//! Why a zone cannot be on this host, as far as libvirt knows.
//!
//! This file checks networks and machine types. `processor` checks the CPU, `devices` and `device_models` check devices
//! of QEMU, which containers do not have, and `host_resources` checks what else of its host a zone's configuration
//! names.

mod device_models;
mod devices;
mod host_resources;
mod processor;

use super::domain_xml::{self, Domain};
use super::machine;
use super::virsh::{Connection, is_plain};
use super::{Driver, Libvirt};
use crate::model::{Blocker, BlockerKind, CheckRequest, Message, Network};
use crate::platform::{PlatformError, linux};
pub(super) use processor::seen;

/// All blockers of an arrival.
pub(super) async fn check(libvirt: &Libvirt, request: &CheckRequest) -> Result<Vec<Blocker>, PlatformError> {
    let manifest = &request.manifest;
    let Some(driver) = Driver::of(manifest.zone.brand) else {
        let reason = format!("libvirt has no {} zones", manifest.zone.brand);
        return Ok(vec![Blocker::new(BlockerKind::Zone, reason)]);
    };
    if !Connection::to(driver).answers().await? {
        return Ok(vec![platform(format!("libvirt has no {} driver", driver.folder()))]);
    }
    let mut blockers = Vec::new();
    for network in &manifest.networks {
        blockers.extend(missing_network(network, &request.describe(network)).await?);
    }
    let domain = domain_xml::parse(&manifest.config);
    match domain.and_then(|domain| domain_xml::must_be(&manifest.config, &manifest.zone).map(|()| domain)) {
        Ok(domain) => {
            if driver == Driver::Qemu {
                blockers.extend(hardware(libvirt, &domain, request).await?);
            }
            blockers.extend(host_resources::missing(libvirt, &domain, request).await?);
        }
        Err(reason) => blockers.push(Blocker::new(BlockerKind::Zone, format!("its configuration: {reason}"))),
    }
    Ok(blockers)
}

fn platform(reason: impl Into<Message>) -> Blocker {
    Blocker::new(BlockerKind::Platform, reason)
}

/// The blocker if the network is missing; `called` is its description.
async fn missing_network(network: &Network, called: &str) -> Result<Option<Blocker>, PlatformError> {
    let device = |name: &str| linux::has_network_device(name);
    let reason = match network {
        Network::Bridge(name) if device(name) => return Ok(None),
        Network::Bridge(_) => format!("no bridge {called}"),
        Network::Device(name) if device(name) => return Ok(None),
        Network::Device(_) => format!("no network device {called}"),
        Network::Managed(name) => {
            if Connection::qemu().networks().await?.contains(name) {
                return Ok(None);
            }
            format!("no active network {called}")
        }
    };
    Ok(Some(Blocker::new(BlockerKind::Network, reason)))
}

/// What this host's QEMU lacks of the zone's machine: its type, or parts of it.
async fn hardware(
    libvirt: &Libvirt,
    domain: &Domain,
    request: &CheckRequest,
) -> Result<Vec<Blocker>, PlatformError> {
    let Some(machine) = &domain.machine else { return Ok(Vec::new()) };
    if let Some(odd) = [&domain.virt, &domain.arch, machine].into_iter().find(|word| !is_plain(word)) {
        return Ok(vec![platform(format!("{odd:?} is not a machine type"))]);
    }
    // libvirt would run any program that it is asked about: a peer may name only those that libvirt knows anyway.
    let emulator = match &domain.emulator {
        None => None,
        Some(path) => match machine::emulator(&libvirt.queries, path).await? {
            Some(known) => Some(known),
            None => return Ok(vec![platform(format!("libvirt knows no emulator {}", path.display()))]),
        },
    };
    let domain = &Domain { emulator, ..domain.clone() };
    let capabilities = match libvirt.queries.machine(domain).await? {
        Ok(capabilities) => capabilities,
        Err(said) => {
            let reason = format!("no machine {} {machine} ({}): {said}", domain.arch, domain.virt);
            return Ok(vec![platform(reason)]);
        }
    };
    let mut missing = processor::missing(libvirt, request, domain, &capabilities).await?;
    let config = &request.manifest.config;
    missing.extend(devices::missing(config, &capabilities).into_iter().map(platform));
    let emulator = match &domain.emulator {
        Some(emulator) => Some(emulator.clone()),
        None => machine::usual_emulator(&libvirt.queries, &domain.arch).await?,
    };
    if let Some(emulator) = emulator {
        // An emulator that lists nothing is no blocker: libvirt may be able to start it although this process is not.
        let listed = libvirt.queries.devices(&emulator).await.unwrap_or_default();
        missing.extend(device_models::missing(config, &listed).into_iter().map(platform));
    }
    Ok(missing)
}

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub(super) fn read_output(text: &str) {
    processor::read_output(text);
    let _ = device_models::missing("<domain><devices><sound model='ac97'/></devices></domain>", text);
    let _ = devices::missing("<domain><vcpu>1</vcpu></domain>", text);
}

/// Parses a configuration in every way in which this module does.
#[cfg(feature = "fuzzing")]
pub(super) fn read_config(xml: &str) {
    let _ = device_models::missing(xml, "name \"e1000\", bus PCI\n");
    let _ = devices::missing(xml, "<domainCapabilities><vcpu max='1'/></domainCapabilities>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_name_of_a_network_leads_to_no_other_file() {
        for name in ["/etc/passwd", "../../../etc/passwd", ".", "..", ""] {
            for network in [Network::Bridge(name.to_owned()), Network::Device(name.to_owned())] {
                let blocker = missing_network(&network, name).await.unwrap();
                assert!(blocker.is_some_and(|blocker| blocker.reason.starts_with("no ")), "{name:?}");
            }
        }
        assert_eq!(missing_network(&Network::Device("lo".to_owned()), "lo").await.unwrap(), None);
    }
}
