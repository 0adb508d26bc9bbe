//! Clusters of Ganeti, in the format of `hbal -t`: from the text to a fleet, and back with a new placement.
//!
//! A file has up to five parts separated by empty lines: groups, nodes, instances, cluster tags, policies. Fields
//! are separated by `|`; sizes are in MiB.
//!
//! | in Ganeti                                   | here                                                         |
//! |---------------------------------------------|--------------------------------------------------------------|
//! | node that is offline or drained (`Y` for both) | a host that is offline, and is to be emptied              |
//! | node group                                  | storage that only its nodes can access                       |
//! | sharedfile, gluster, rbd, ext, blockdev, diskless | any host of the group                                  |
//! | drbd                                        | only its secondary node; the two swap roles                  |
//! | plain, file                                 | no host: its disk is local to its node                       |
//! | exclusion tags (`htools:iextags:`)          | groups that are kept apart                                   |
//! | migration tags (`htools:migration:`, `htools:allowmigration:`) | CPU features                              |
//! | ratio of virtual CPUs in a group's policy, else in the cluster's, else hbal's own | the host's own limit, less what the node itself uses; it applies in addition to the ratio of sysadm's policy |
//!
//! What else the policies say (sizes, disk templates, spindles) only matters when instances or disks are created:
//! hbal moves existing ones whatever their size, and so do we. Exclusive storage is that of local disks.
//!
//! A node must keep more than nothing free (Ganeti calls this N+1), so one MiB of each is left out. What only
//! hbal's score uses (spindles, locations, CPU speed, memory reserved for secondaries) is ignored: for zones that
//! may go anywhere it is the same everywhere, or lies only at the file's nodes.

mod parse;
mod write;

use std::collections::BTreeSet;

use super::{Fleet, FleetHost, FleetZone, Goal, HostIx, HostKey, PlacementRequest, Rules, ZoneIx};
use crate::model::ZoneName;
pub use parse::ParseError;

const MIB: u64 = 1 << 20;

/// A cluster. Nodes and instances have the same indexes as the fleet's hosts and zones.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    lines: Vec<String>,
    nodes: Vec<Node>,
    instances: Vec<Instance>,
    tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Node {
    /// Its index in `lines`.
    line: usize,
    name: HostKey,
    /// Total memory in MiB.
    memory: u64,
    /// Memory of the node itself in MiB.
    own: u64,
    /// Free memory in MiB, as the node reports it.
    free: u64,
    disk: u64,
    disk_free: u64,
    cpus: u32,
    /// Maximum number of virtual CPUs of running instances; none: no limit.
    vcpus: Option<u32>,
    offline: bool,
    group: String,
    tags: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
struct Instance {
    line: usize,
    name: ZoneName,
    memory: u64,
    cpus: u32,
    running: bool,
    /// Its node, as an index in `nodes`.
    node: usize,
    secondary: Option<usize>,
    template: Template,
    tags: Vec<String>,
}

/// Where an instance's disks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Template {
    /// Only on its node.
    Local,
    /// On its node and its secondary.
    Mirrored,
    /// On shared storage, or diskless.
    Shared,
}

impl Cluster {
    /// Parses a file.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::cluster(text)
    }

    /// The names of its nodes, in the order of the fleet's hosts.
    pub fn nodes(&self) -> impl Iterator<Item = &HostKey> {
        self.nodes.iter().map(|node| &node.name)
    }

    pub fn fleet(&self) -> Fleet {
        let hosts = self.nodes.iter().enumerate().map(|(at, node)| self.host(at, node)).collect();
        Fleet { hosts, zones: self.instances.iter().map(|instance| self.zone(instance)).collect() }
    }

    /// All zones on hosts that are offline.
    pub fn question(&self) -> PlacementRequest {
        let instances =
            self.instances.iter().enumerate().filter(|(_, instance)| self.nodes[instance.node].offline);
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.offline);
        PlacementRequest {
            zones: instances.map(|(at, _)| ZoneIx(at as u32)).collect(),
            drained: nodes.map(|(at, _)| HostIx(at as u32)).collect(),
        }
    }

    /// hbal's goal. The limits of the cluster's policies are in its hosts.
    pub fn rules() -> Rules {
        Rules { goal: Goal::Ganeti, ..Rules::default() }
    }

    fn host(&self, at: usize, node: &Node) -> FleetHost {
        let there = self
            .instances
            .iter()
            .filter(|one| one.node == at && one.running)
            .fold(0, |all: u64, one| all.saturating_add(one.memory));
        let recorded = node.memory.saturating_sub(node.own).saturating_sub(there);
        let free = node.free.min(recorded).saturating_sub(1);
        FleetHost {
            cpu_features: Some(self.receives(node)),
            memory: node.memory.saturating_mul(MIB),
            memory_free: free.saturating_mul(MIB),
            cpus: node.cpus,
            max_vcpus: node.vcpus,
            offline: node.offline,
            disk: node.disk.saturating_mul(MIB),
            disk_free: node.disk_free.saturating_mul(MIB),
            storage: Some(BTreeSet::from([node.group.clone(), own_storage(node)])),
            groups: BTreeSet::from([node.group.clone()]),
            ..FleetHost::new(node.name.clone())
        }
    }

    fn zone(&self, instance: &Instance) -> FleetZone {
        let node = &self.nodes[instance.node];
        let memory = instance.memory.saturating_mul(MIB);
        FleetZone {
            running: instance.running,
            memory,
            memory_used: memory,
            cpus: instance.cpus,
            cpu_features: self.migration_tags(node),
            storage: match instance.template {
                Template::Shared | Template::Mirrored => BTreeSet::from([node.group.clone()]),
                Template::Local => BTreeSet::from([node.group.clone(), own_storage(node)]),
            },
            targets: match instance.template {
                Template::Shared | Template::Local => None,
                Template::Mirrored => {
                    Some(instance.secondary.iter().map(|at| self.nodes[*at].name.clone()).collect())
                }
            },
            tags: instance.tags.iter().cloned().collect(),
            apart: self.exclusion_tags(instance),
            ..FleetZone::new(instance.name.clone(), node.name.clone())
        }
    }

    /// The rest of each cluster tag that begins with these words.
    fn tagged(&self, words: &str) -> impl Iterator<Item = &str> {
        self.tags.iter().filter_map(move |tag| tag.strip_prefix(words)).filter(|rest| !rest.is_empty())
    }

    fn exclusion_tags(&self, instance: &Instance) -> BTreeSet<String> {
        let excluded = |tag: &&String| self.tagged("htools:iextags:").any(|prefix| tag.starts_with(prefix));
        instance.tags.iter().filter(excluded).cloned().collect()
    }

    /// The tags that a node must accept to take an instance of this one.
    fn migration_tags(&self, node: &Node) -> BTreeSet<String> {
        let matters = |tag: &&String| {
            let mut prefixes = self.tagged("htools:migration:");
            prefixes.any(|prefix| tag.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(':')))
        };
        node.tags.iter().filter(matters).cloned().collect()
    }

    /// The migration tags that a node accepts: its own, and those from which migration to its own is allowed.
    fn receives(&self, node: &Node) -> BTreeSet<String> {
        let mut takes = self.migration_tags(node);
        let allowed = self.tagged("htools:allowmigration:").filter_map(|pair| pair.split_once("::"));
        let more: Vec<_> =
            allowed.filter(|(_, to)| takes.contains(*to)).map(|(from, _)| from.to_owned()).collect();
        takes.extend(more);
        takes
    }
}

/// Storage that no other node can access.
fn own_storage(node: &Node) -> String {
    format!("local to {}", node.name)
}
