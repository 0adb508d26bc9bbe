//! The planner's reasons in words: lower-case sentence fragments that name their subject.

use std::collections::BTreeSet;
use std::fmt;

use super::{BlockedReason, Fleet, Refusal, Resource, Version, ZoneIx};
use crate::model::format_bytes;

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offline => f.write_str("offline"),
            Self::Drained => f.write_str("it is to be emptied itself"),
            Self::Home => f.write_str("the zone is there now"),
            Self::Maintenance(who) => write!(f, "it is in maintenance ({who})"),
            Self::Announced(when) => write!(f, "its maintenance begins at {when}"),
            Self::NotATarget => f.write_str("it is not a target of the zone"),
            Self::Architecture(arch) => write!(f, "it is {arch}"),
            Self::CpuFeatures(names) => write!(f, "its processors lack {}", names.join(", ")),
            Self::Brand => f.write_str("it does not run zones of this brand"),
            Self::NotLive => f.write_str("the zone runs, and its brand cannot move live"),
            Self::Hypervisor(version) => write!(f, "its hypervisor is too old ({version})"),
            Self::Networks(names) => write!(f, "it has no network {}", names.join(", ")),
            Self::MappedNetwork(there, here) => write!(f, "network {there} (for {here}) is not there"),
            Self::Storage(names) => write!(f, "it does not see storage {}", names.join(", ")),
            Self::Memory(bytes) => write!(f, "{} of memory missing", format_bytes(*bytes)),
            Self::HugePages(bytes) => write!(f, "{} of huge pages missing", format_bytes(*bytes)),
            Self::Node(bytes) => write!(f, "{} of memory missing on its largest node", format_bytes(*bytes)),
            Self::Cpus(count) => write!(f, "{count} virtual processor(s) too many"),
            Self::Disk(bytes) => write!(f, "{} of storage missing", format_bytes(*bytes)),
            Self::MaxZones(count) => write!(f, "it has {count} zone(s), and may have no more"),
            Self::Apart(group, zone) => write!(f, "{zone} of group {group} is there, too, or goes there"),
            Self::After(zone) => write!(f, "{zone} must move before, and cannot"),
            Self::Together(group, zone) => write!(f, "{zone} of group {group} cannot go there"),
        }
    }
}

impl BlockedReason {
    /// The reason in words, with the names of this fleet.
    pub fn describe(&self, fleet: &Fleet) -> String {
        let name = |zone: &ZoneIx| {
            fleet.zones.get(zone.0 as usize).map_or_else(|| "?".to_owned(), |zone| zone.name.to_string())
        };
        let wait = |zones: &BTreeSet<ZoneIx>, nobody: &str| {
            let names: Vec<_> = zones.iter().map(name).collect();
            if names.is_empty() { nobody.to_owned() } else { format!("; it waits for {}", names.join(", ")) }
        };
        match self {
            Self::Room { resource, missing, waits_for } => {
                let what = match resource {
                    Resource::Memory => format!("{} of memory missing", format_bytes(*missing)),
                    Resource::HugePages(_) => format!("{} of huge pages missing", format_bytes(*missing)),
                    Resource::Disk => format!("{} of storage missing", format_bytes(*missing)),
                    Resource::Cpus => format!("{missing} virtual processor(s) missing"),
                    Resource::Zones => format!("{missing} zone(s) too many"),
                };
                what + &wait(waits_for, "; no zone that moves makes room")
            }
            Self::Apart { group, waits_for } => {
                format!("a zone of group {group} is there") + &wait(waits_for, ", and stays")
            }
            Self::After(zone) => format!("{} must move before, and cannot", name(zone)),
            Self::Together(zone) => format!("{} must go along, and cannot", name(zone)),
            Self::NeverConverges(endless) => format!("moved live it would never arrive: {endless}"),
            Self::NoLine => "nothing can be sent there".to_owned(),
            Self::NotLive => "it runs, and its brand cannot move live".to_owned(),
            Self::Stays(action) => format!("it stays here ({action})"),
        }
    }
}
