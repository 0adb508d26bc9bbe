//! The result of placement: zones with their destinations, and the zones that fit nowhere, with all reasons.

use serde::{Deserialize, Serialize};

use crate::model::ZoneName;

/// A zone of a fleet, by its index in [`Fleet::zones`](super::Fleet::zones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneIx(pub u32);

/// A host of a fleet, by its index in [`Fleet::hosts`](super::Fleet::hosts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostIx(pub u32);

/// What is to be placed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacementRequest {
    /// The zones to move, without duplicates.
    pub zones: Vec<ZoneIx>,
    /// Hosts to be emptied: no zone goes there.
    pub drained: Vec<HostIx>,
}

/// One zone's destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub zone: ZoneIx,
    pub to: HostIx,
}

/// Where zones go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// In the order of the request.
    pub moves: Vec<Assignment>,
    /// Zones that fit nowhere, in the order of the request.
    pub unplaced: Vec<Unplaced>,
}

/// A zone that fits nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    pub zone: ZoneIx,
    /// Every host that it might go to, with all reasons against it.
    pub refusals: Vec<(HostIx, Vec<Refusal>)>,
}

/// One reason against a zone on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The host is down or unreachable.
    Offline,
    /// The host is to be emptied itself.
    Drained,
    /// The zone is there now.
    Home,
    /// The host is in maintenance; the holder.
    Maintenance(String),
    /// The host will be in maintenance; the time.
    Announced(String),
    /// Not among the zone's targets.
    NotATarget,
    /// The host has another architecture.
    Architecture(String),
    /// Missing CPU features.
    CpuFeatures(Vec<String>),
    /// The host does not run this brand.
    Brand,
    /// The zone runs, and its brand cannot migrate live: no host accepts it like that.
    NotLive,
    /// The host's hypervisor is older than the zone needs.
    Hypervisor(super::Version),
    /// Missing networks.
    Networks(Vec<String>),
    /// A missing network that has another name there: the name there, and the zone's own.
    MappedNetwork(String, String),
    /// Storage that the host cannot access.
    Storage(Vec<String>),
    /// Missing memory in bytes, after headroom and other zones that go there.
    Memory(u64),
    /// Missing huge pages in bytes.
    HugePages(u64),
    /// No NUMA node is large enough, however the other zones are seated; missing bytes on the largest.
    Node(u64),
    /// Virtual CPUs above the limit.
    Cpus(u32),
    /// Missing bytes of the host's own storage.
    Disk(u64),
    /// The host has the maximum number of zones.
    MaxZones(u32),
    /// A zone is there from which this one must be kept apart: group and zone.
    Apart(String, ZoneName),
    /// A zone that must move before this one does not move.
    After(ZoneName),
    /// A zone with which it must be together cannot go there: group and zone.
    Together(String, ZoneName),
}
