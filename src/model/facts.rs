//! What a host says of itself, and of a zone that wants to come.

use serde::{Deserialize, Serialize};

use super::{Home, InterfaceMapping, Kind, Manifest, Message, Network};
use crate::words;

/// A host's answer to "who are you, and how are you?".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Its own name.
    pub host: String,
    /// Version of sysadm there.
    pub software: String,
    /// `libvirt` or `sim`.
    pub platform: String,
    /// Hypervisor and version, for people.
    pub hypervisor: String,
    /// `x86_64`, `aarch64`, …
    pub arch: String,
    /// Memory, all of it, in bytes.
    pub memory: u64,
    /// Memory that a new zone could have, in bytes, without what is reserved for others.
    pub memory_free: u64,
    /// Processors.
    pub cpus: u32,
    /// Who holds it in maintenance, for people; none when nobody does.
    pub maintenance: Option<String>,
    /// When its maintenance will begin, for people; none if nobody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
}

/// A question to a destination: may this zone come, in this way?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The zone, whole, as it will be at the destination.
    pub manifest: Manifest,
    /// Live or cold.
    pub kind: Kind,
    /// The host that it comes from.
    pub from: String,
    /// The host that it belongs to while it is there; none: it belongs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Home>,
    /// A configuration of the same zone that is there already may be overwritten.
    pub overwrite: bool,
    /// Findings that only its validation has are not heeded (`attach -F`); see [`BlockerKind::is_validation`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// What else comes with it and is not booked: a dry run books nothing.
    #[serde(default)]
    pub pending: PendingLoad,
    /// The interfaces that are plugged into a network of another name at the destination than where it comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<InterfaceMapping>,
    /// The hosts that may fetch it where it comes from: they may where it goes, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

impl Arrival {
    /// A network of the zone in words, and what it is called where the zone comes from if that is something else.
    pub fn describe(&self, network: &Network) -> String {
        let name = network.name();
        match self.mappings.iter().find(|mapping| mapping.to.as_str() == name) {
            Some(mapping) => format!("{name} (for {})", mapping.from),
            None => name.to_owned(),
        }
    }
}

/// What zones take together that run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLoad {
    /// Bytes of memory.
    pub memory: u64,
    /// Virtual processors.
    pub cpus: u32,
}

words! {
    /// What a blocker is about.
    BlockerKind, "kind of blocker" {
        /// The destination is in maintenance, or being emptied.
        Maintenance = "maintenance",
        /// Another zone has its name or identity.
        Identity = "identity",
        /// Not enough memory.
        Memory = "memory",
        /// More virtual processors than its limit allows.
        Cpu = "cpu",
        /// Another platform, brand, architecture, machine or CPU.
        Platform = "platform",
        /// Software that the zone depends on is missing, or of another version.
        Software = "software",
        /// A disk or folder that it does not see.
        Storage = "storage",
        /// A network that it does not have.
        Network = "network",
        /// Something that the policy does not allow.
        Policy = "policy",
        /// Something in the zone's own configuration or state.
        Zone = "zone",
        /// The host did not answer, or not as a host should.
        Host = "host",
    }
}

impl BlockerKind {
    /// Whether it is found by comparing the zone with the host, and may be overruled by `attach -F`: the zone may not
    /// boot then, but no data is lost and no other zone suffers.
    pub const fn is_validation(self) -> bool {
        match self {
            Self::Software | Self::Platform | Self::Network => true,
            Self::Maintenance | Self::Identity | Self::Memory | Self::Cpu | Self::Storage => false,
            Self::Policy | Self::Zone | Self::Host => false,
        }
    }
}

/// One reason why a zone cannot go somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// What it is about.
    pub kind: BlockerKind,
    /// The reason, a lower-case fragment that names the thing.
    pub reason: String,
    /// What to do about it, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// For want of room: how much. None if it is about something else, or if not even the empty host would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shortage: Option<Shortage>,
}

/// How much room is missing, and whether it may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// Bytes of memory, or virtual processors: as the blocker's kind says.
    pub missing: u64,
    /// It may come: zones are leaving there, or it is booked for others, who may not come.
    pub may_free_up: bool,
}

impl Blocker {
    /// A blocker of that kind.
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
