//! The survey of this host and its zones for the planner.
//!
//! ```text
//!   /proc, /sys ─► machine, storage ──────────────────────────┐
//!   virsh ──────► version, networks, processor ───────────────┤
//!   virsh list ─► for each driver: inventory, dumpxml ─► needs ┼─► Survey
//!                                  stats ─ a moment ─ stats ───┘
//! ```
//!
//! Everything is asked at the same time, and never by a process for each zone: the survey of a host with a
//! hundred zones takes well under a second.

pub(super) mod needs;
mod processor;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::{join_all, try_join_all};

use self::needs::{Needs, Processor};
use self::processor::Features;
use self::storage::HostStorage;
use super::virsh::{Connection, ListedDomain, Usage, Usages, per_second};
use super::{Driver, Libvirt};
use crate::model::{Brand, Inventory, Zone};
use crate::plan::{Dirty, FleetHost, FleetZone, HostKey, Survey, Version};
use crate::platform::linux::{self, Machine};
use crate::platform::{Platform, PlatformError, PlatformFacts};

/// The time between two samples of the resources that zones use.
const MOMENT: Duration = Duration::from_millis(250);

/// The time if writing to memory is also measured, which takes a second.
const MEASURED: Duration = Duration::from_millis(1250);

/// Time limit for storage: a storage server that is down may block every access to its files for ever. Then
/// storage is reported as unknown.
const STORAGE: Duration = Duration::from_secs(5);

pub(super) async fn survey(libvirt: &Libvirt, measure: bool) -> Result<Survey, PlatformError> {
    let moment = if measure { MEASURED } else { MOMENT };
    let ((facts, networks, features, brands), (machine, line), (inventory, details)) = tokio::try_join!(
        async { tokio::try_join!(libvirt.facts(), networks(), processor::of_host(), brands()) },
        async { Ok(look(moment).await) },
        zones(libvirt, moment, measure),
    )?;
    let mut zones: Vec<_> =
        inventory.zones.iter().map(|zone| details.describe(zone, &machine, &facts.arch)).collect();
    add_features(&mut zones, features.as_ref()).await;
    let storage = add_storage(&mut zones).await;
    let host = host_of(facts, networks, features, brands, machine, line, storage);
    let host = FleetHost { unmanaged: inventory.unmanaged, ..host };
    let zones = zones.into_iter().map(|(zone, _)| zone).collect();
    Ok(Survey::new(host, zones))
}

/// A placeholder: the caller names the host, see [`Survey::named`].
fn unnamed() -> HostKey {
    HostKey::Name("localhost".to_owned())
}

/// The machine, and the bandwidth of its network in bytes per second.
async fn look(moment: Duration) -> (Machine, u64) {
    let machine = Machine::look();
    let carried = || machine.line.as_deref().and_then(linux::carried);
    let (before, began) = (carried(), Instant::now());
    tokio::time::sleep(moment).await;
    let amount = carried().zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
    let rate = per_second(amount, began.elapsed());
    (machine, rate)
}

/// libvirt's active networks.
async fn networks() -> Result<Vec<String>, PlatformError> {
    let names = Connection::qemu().networks().await?;
    Ok(names.into_iter().map(|name| crate::model::Network::Managed(name).label()).collect())
}

/// The brands that this host can run. That it has QEMU is known from the version.
async fn brands() -> Result<BTreeSet<Brand>, PlatformError> {
    let containers = Connection::to(Driver::Lxc).answers().await?.then_some(Brand::LXC);
    Ok([Brand::KVM].into_iter().chain(containers).collect())
}

/// What is known about the zones besides the inventory.
#[derive(Default)]
struct Details {
    /// The zones' XML.
    xml: BTreeMap<uuid::Uuid, String>,
    /// For each driver, what its zones had used at two moments, by name, and the time between.
    used: Vec<(Brand, Usages, Usages, Duration)>,
}

/// The zones of all drivers.
async fn zones(
    libvirt: &Libvirt,
    moment: Duration,
    measure: bool,
) -> Result<(Inventory, Details), PlatformError> {
    let lists = libvirt.lists().await?;
    let details = try_join_all(lists.iter().map(|(driver, listed)| async move {
        tokio::try_join!(documents(*driver, listed), usages(*driver, listed, moment, measure))
    }));
    let (inventory, details) = tokio::try_join!(Libvirt::inventory_of(&lists), details)?;
    let mut all = Details::default();
    for (xml, used) in details {
        all.xml.extend(xml);
        all.used.push(used);
    }
    Ok((inventory, all))
}

async fn documents(
    driver: Driver,
    listed: &[ListedDomain],
) -> Result<Vec<(uuid::Uuid, String)>, PlatformError> {
    let answers = Connection::to(driver).documents(listed.iter().map(|domain| domain.uuid)).await?;
    Ok(listed.iter().map(|domain| domain.uuid).zip(answers).collect())
}

