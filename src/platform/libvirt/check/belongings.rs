//! What a zone's configuration names of its host: devices that are passed through to it, volumes of storage pools,
//! secrets. A name says nothing of what is behind it; one that is not there says enough.

use std::path::Path;

use roxmltree::Node;

use super::super::ask::ask_now;
use super::super::domain_xml::{self, child};
use super::platform;
use crate::model::{Blocker, BlockerKind};
use crate::platform::PlatformError;

/// What of it is not here now: volumes and secrets come and go.
pub async fn missing(config: &str) -> Result<Vec<Blocker>, PlatformError> {
    let mut found: Vec<_> = missing_devices(config, Path::new("/sys")).into_iter().map(platform).collect();
    for reference in references(config) {
        let (words, reason) = reference.question();
        let reason = match ask_now(&words, "").await? {
            Ok(answer) if reference.is_in(&answer) => continue,
            Ok(_) => format!("{reason} there"),
            Err(said) => format!("{reason} there: {said}"),
        };
        found.push(Blocker::new(BlockerKind::Storage, reason));
    }
    Ok(found)
}

/// What libvirt itself keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Volume {
        pool: String,
        volume: String,
    },
    Secret(uuid::Uuid),
    /// A secret by what it is for: the kind of that, and its name.
    Usage(String, String),
}

impl Reference {
    /// How virsh is asked for it, and what is the matter if it does not know it.
    fn question(&self) -> (Vec<String>, String) {
        match self {
            Self::Volume { pool, volume } => (
                vec!["vol-path".to_owned(), format!("--pool={pool}"), format!("--vol={volume}")],
                format!("no volume {volume} of pool {pool}"),
            ),
            Self::Secret(uuid) => {
                (vec!["secret-dumpxml".to_owned(), uuid.to_string()], format!("no secret {uuid}"))
            }
            Self::Usage(kind, name) => {
                (vec!["secret-list".to_owned()], format!("no secret for {kind} {name}"))
            }
        }
    }

    //  c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret
    //  2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused
    /// Whether it is what virsh has printed, or among that.
    fn is_in(&self, answer: &str) -> bool {
        let Self::Usage(kind, name) = self else { return true };
        let usages =
            answer.lines().filter_map(|line| line.trim().split_once(' ')).map(|(_, usage)| usage.trim());
        usages.filter_map(|usage| usage.split_once(' ')).any(|usage| usage == (kind, name))
    }
}

/// Volumes and secrets of its disks. Anything else that stands in their place is left to libvirt.
fn references(config: &str) -> Vec<Reference> {
    let Ok(document) = domain_xml::read(config) else { return Vec::new() };
    let mut found = Vec::new();
    for disk in devices(document.root_element()).filter(|node| node.has_tag_name("disk")) {
        let volume = child(disk, "source").and_then(|source| {
            // Not a path, which would find volumes of other pools as well.
            let name =
                |name: &str| source.attribute(name).filter(|name| !name.contains('/')).map(str::to_owned);
            Some(Reference::Volume { pool: name("pool")?, volume: name("volume")? })
        });
        let secrets = disk.descendants().filter(|node| node.has_tag_name("secret"));
        let secrets = secrets.filter_map(secret);
        for reference in volume.into_iter().chain(secrets) {
            if !found.contains(&reference) {
                found.push(reference);
            }
        }
    }
    found
}

fn secret(node: Node<'_, '_>) -> Option<Reference> {
    match (node.attribute("uuid"), node.attribute("type"), node.attribute("usage")) {
        (Some(uuid), ..) => uuid.parse().ok().map(Reference::Secret),
        // A passphrase is the secret of a volume.
        (None, Some("passphrase"), Some(name)) => {
            Some(Reference::Usage("volume".to_owned(), name.to_owned()))
        }
        (None, Some(kind), Some(name)) => Some(Reference::Usage(kind.to_owned(), name.to_owned())),
        _ => None,
    }
}

fn devices<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    child(root, "devices").into_iter().flat_map(|devices| devices.children())
}

/// Devices that would be passed through to the zone and are not below this `/sys`. One that may be missing when the zone
/// boots is not missed.
fn missing_devices(config: &str, sys: &Path) -> Vec<String> {
    let Ok(document) = domain_xml::read(config) else { return Vec::new() };
    let passed = |node: &Node<'_, '_>| {
        let is_interface = node.has_tag_name("interface") && node.attribute("type") == Some("hostdev");
        node.has_tag_name("hostdev") || is_interface
    };
    let sources = devices(document.root_element()).filter(passed).filter_map(|node| {
        let kind = if node.has_tag_name("interface") { "pci" } else { node.attribute("type")? };
        let source = child(node, "source")?;
        (source.attribute("startupPolicy") != Some("optional")).then_some((kind, source))
    });
    sources.filter_map(|(kind, source)| missing_device(kind, source, sys)).collect()
}

