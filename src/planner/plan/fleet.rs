//! What a plan is made from: hosts, and the zones on them. It is also the format of inventory files (JSON), so
//! that the planner works without any host.
//!
//! What is not known is left out and restricts nothing: a host without a list of networks counts as having them
//! all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key::HostKey;
use super::rules::{Action, Rules};
use crate::model::{Brand, NetMap, UnmanagedGuest, ZoneName};

/// Hosts and zones. Hosts are identified by `name`, zones by `name` and the host on which they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// All hosts, including those to be emptied.
    pub hosts: Vec<FleetHost>,
    /// All zones, including those that stay where they are.
    pub zones: Vec<FleetZone>,
}

/// A version, for comparison: major, minor, micro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u32, pub u32, pub u32);

/// Free huge pages of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HugePages {
    /// The size of a page in bytes.
    pub size: u64,
    /// The number of free pages.
    pub free: u64,
}

/// One NUMA node of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// Total memory in bytes.
    pub memory: u64,
    /// Free memory in bytes.
    pub memory_free: u64,
    /// Number of CPUs.
    pub cpus: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetHost {
    /// In a fleet that was asked over the network the target's URI, in files any word.
    pub name: HostKey,
    /// `x86_64`, …; empty if not known.
    #[serde(default)]
    pub arch: String,
    /// Its CPU features; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_features: Option<BTreeSet<String>>,
    /// Its hypervisor's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Version>,
    /// The brands that it can run; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brands: Option<BTreeSet<Brand>>,
    /// Total memory in bytes.
    #[serde(default)]
    pub memory: u64,
    /// Memory available to new zones, in bytes, without what is reserved.
    #[serde(default)]
    pub memory_free: u64,
    /// By page size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub huge_pages: Vec<HugePages>,
    /// NUMA nodes, if there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numa: Vec<NumaNode>,
    /// Number of CPUs.
    #[serde(default)]
    pub cpus: u32,
    /// Maximum number of virtual CPUs of all running zones together; none if there is no limit, or it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vcpus: Option<u32>,
    /// The number of busy CPUs, averaged over the last minute.
    #[serde(default)]
    pub cpu_load: f64,
    /// Network traffic besides moves, in bytes per second.
    #[serde(default)]
    pub network_load: u64,
    /// Network bandwidth in bytes per second, each way; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u64>,
    /// Total size of its own storage in bytes; 0 if zones use only shared storage.
    #[serde(default)]
    pub disk: u64,
    /// Free space of its own storage in bytes.
    #[serde(default)]
    pub disk_free: u64,
    /// None if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<BTreeSet<String>>,
    /// Names of other hosts' networks that differ on this host.
    #[serde(default, skip_serializing_if = "NetMap::is_empty")]
    pub net_map: NetMap,
    /// The storage that it can access; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<BTreeSet<String>>,
    /// It is down or unreachable: no zone goes there, and its resources are not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// The holder of its maintenance: no zone goes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// When announced maintenance begins: no zone goes there that would have to leave again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
    /// Host groups that it belongs to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Guests that cannot be handled, and so stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged: Vec<UnmanagedGuest>,
}

/// How a zone writes to its memory: the model of Kherbache, Madelaine and Hermenier (IEEE TCC 2017). A part of
/// the memory is written again and again; the rest slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dirty {
    /// The size of that part in bytes.
    pub hot: u64,
    /// Milliseconds in which that part is written once.
    pub hot_ms: u64,
    /// Bytes of the rest that are written per second.
    pub rate: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetZone {
    pub name: ZoneName,
    /// The host on which it is.
    pub host: HostKey,
    /// None if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The host to which it belongs and from which it was evacuated, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<HostKey>,
    /// None if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// Its platform cannot migrate zones of its brand live.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_live: bool,
    /// A zone that does not run needs no memory.
    #[serde(default)]
    pub running: bool,
    /// Maximum memory in bytes.
    #[serde(default)]
    pub memory: u64,
    /// Memory in use, in bytes: a live migration sends it, and it is freed when the zone leaves.
    #[serde(default)]
    pub memory_used: u64,
    /// The size of the huge pages that back its memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub huge_page: Option<u64>,
    /// Its memory must be in one NUMA node.
    #[serde(default)]
    pub one_node: bool,
    /// Number of virtual CPUs.
    #[serde(default)]
    pub cpus: u32,
    /// The number of CPUs that it keeps busy.
    #[serde(default)]
    pub cpu_load: f64,
    /// Network traffic in bytes per second, sent and received.
    #[serde(default)]
    pub network_load: u64,
    /// Storage that moves with it, because only its own host can access it, in bytes.
    #[serde(default)]
    pub disk: u64,
    /// The architecture that it needs; empty if not known.
    #[serde(default)]
    pub arch: String,
    /// The CPU features that it needs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cpu_features: BTreeSet<String>,
    /// The oldest hypervisor that can run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Version>,
    /// Networks that it needs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub networks: BTreeSet<String>,
    /// Storage that it needs.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub storage: BTreeSet<String>,
    /// The only hosts to which it may go, in order of preference; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<HostKey>>,
    /// Tags that an administrator gave it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// Groups of which no two zones may be on one host.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub apart: BTreeSet<String>,
    /// Groups of which all zones that move must go to one host.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub together: BTreeSet<String>,
    /// How it writes to its memory; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dirty: Option<Dirty>,
    /// What is done with it.
    #[serde(default)]
    pub action: Action,
    /// Higher goes first.
    #[serde(default)]
    pub priority: i32,
    /// Zones that go before it: its move begins when theirs have ended, successfully or not. If they are all
    /// stopped it is stopped after them, and so is booted before them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<ZoneName>,
    /// Groups of which no two zones may be in a move, or down, at the same time.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub one_by_one: BTreeSet<String>,
}

