//! What the simulation can do with zones of a brand: the same as libvirt.

use crate::model::{Abilities, Brand};

/// The abilities for that brand; none of them if the brand is unknown.
pub(super) fn able(brand: Brand) -> Abilities {
    abilities(brand).unwrap_or_default()
}

/// The abilities for that brand, if it is known.
pub(super) fn abilities(brand: Brand) -> Option<Abilities> {
    match brand {
        Brand::KVM => Some(Abilities { live: true, suspend: true, host_software: false }),
        Brand::LXC => Some(Abilities { live: false, suspend: false, host_software: true }),
        _ => None,
    }
}
