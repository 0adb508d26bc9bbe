//! What QEMU cannot migrate live: devices whose state it cannot send, and disk formats. libvirt passes on QEMU's
//! refusal when a migration begins, if it does not refuse earlier itself.

use roxmltree::Node;

use super::{Domain, child};
use crate::model::Against;

/// A device: its element, the child element that contains the value (none: the element itself), the attribute
/// with the value, the value (none: any), and a description.
type Device = (&'static str, Option<&'static str>, &'static str, Option<&'static str>, &'static str);

const DEVICES: &[Device] = &[
    ("crypto", None, "model", None, "crypto device"),
    ("iommu", None, "model", Some("amd"), "IOMMU amd"),
    ("controller", None, "type", Some("nvme"), "controller nvme"),
    ("interface", Some("model"), "type", Some("usb-net"), "network card usb-net"),
    ("serial", Some("target"), "type", Some("usb-serial"), "serial port on USB"),
    ("sound", None, "model", Some("usb"), "sound card usb"),
    ("sound", None, "model", Some("virtio"), "sound card virtio"),
];

/// Disk formats, by libvirt's names.
const FORMATS: [&str; 6] = ["ploop", "qcow", "vdi", "vhd", "vmdk", "vpc"];

/// Adds the obstacle of a device.
pub fn device(device: Node<'_, '_>, domain: &mut Domain) {
    for (_, below, attribute, value, name) in DEVICES.iter().filter(|one| device.has_tag_name(one.0)) {
        let said = below
            .map_or(Some(device), |below| child(device, below))
            .and_then(|node| node.attribute(*attribute));
        if said.is_some() && (value.is_none() || said == *value) {
            domain.obstacle(Against::Live, format!("QEMU does not move a {name} while the zone runs"));
        }
    }
}

/// Adds the obstacle of a disk's format, or of that of one of its backing stores.
pub fn disk(device: Node<'_, '_>, target: &str, domain: &mut Domain) {
    let mut level = Some(device);
    while let Some(store) = level {
        let format = child(store, "driver").or_else(|| child(store, "format"));
        if let Some(format) = format.and_then(|node| node.attribute("type")).filter(|it| FORMATS.contains(it))
        {
            let reason = format!("disk {target} has format {format}, which QEMU does not move");
            domain.obstacle(Against::Live, reason);
        }
        level = child(store, "backingStore");
    }
}

/// Adds the obstacle of Hyper-V features that depend on the host's CPU.
pub fn features(section: Node<'_, '_>, domain: &mut Domain) {
    let mode = child(section, "hyperv").and_then(|node| node.attribute("mode"));
    if mode == Some("passthrough") {
        let reason = "all Hyper-V features of the host are passed through, which QEMU does not migrate";
        domain.obstacle(Against::Live, reason);
    }
}
