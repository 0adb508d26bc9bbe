//! What a plan is made from: hosts, and the zones on them. It is also the form of inventory files (JSON), so that a
//! planner can be asked without any host.
//!
//! What is not known is left out and restricts nothing: a host that does not tell its networks has them all.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key::HostKey;
use super::rules::{Action, Rules};
use crate::model::{Brand, NetMap, UnmanagedGuest, ZoneName};

/// Hosts and zones. Hosts are named by `name`, zones by `name` and the host on which they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fleet {
    /// All hosts, those that are to be emptied too.
    pub hosts: Vec<FleetHost>,
    /// All zones, those that stay where they are too.
    pub zones: Vec<FleetZone>,
}

/// A version, for comparison: major, minor, micro.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version(pub u32, pub u32, pub u32);

/// Free huge pages of one size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HugePages {
    /// Bytes of one page.
    pub size: u64,
    /// How many are free.
    pub free: u64,
}

/// One memory node of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaNode {
    /// Bytes, all of it.
    pub memory: u64,
    /// Bytes that are free.
    pub memory_free: u64,
    /// Its processors.
    pub cpus: u32,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetHost {
    /// Its name: in a fleet that was asked over the network the target's URI, in files any word.
    pub name: HostKey,
    /// `x86_64`, …; empty if not known.
    #[serde(default)]
    pub arch: String,
    /// What its processors can do; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_features: Option<BTreeSet<String>>,
    /// Its hypervisor's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hypervisor: Option<Version>,
    /// The brands that it can run; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brands: Option<BTreeSet<Brand>>,
    /// Bytes of memory, all of it.
    #[serde(default)]
    pub memory: u64,
    /// Bytes of it that new zones could have now, what is reserved already taken off.
    #[serde(default)]
    pub memory_free: u64,
    /// Huge pages, by size.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub huge_pages: Vec<HugePages>,
    /// Memory nodes, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numa: Vec<NumaNode>,
    /// Processors.
    #[serde(default)]
    pub cpus: u32,
    /// Virtual processors that it lets running zones have, all together; none if it has no such limit, or none is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_vcpus: Option<u32>,
    /// How many of its processors are busy, on the average of the last minute.
    #[serde(default)]
    pub cpu_load: f64,
    /// Bytes a second that its network carries beside moves.
    #[serde(default)]
    pub network_load: u64,
    /// Bytes a second that its line carries, each way; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<u64>,
    /// Bytes of storage of its own, all of it; 0 if zones only use what hosts share.
    #[serde(default)]
    pub disk: u64,
    /// Bytes of it that are free.
    #[serde(default)]
    pub disk_free: u64,
    /// Networks that it has; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<BTreeSet<String>>,
    /// What it calls networks of other hosts, where it has another name for them.
    #[serde(default, skip_serializing_if = "NetMap::is_empty")]
    pub net_map: NetMap,
    /// Storage that it sees; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<BTreeSet<String>>,
    /// It is down, or cut off: no zone goes there, and what it has is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
    /// Who holds it in maintenance: no zone goes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<String>,
    /// When its maintenance will begin: no zone goes there that would have to leave again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
    /// Groups of hosts that it belongs to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Guests that it cannot handle: they stay on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmanaged: Vec<UnmanagedGuest>,
}

/// How a zone writes to its memory: the model of Kherbache, Madelaine and Hermenier (IEEE TCC 2017). A part of it
/// is written again and again; the rest slowly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dirty {
    /// Bytes of the part that is written to again and again.
    pub hot: u64,
    /// Milliseconds in which that part is written once.
    pub hot_ms: u64,
    /// Bytes of the rest that are written to in a second.
    pub rate: u64,
}

/// A zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetZone {
    /// Its name.
    pub name: ZoneName,
    /// The host on which it is.
    pub host: HostKey,
    /// Its identity; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The host that it belongs to and was evacuated from, if that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<HostKey>,
    /// Its brand; none if not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// Its platform cannot migrate zones of its brand live.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_live: bool,
    /// Whether it runs. One that does not needs no memory.
    #[serde(default)]
    pub running: bool,
    /// Bytes of memory that it must be able to have.
    #[serde(default)]
    pub memory: u64,
    /// Bytes of memory that it uses now: what a live migration sends, and what it gives back when it leaves.
    #[serde(default)]
    pub memory_used: u64,
    /// Its memory lies in huge pages of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub huge_page: Option<u64>,
    /// Its memory must lie in one memory node.
    #[serde(default)]
    pub one_node: bool,
    /// Virtual processors.
    #[serde(default)]
    pub cpus: u32,
    /// How many processors it keeps busy.
    #[serde(default)]
    pub cpu_load: f64,
    /// Bytes a second that it sends and receives.
    #[serde(default)]
    pub network_load: u64,
    /// Bytes of storage that go with it, because only its own host sees them.
    #[serde(default)]
    pub disk: u64,
    /// The architecture that it needs; empty if not known.
    #[serde(default)]
    pub arch: String,
    /// What it needs of a processor.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub cpu_features: BTreeSet<String>,
    /// The oldest hypervisor that takes it.
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
    /// What an administrator calls it beside its name.
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
    /// Zones (names) that go before it: its move begins when theirs have ended, well or not, and it is put to rest after
    /// those of them that rest, so it is back before them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub after: BTreeSet<ZoneName>,
    /// Groups of which no two zones may be on their way, or down, at the same time.
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

    /// Whether it takes zones, as far as its state goes.
    pub const fn in_service(&self) -> bool {
        !self.offline && self.maintenance.is_none() && self.announced.is_none()
    }

    /// Guests that would have to leave it and cannot be handled: with `all` also those that do not run.
    pub fn unhandled(&self, all: bool) -> impl Iterator<Item = &UnmanagedGuest> {
        self.unmanaged.iter().filter(move |unmanaged_guest| unmanaged_guest.running || all)
    }

    /// Virtual processors that running zones may have on it by these rules and its own limit; none: any number.
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

    /// Bytes of huge pages in which its memory lies, whole pages; none if it lies in ordinary memory.
    pub(super) fn paged(&self) -> Option<u64> {
        let size = self.huge_page?;
        Some(if size == 0 { self.memory } else { self.memory.div_ceil(size).saturating_mul(size) })
    }
}

impl Fleet {
    /// Reads an inventory file.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Sets what each host calls its networks, where `networks_of` that host's name says something; an inventory file
    /// may say it itself. Hosts that are known by a URI are found by its host part.
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
