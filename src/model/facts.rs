//! What a host reports about itself.

use serde::{Deserialize, Serialize};

/// A host's description of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The host's own name.
    pub host: String,
    /// The version of sysadm that it runs.
    pub software: String,
    /// `libvirt` or `sim`.
    pub platform: String,
    /// Hypervisor and version, to be shown to people.
    pub hypervisor: String,
    /// `x86_64`, `aarch64`, …
    pub arch: String,
    /// Total memory in bytes.
    pub memory: u64,
    /// Memory available to a new zone, in bytes, without what is reserved for others.
    pub memory_free: u64,
    pub cpus: u32,
    /// Who holds the host in maintenance, to be shown to people.
    pub maintenance: Option<String>,
    /// When announced maintenance begins, to be shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub announced: Option<String>,
}
