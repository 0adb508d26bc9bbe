//! The answer to "who goes where": zones with their destinations, and the zones that fit nowhere, with all reasons.

use serde::{Deserialize, Serialize};

use crate::model::ZoneName;

/// A zone of a fleet, by its place in [`Fleet::zones`](super::Fleet::zones).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneIx(pub u32);

/// A host of a fleet, by its place in [`Fleet::hosts`](super::Fleet::hosts).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HostIx(pub u32);

/// What is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlacementRequest {
    /// The zones that are to move, each once.
    pub zones: Vec<ZoneIx>,
    /// Hosts that are to be emptied: nothing goes there.
    pub drained: Vec<HostIx>,
}

/// One zone's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The zone.
    pub zone: ZoneIx,
    /// Where it goes.
    pub to: HostIx,
}

/// Who goes where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// In the order of the question.
    pub moves: Vec<Assignment>,
    /// Zones that fit nowhere, in the order of the question.
    pub unplaced: Vec<Unplaced>,
}

/// A zone that fits nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The zone.
    pub zone: ZoneIx,
    /// Every host that it may ask, with all that stands against it there.
    pub refusals: Vec<(HostIx, Vec<Refusal>)>,
}

/// One reason against a zone on a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The host is down, or cut off.
    Offline,
    /// The host is to be emptied itself.
    Drained,
    /// The zone is there now.
    Home,
    /// It is in maintenance; who says so.
    Maintenance(String),
    /// It will be in maintenance; when.
    Announced(String),
    /// Not among the zone's targets.
    NotATarget,
    /// Another architecture: the host's.
    Architecture(String),
    /// Processor features that are missing.
    CpuFeatures(Vec<String>),
    /// It does not run this brand.
    Brand,
    /// The zone runs, and its brand cannot move live: no host takes it like that.
    NotLive,
    /// Its hypervisor is older than the zone needs.
    Hypervisor(super::Version),
    /// Networks that are missing.
    Networks(Vec<String>),
    /// A network that is missing and has another name there: the name there, and the zone's own.
    MappedNetwork(String, String),
    /// Storage that it does not see.
    Storage(Vec<String>),
    /// Bytes of memory that are missing, with headroom and what else goes there.
    Memory(u64),
    /// Bytes of huge pages that are missing.
    HugePages(u64),
    /// No memory node of its own is large enough, however the others are seated; bytes that are missing on the largest.
    Node(u64),
    /// Virtual processors above what the rules allow.
    Cpus(u32),
    /// Bytes of its own storage that are missing.
    Disk(u64),
    /// It has as many zones as the rules allow.
    MaxZones(u32),
    /// A zone is there from which this one must be kept apart: group and zone.
    Apart(String, ZoneName),
    /// A zone that must move before this one does not move: its name.
    After(ZoneName),
    /// A zone with which it must be together cannot go there: group and zone.
    Together(String, ZoneName),
}
