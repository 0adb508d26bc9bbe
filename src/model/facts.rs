//! What a host says of itself, and of a zone that wants to come.

use serde::{Deserialize, Serialize};

use super::zone::words;
use super::{Kind, Manifest};

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
}

/// A question to a destination: may this zone come, in this way?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The zone, whole.
    pub manifest: Manifest,
    /// Live or cold.
    pub kind: Kind,
    /// The host that it comes from.
    pub from: String,
    /// A configuration of the same zone that is there already may be overwritten.
    pub overwrite: bool,
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
        /// Another platform, brand, architecture, machine or CPU.
        Platform = "platform",
        /// A disk or folder that it does not see.
        Storage = "storage",
        /// A network that it does not have.
        Network = "network",
        /// Something in the zone's own configuration or state.
        Zone = "zone",
        /// The host did not answer, or not as a host should.
        Host = "host",
    }
}

/// One reason why a zone cannot go somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// What it is about.
    pub kind: BlockerKind,
    /// The reason, a lower-case fragment that names the thing.
    pub reason: String,
}

impl Blocker {
    /// A blocker of that kind.
    pub fn new(kind: BlockerKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.reason)
    }
}
