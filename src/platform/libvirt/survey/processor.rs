//! CPU features, as libvirt reports them.
//!
//! A CPU model is a name for a set of features, and hosts differ in single features: so models are expanded.
//! libvirt itself does that, in the same way for a host and for what a zone needs.

use std::collections::BTreeSet;

use crate::platform::PlatformError;
use crate::platform::libvirt::virsh::Connection;

pub type Features = BTreeSet<String>;

/// The features of this host's CPU for zones that run on it: empty if the host has no KVM, none if libvirt cannot
/// tell (on some architectures).
pub async fn of_host() -> Result<Option<Features>, PlatformError> {
    match Connection::qemu().kvm_capabilities().await? {
        Some(capabilities) => Ok(taken_apart(capabilities).await),
        None => Ok(Some(Features::new())),
    }
}

/// The features of a CPU: a `<cpu>`, or a host's capabilities. None if libvirt cannot tell.
pub async fn taken_apart(cpu: String) -> Option<Features> {
    Connection::qemu().cpu_features(cpu).await
}