fn missing_device(kind: &str, source: Node<'_, '_>, sys: &Path) -> Option<String> {
    match kind {
        "pci" => {
            let address = child(source, "address")?;
            let part = |name: &str| number(address.attribute(name).unwrap_or("0"));
            let [domain, bus, slot, function] =
                [part("domain")?, part("bus")?, part("slot")?, part("function")?];
            let name = format!("{domain:04x}:{bus:02x}:{slot:02x}.{function:x}");
            let there = sys.join("bus/pci/devices").join(&name).exists();
            (!there).then(|| format!("no PCI device {name} there"))
        }
        "usb" => {
            let [vendor, product] = ["vendor", "product"]
                .map(|name| child(source, name).and_then(|node| number(node.attribute("id")?)));
            let name = format!("{:04x}:{:04x}", vendor?, product?);
            (!usb_devices(sys).contains(&name)).then(|| format!("no USB device {name} there"))
        }
        "mdev" => {
            let uuid: uuid::Uuid = child(source, "address")?.attribute("uuid")?.parse().ok()?;
            let there = sys.join("bus/mdev/devices").join(uuid.to_string()).exists();
            (!there).then(|| format!("no mediated device {uuid} there"))
        }
        _ => None,
    }
}

/// `0x1d6b` or `7`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Vendor and product of each.
fn usb_devices(sys: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(sys.join("bus/usb/devices")).into_iter().flatten().flatten();
    let id = |folder: &Path, name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let name = |folder: &Path| {
        Some(format!("{}:{}", id(folder, "idVendor")?.trim(), id(folder, "idProduct")?.trim()))
    };
    entries.filter_map(|entry| name(&entry.path())).collect()
}

/// Reads a configuration in each of the ways in which it is read here.
#[cfg(feature = "fuzzing")]
pub fn read_config(xml: &str) {
    let _ = (references(xml), missing_devices(xml, Path::new("/sys")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_is_passed_through_is_looked_for_by_its_address_or_its_kind() {
        let sys = tempfile::tempdir().unwrap();
        let make = |path: &str, text: &str| {
            let path = sys.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        make("bus/pci/devices/0000:3b:00.1/class", "");
        make("bus/usb/devices/1-1/idVendor", "046d\n");
        make("bus/usb/devices/1-1/idProduct", "c52b\n");
        let pci = |function: u32| {
            format!(
                "<source><address domain='0x0000' bus='0x3b' slot='0x00' function='0x{function}'/></source>"
            )
        };
        let hostdev =
            |kind: &str, source: &str| format!("<hostdev mode='subsystem' type='{kind}'>{source}</hostdev>");
        let usb = |product: &str, policy: &str| {
            format!(
                "<source startupPolicy='{policy}'><vendor id='0x046d'/><product id='0x{product}'/></source>"
            )
        };
        let mdev = "<source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source>";
        for (device, missing) in [
            (hostdev("pci", &pci(1)), None),
            (hostdev("pci", &pci(2)), Some("no PCI device 0000:3b:00.2 there")),
            (
                format!("<interface type='hostdev'>{}</interface>", pci(2)),
                Some("no PCI device 0000:3b:00.2 there"),
            ),
            (hostdev("usb", &usb("c52b", "mandatory")), None),
            (hostdev("usb", &usb("c52c", "mandatory")), Some("no USB device 046d:c52c there")),
            (hostdev("usb", &usb("c52c", "optional")), None),
            (hostdev("mdev", mdev), Some("no mediated device c2177883-f1bb-47f0-914d-32a22e3a8804 there")),
            (hostdev("pci", "<source><address bus='../..'/></source>"), None),
        ] {
            let found = missing_devices(&format!("<domain><devices>{device}</devices></domain>"), sys.path());
            assert_eq!(found.iter().map(String::as_str).next(), missing, "{device}");
        }
    }

    #[test]
    fn volumes_and_secrets_of_disks_are_asked_for_each_once() {
        let disks = "<disk type='volume'><source pool='vms' volume='web.img'/></disk>\
            <disk type='volume'><source pool='vms' volume='/etc/shadow'/></disk>\
            <disk type='network'><source protocol='rbd'><auth username='u'>\
            <secret type='ceph' uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></auth></source></disk>\
            <disk type='file'><source file='/x'><encryption format='luks'>\
            <secret type='passphrase' uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></encryption></source></disk>\
            <disk type='network'><source protocol='iscsi'><auth username='u'><secret type='iscsi' usage='san 1'/></auth>\
            </source></disk>";
        let found = references(&format!("<domain><devices>{disks}</devices></domain>"));
        let asked: Vec<_> = found.iter().map(|one| one.question().0.join(" ")).collect();
        assert_eq!(
            asked,
            [
                "vol-path --pool=vms --vol=web.img",
                "secret-dumpxml c2177883-f1bb-47f0-914d-32a22e3a8804",
                "secret-list"
            ]
        );
        assert_eq!(found[2].question().1, "no secret for iscsi san 1");
    }

    #[test]
    fn a_secret_is_found_by_what_it_is_for() {
        let listed = " c2177883-f1bb-47f0-914d-32a22e3a8804   ceph client.libvirt secret\n \
                      1ed8a768-690a-425b-b2e5-776395e722c0   volume /x/y.img\n \
                      2a8b8ed6-fd31-48e8-a189-28b9737da1c5   Unused\n";
        let there = |secret: &str| {
            let document = format!("<domain><devices><disk>{secret}</disk></devices></domain>");
            references(&document)[0].is_in(listed)
        };
        assert!(there("<secret type='ceph' usage='client.libvirt secret'/>"));
        assert!(there("<secret type='passphrase' usage='/x/y.img'/>"));
        assert!(!there("<secret type='iscsi' usage='client.libvirt secret'/>"));
        assert!(!there("<secret type='ceph' usage='client.libvirt'/>"));
        assert!(!there("<secret type='ceph' usage=''/>"));
    }
}
