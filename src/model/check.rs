//! The question to a destination whether a zone may arrive there, and its answer.

use serde::{Deserialize, Serialize};

use super::{Home, InterfaceMapping, Manifest, Message, Method, Network};
use crate::words;

/// The question to a destination whether a zone may arrive there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckRequest {
    /// The zone as it will be configured at the destination.
    pub manifest: Manifest,
    pub method: Method,
    /// The source host's name.
    pub from: String,
    /// The host that the zone belongs to; none: the destination itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
    /// An existing configuration of the same zone at the destination may be overwritten.
    pub overwrite: bool,
    /// Validation findings are ignored (`attach -F`); see [`BlockerKind::is_validation`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Zones of the same run that also go there. Only a dry run says so, since it makes no reservations.
    #[serde(default)]
    pub pending: PendingLoad,
    /// Bytes of disk space for the data that is copied. Storage that both hosts see needs none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub disk: u64,
    /// The interfaces whose network has another name at the destination than at the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<InterfaceMapping>,
    /// The hosts that may take the zone back from the source; they may do the same at the destination.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

impl CheckRequest {
    /// A network of the zone for messages, with its name at the source if that differs.
    pub fn describe(&self, network: &Network) -> String {
        let name = network.name();
        match self.mappings.iter().find(|mapping| mapping.to.as_str() == name) {
            Some(mapping) => format!("{name} (for {})", mapping.from),
            None => name.to_owned(),
        }
    }
}

/// The resources that a set of zones needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLoad {
    /// In bytes.
    pub memory: u64,
    /// Number of virtual CPUs.
    pub cpus: u32,
    /// In bytes.
    #[serde(default)]
    pub disk: u64,
}

words! {
    /// What a blocker is about.
    BlockerKind, "kind of blocker" {
        /// The destination is in maintenance or being evacuated.
        Maintenance = "maintenance",
        /// Another zone has the same name or UUID.
        Identity = "identity",
        Memory = "memory",
        /// More virtual CPUs than the destination allows.
        Cpu = "cpu",
        /// Platform, brand, architecture, machine type or CPU model differ.
        Platform = "platform",
        /// Software that the zone depends on is missing, or of another version.
        Software = "software",
        /// Not enough disk space for the data that is copied.
        Disk = "disk",
        /// The destination cannot see a disk or folder.
        Storage = "storage",
        /// The destination lacks a network.
        Network = "network",
        /// The policy forbids it.
        Policy = "policy",
        /// The zone's own configuration or state.
        Zone = "zone",
        /// The host did not answer, or gave an invalid answer.
        Host = "host",
    }
}

impl BlockerKind {
    /// Whether `attach -F` may overrule it: the zone may then fail to boot, but no data is lost and no other zone is
    /// affected.
    pub const fn is_validation(self) -> bool {
        match self {
            Self::Software | Self::Platform | Self::Network => true,
            Self::Maintenance | Self::Identity | Self::Memory | Self::Cpu | Self::Disk | Self::Storage => {
                false
            }
            Self::Policy | Self::Zone | Self::Host => false,
        }
    }
}

/// One reason why a zone cannot go to a destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    pub kind: BlockerKind,
    /// A lower-case sentence fragment that names its subject.
    pub reason: String,
    /// What to do about it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// How much room is missing. None if the blocker is about something else, or if the zone would not fit even on an
    /// empty host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortage: Option<Shortage>,
}

/// How much room is missing, and whether waiting may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// Bytes of memory or virtual CPUs, depending on the blocker's kind.
    pub missing: u64,
    /// Zones are leaving the destination, or the room is reserved for zones that may not arrive after all.
    pub may_free_up: bool,
}

impl Blocker {
    pub fn new(kind: BlockerKind, reason: impl Into<Message>) -> Self {
        let reason = reason.into();
        Self { kind, hint: reason.hint(), reason: reason.text, shortage: None }
    }

    /// The reason, with what to do about it.
    pub fn message(&self) -> Message {
        Message::recorded(self.reason.clone(), self.hint.as_deref())
    }

    /// All of these reasons.
    pub fn join(blockers: &[Self]) -> Message {
        Message::join(blockers.iter().map(Self::message), "; ")
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}
