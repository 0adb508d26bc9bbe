//! What processors can do, as libvirt says.
//!
//! A CPU model is a name for a set of features, and hosts differ in single ones: so models are taken apart. libvirt
//! itself does that, in the same way for a host and for what a zone needs.

use std::collections::BTreeSet;

use crate::platform::PlatformError;
use crate::platform::libvirt::virsh::Connection;

/// Names of features.
pub type Features = BTreeSet<String>;

/// What this host's processors can do for zones that run on them: nothing if the host has no KVM, none if libvirt
/// cannot tell (on some architectures).
pub async fn of_host() -> Result<Option<Features>, PlatformError> {
    match Connection::qemu().kvm_capabilities().await? {
        Some(capabilities) => Ok(taken_apart(capabilities).await),
        None => Ok(Some(Features::new())),
    }
}

/// The features of a processor: a `<cpu>`, or a host's capabilities. None if libvirt cannot tell.
pub async fn taken_apart(cpu: String) -> Option<Features> {
    Connection::qemu().cpu_features(cpu).await
}