async fn usages(
    driver: Driver,
    listed: &[ListedDomain],
    moment: Duration,
    measure: bool,
) -> Result<(Brand, Usages, Usages, Duration), PlatformError> {
    let libvirt = Connection::to(driver);
    if listed.iter().all(|domain| domain.id.is_none()) {
        return Ok((driver.brand(), Usages::new(), Usages::new(), moment));
    }
    let before = libvirt.usages(listed, measure).await?;
    let began = Instant::now();
    tokio::time::sleep(moment).await;
    let after = libvirt.usages(listed, false).await?;
    // Both samples take equally long, so this is the time between them for each zone.
    Ok((driver.brand(), before, after, began.elapsed()))
}

impl Details {
    /// A zone and its needs. If there is no XML, only part of them is known.
    fn describe(&self, zone: &Zone, machine: &Machine, arch: &str) -> (FleetZone, Needs) {
        let xml = self.xml.get(&zone.uuid).map_or("", String::as_str).trim_start();
        let needs = needs::parse(xml, zone.is_running(), machine.usual_huge_page).unwrap_or_default();
        let mut described = FleetZone {
            no_live: Driver::of(zone.brand).is_none_or(|driver| !driver.abilities().live),
            huge_page: needs.huge_page,
            one_node: needs.one_node,
            // An emulated machine may have any architecture, on any host that emulates it.
            arch: if matches!(needs.domain.virt.as_str(), "kvm" | "lxc") {
                arch.to_owned()
            } else {
                String::new()
            },
            hypervisor: needs.hypervisor,
            networks: needs.domain.networks.iter().map(|network| network.label()).collect(),
            tags: needs.tags.clone(),
            ..FleetZone::of(zone, unnamed())
        };
        if let Some((before, after, time)) = self.used_by(zone) {
            (described.cpu_load, described.network_load) = after.since(before.unwrap_or(after), time);
            described.dirty = after.dirty.map(|rate| Dirty { rate, ..Dirty::default() });
            // Huge pages are allocated from the beginning, and are not counted as the process's memory.
            let resident = after.resident.filter(|_| needs.huge_page.is_none());
            let used = [after.balloon, resident].into_iter().flatten();
            described.memory_used = used.fold(described.memory_used, u64::min);
        }
        (described, needs)
    }

    fn used_by(&self, zone: &Zone) -> Option<(Option<&Usage>, &Usage, Duration)> {
        let (_, before, after, time) = self.used.iter().find(|(brand, ..)| *brand == zone.brand)?;
        let name = zone.name.platform_name();
        Some((before.get(&name), after.get(&name)?, *time))
    }
}

/// Adds the CPU features that zones need. Each different CPU is expanded only once.
async fn add_features(zones: &mut [(FleetZone, Needs)], host: Option<&Features>) {
    let models: BTreeSet<_> =
        zones.iter().filter_map(|(_, needs)| needs.processor.model()).cloned().collect();
    let features = models.into_iter().map(|model| async {
        // A feature that the zone has although its host lacks it is not required elsewhere.
        let needed = model.replace("policy='force'", "policy='disable'");
        let features = processor::taken_apart(needed).await;
        (model, features)
    });
    let features: BTreeMap<_, _> = join_all(features).await.into_iter().collect();
    for (zone, needs) in zones {
        let needed = match &needs.processor {
            Processor::Any => None,
            Processor::Same => host.cloned(),
            Processor::Model(model) => features.get(model).cloned().flatten(),
        };
        zone.cpu_features = needed.unwrap_or_default();
    }
}

/// Adds the storage that zones use; returns all storage that the host can access, if that is known in time.
async fn add_storage(zones: &mut [(FleetZone, Needs)]) -> Option<BTreeSet<String>> {
    let disks: Vec<_> = zones.iter().map(|(_, needs)| needs.domain.disks.clone()).collect();
    let look = tokio::task::spawn_blocking(move || {
        let storage = HostStorage::look();
        let used: Vec<_> = disks.iter().map(|disks| storage.of(disks)).collect();
        (storage.names(), used)
    });
    let (all, used) = tokio::time::timeout(STORAGE, look).await.ok()?.ok()?;
    for ((zone, _), used) in zones.iter_mut().zip(used) {
        zone.storage = used;
    }
    all
}

fn host_of(
    facts: PlatformFacts,
    networks: Vec<String>,
    features: Option<Features>,
    brands: BTreeSet<Brand>,
    machine: Machine,
    network_load: u64,
    storage: Option<BTreeSet<String>>,
) -> FleetHost {
    FleetHost {
        cpu_features: features,
        hypervisor: Version::find(&facts.hypervisor),
        arch: facts.arch,
        brands: Some(brands),
        memory: facts.memory,
        memory_free: facts.memory_free,
        huge_pages: machine.huge_pages,
        // A host with a single node has no NUMA.
        numa: if machine.nodes.len() > 1 { machine.nodes } else { Vec::new() },
        disk: facts.disk,
        disk_free: facts.disk_free,
        cpus: facts.cpus,
        cpu_load: machine.load.min(f64::from(facts.cpus)),
        network_load,
        bandwidth: machine.bandwidth,
        networks: Some(machine.devices.into_iter().chain(networks).collect()),
        storage,
        ..FleetHost::new(unnamed())
    }
}

/// Parses a text with every parser of this file.
#[cfg(feature = "fuzzing")]
pub(super) fn read_output(text: &str) {
    let _ = needs::parse(text, true, 1);
    storage::read_output(text);
}
