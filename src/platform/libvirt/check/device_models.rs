//! Network cards, sound cards and controllers of a zone that this host's QEMU was built without. libvirt does not
//! list them; QEMU does, by its own names.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::super::domain_xml::{self, child};

/// A card's name in a configuration, and QEMU devices of which at least one must exist: which one is used depends
/// on the machine.
type Card = (&'static str, &'static [&'static str]);

/// `<interface><model type>`
const NETWORK: &[Card] = &[
    ("virtio", &["virtio-net-pci", "virtio-net-device", "virtio-net-ccw"]),
    ("virtio-transitional", &["virtio-net-pci-transitional"]),
    ("virtio-non-transitional", &["virtio-net-pci-non-transitional"]),
    ("e1000", &["e1000"]),
    ("e1000-82544gc", &["e1000-82544gc"]),
    ("e1000-82545em", &["e1000-82545em"]),
    ("e1000e", &["e1000e"]),
    ("igb", &["igb"]),
    ("i82551", &["i82551"]),
    ("i82557b", &["i82557b"]),
    ("i82559er", &["i82559er"]),
    ("ne2k_isa", &["ne2k_isa"]),
    ("ne2k_pci", &["ne2k_pci"]),
    ("pcnet", &["pcnet"]),
    ("rtl8139", &["rtl8139"]),
    ("spapr-vlan", &["spapr-vlan"]),
    ("tulip", &["tulip"]),
    ("usb-net", &["usb-net"]),
    ("vmxnet3", &["vmxnet3"]),
];

/// `<sound model>`
const SOUND: &[Card] = &[
    ("ac97", &["AC97"]),
    ("es1370", &["ES1370"]),
    ("ich6", &["intel-hda"]),
    ("ich9", &["ich9-intel-hda"]),
    ("sb16", &["sb16"]),
    ("usb", &["usb-audio"]),
    ("virtio", &["virtio-sound-pci", "virtio-sound-device"]),
];

/// `<controller type model>`; some types have no model.
const CONTROLLERS: &[Card] = &[
    ("ccid", &["usb-ccid"]),
    ("pci dmi-to-pci-bridge", &["i82801b11-bridge"]),
    ("pci pci-bridge", &["pci-bridge"]),
    ("pci pci-expander-bus", &["pxb"]),
    ("pci pcie-expander-bus", &["pxb-pcie"]),
    ("pci pcie-root-port", &["pcie-root-port", "ioh3420"]),
    ("pci pcie-switch-downstream-port", &["xio3130-downstream"]),
    ("pci pcie-switch-upstream-port", &["x3130-upstream"]),
    ("pci pcie-to-pci-bridge", &["pcie-pci-bridge"]),
    ("sata", &["ich9-ahci"]),
    ("scsi am53c974", &["am53c974"]),
    ("scsi dc390", &["dc390"]),
    ("scsi ibmvscsi", &["spapr-vscsi"]),
    ("scsi lsilogic", &["lsi53c895a", "lsi"]),
    ("scsi lsisas1068", &["mptsas1068"]),
    ("scsi lsisas1078", &["megasas"]),
    ("scsi virtio-non-transitional", &["virtio-scsi-pci-non-transitional"]),
    ("scsi virtio-scsi", &["virtio-scsi-pci", "virtio-scsi-device", "virtio-scsi-ccw"]),
    ("scsi virtio-transitional", &["virtio-scsi-pci-transitional"]),
    ("scsi vmpvscsi", &["pvscsi"]),
    ("usb ehci", &["usb-ehci"]),
    ("usb ich9-ehci1", &["ich9-usb-ehci1"]),
    ("usb ich9-uhci1", &["ich9-usb-uhci1"]),
    ("usb ich9-uhci2", &["ich9-usb-uhci2"]),
    ("usb ich9-uhci3", &["ich9-usb-uhci3"]),
    ("usb nec-xhci", &["nec-usb-xhci"]),
    ("usb pci-ohci", &["pci-ohci"]),
    ("usb piix3-uhci", &["piix3-usb-uhci"]),
    ("usb piix4-uhci", &["piix4-usb-uhci"]),
    ("usb qemu-xhci", &["qemu-xhci"]),
    ("virtio-serial", &["virtio-serial-pci", "virtio-serial-device", "virtio-serial-ccw"]),
    ("virtio-serial virtio-non-transitional", &["virtio-serial-pci-non-transitional"]),
    ("virtio-serial virtio-transitional", &["virtio-serial-pci-transitional"]),
];

/// Descriptions of what a configuration requires and QEMU does not list. Unknown cards are not reported, and if
/// `listed` is not a list, nothing is.
pub fn missing(config: &str, listed: &str) -> Vec<String> {
    let Ok(document) = domain_xml::read(config) else { return Vec::new() };
    let devices = names(listed);
    if devices.is_empty() {
        return Vec::new();
    }
    let sections = child(document.root_element(), "devices").into_iter();
    let asked = sections.flat_map(|devices| devices.children()).filter_map(asked);
    let mut found = Vec::new();
    for (kind, cards, card) in asked {
        let known = cards.iter().find(|(name, _)| *name == card);
        let is_there = known.is_none_or(|(_, wanted)| wanted.iter().any(|name| devices.contains(name)));
        let reason = format!("no {kind} {card}");
        if !is_there && !found.contains(&reason) {
            found.push(reason);
        }
    }
    found
}

/// The kind of card that an element asks for, the known models of that kind, and the model that it asks for.
fn asked(node: Node<'_, '_>) -> Option<(&'static str, &'static [Card], String)> {
    match node.tag_name().name() {
        "interface" => Some(("network card", NETWORK, child(node, "model")?.attribute("type")?.to_owned())),
        "sound" => Some(("sound card", SOUND, node.attribute("model")?.to_owned())),
        "controller" => {
            let words = [node.attribute("type"), node.attribute("model")].into_iter().flatten();
            Some(("controller", CONTROLLERS, words.collect::<Vec<_>>().join(" ")))
        }
        _ => None,
    }
}

// Network devices:
// name "e1000", bus PCI, alias "e1000-82540em", desc "Intel Gigabit Ethernet"
/// The names in `qemu -device help`, including aliases.
fn names(listed: &str) -> BTreeSet<&str> {
    let of_line = |line| {
        let parts: Vec<_> = str::split(line, '"').collect();
        let named = parts.chunks_exact(2).filter_map(|pair| match pair {
            [label, name] if *label == "name " || label.ends_with(", alias ") => Some(*name),
            _ => None,
        });
        named.collect::<Vec<_>>()
    };
    listed.lines().filter(|line| line.starts_with("name \"")).flat_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The output of QEMU 7.2.
    const HERE: &str = include_str!("fixtures/devices.txt");

    fn found(devices: &str, listed: &str) -> String {
        missing(&format!("<domain type='qemu'><devices>{devices}</devices></domain>"), listed).join("; ")
    }

    #[test]
    fn each_card_that_is_not_there_is_named_once() {
        for (device, name, reason) in [
            ("<interface type='bridge'><model type='e1000'/></interface>", "e1000", "no network card e1000"),
            (
                "<interface type='bridge'><model type='vmxnet3'/></interface>",
                "vmxnet3",
                "no network card vmxnet3",
            ),
            ("<sound model='ich9'/>", "ich9-intel-hda", "no sound card ich9"),
            ("<sound model='ac97'/>", "AC97", "no sound card ac97"),
            ("<controller type='usb' model='qemu-xhci'/>", "qemu-xhci", "no controller usb qemu-xhci"),
            ("<controller type='scsi' model='lsisas1078'/>", "megasas", "no controller scsi lsisas1078"),
            ("<controller type='sata' index='0'/>", "ich9-ahci", "no controller sata"),
        ] {
            let line = |line: &&str| line.starts_with(&format!("name \"{name}\""));
            assert!(HERE.lines().any(|one| line(&one)), "{name}");
            let without: Vec<_> = HERE.lines().filter(|one| !line(one)).collect();
            assert_eq!(found(device, HERE), "", "{device}");
            assert_eq!(found(&device.repeat(2), &without.join("\n")), reason);
        }
    }

    #[test]
    fn one_device_of_those_that_a_card_may_be_will_do() {
        let virtio = "<interface><model type='virtio'/></interface>";
        assert_eq!(found(virtio, "name \"virtio-net-ccw\", bus virtual-css-bus\n"), "");
        assert_eq!(found(virtio, "name \"e1000\", bus PCI\n"), "no network card virtio");
        let old = "<controller type='scsi' model='lsilogic'/>";
        assert_eq!(found(old, "name \"x\", bus PCI, alias \"lsi\"\n"), "");
    }

    #[test]
    fn what_is_not_known_is_not_missed() {
        for device in [
            "<interface><model type='of-tomorrow'/></interface>",
            "<interface/>",
            "<sound/>",
            "<sound model='pcspk'/>",
            "<controller type='pci' index='0' model='pcie-root'/>",
            "<controller type='ide'/>",
            "<controller/>",
        ] {
            assert_eq!(found(device, HERE), "", "{device}");
        }
        assert_eq!(found("<interface><model type='e1000'/></interface>", "qemu: cannot say\n"), "");
    }

    #[test]
    fn every_card_is_one_that_some_qemu_has() {
        let elsewhere = ["igb", "spapr-vlan", "spapr-vscsi", "virtio-sound-pci", "dc390"];
        let devices = names(HERE);
        for (card, wanted) in NETWORK.iter().chain(SOUND).chain(CONTROLLERS) {
            let is_known = |name: &&str| devices.contains(name) || elsewhere.contains(name);
            assert!(wanted.iter().any(is_known), "{card}: {wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn no_list_makes_the_reader_panic(text in "(name \"|\"|, alias \"|e1000|\n|\\PC){0,30}") {
            let _ = found("<sound model='ac97'/>", &text);
        }
    }
}