impl FleetHost {
    /// A host of which nothing else is known.
    pub fn new(name: HostKey) -> Self {
        Self {
            name,
            arch: String::new(),
            cpu_features: None,
            hypervisor: None,
            brands: None,
            memory: 0,
            memory_free: 0,
            huge_pages: Vec::new(),
            numa: Vec::new(),
            cpus: 0,
            max_vcpus: None,
            cpu_load: 0.0,
            network_load: 0,
            bandwidth: None,
            disk: 0,
            disk_free: 0,
            networks: None,
            net_map: NetMap::default(),
            storage: None,
            offline: false,
            maintenance: None,
            announced: None,
            groups: BTreeSet::new(),
            unmanaged: Vec::new(),
        }
    }

    /// Whether its state allows it to accept zones.
    pub const fn in_service(&self) -> bool {
        !self.offline && self.maintenance.is_none() && self.announced.is_none()
    }

    /// Guests that should leave but cannot be handled: with `all` also those that do not run.
    pub fn unhandled(&self, all: bool) -> impl Iterator<Item = &UnmanagedGuest> {
        self.unmanaged.iter().filter(move |unmanaged_guest| unmanaged_guest.running || all)
    }

    /// Maximum number of virtual CPUs of running zones, by these rules and its own limit; none: no limit.
    pub(super) fn vcpus(&self, rules: &Rules) -> Option<u32> {
        let ratio = rules.cpu_ratio.filter(|_| self.cpus > 0);
        let by_rules = ratio.map(|ratio| (f64::from(self.cpus) * ratio).floor() as u32);
        by_rules.into_iter().chain(self.max_vcpus).min()
    }
}

impl FleetZone {
    /// A zone of which nothing else is known.
    pub fn new(name: ZoneName, host: HostKey) -> Self {
        Self {
            name,
            host,
            uuid: None,
            home: None,
            brand: None,
            no_live: false,
            running: false,
            memory: 0,
            memory_used: 0,
            huge_page: None,
            one_node: false,
            cpus: 0,
            cpu_load: 0.0,
            network_load: 0,
            disk: 0,
            arch: String::new(),
            cpu_features: BTreeSet::new(),
            hypervisor: None,
            networks: BTreeSet::new(),
            storage: BTreeSet::new(),
            targets: None,
            tags: BTreeSet::new(),
            apart: BTreeSet::new(),
            together: BTreeSet::new(),
            dirty: None,
            action: Action::default(),
            priority: 0,
            after: BTreeSet::new(),
            one_by_one: BTreeSet::new(),
        }
    }

    /// It runs, is not to be restarted, and cannot be migrated live.
    pub(super) fn is_bound(&self) -> bool {
        self.running && self.action == Action::Live && self.no_live
    }

    /// Bytes of huge pages that back its memory, in whole pages; none if its memory is ordinary.
    pub(super) fn paged(&self) -> Option<u64> {
        let size = self.huge_page?;
        Some(if size == 0 { self.memory } else { self.memory.div_ceil(size).saturating_mul(size) })
    }
}

impl Fleet {
    /// Parses an inventory file.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Sets the network names that differ at each host, if `networks_of` has any for that host's name; an
    /// inventory file may contain them itself. A host that is known by a URI is looked up by its host part.
    pub fn map_networks(&mut self, networks_of: impl Fn(&str) -> NetMap) {
        for host in &mut self.hosts {
            let networks = networks_of(host.name.host());
            if !networks.is_empty() {
                host.net_map = networks;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_mapped_however_a_host_is_reached() {
        let host = |name: &str| FleetHost::new(name.parse().unwrap());
        let names = ["ssh://root@H2:22", "rads://h2", "h2", "h3"];
        let mut fleet = Fleet { hosts: names.map(host).to_vec(), zones: vec![] };
        let map = NetMap::of([("br1".parse().unwrap(), "br10".parse().unwrap())]).unwrap();
        fleet.map_networks(
            |host| if host.eq_ignore_ascii_case("h2") { map.clone() } else { NetMap::default() },
        );
        let mapped: Vec<_> = fleet.hosts.iter().map(|host| !host.net_map.is_empty()).collect();
        assert_eq!(mapped, [true, true, true, false]);
    }
}
