//! What the simulation can do with zones of a brand: the same as libvirt.

use crate::model::{Abilities, Brand};

/// What it can do with zones of that brand; nothing if it does not know the brand.
pub(super) fn able(brand: Brand) -> Abilities {
    abilities(brand).unwrap_or_default()
}

/// The same; none if it does not know the brand.
pub(super) fn abilities(brand: Brand) -> Option<Abilities> {
    match brand {
        Brand::KVM => Some(Abilities { live: true, suspend: true, host_software: false }),
        Brand::LXC => Some(Abilities { live: false, suspend: false, host_software: true }),
        _ => None,
    }
}
