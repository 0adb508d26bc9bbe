//! The XML of a domain: its storage, networks and machine, and its obstacles to a move.
//!
//! A zone moves with the document as libvirt wrote it, except that network names may be mapped
//! ([`map_interfaces()`]) and that an administrator may ask for changes ([`edit()`]). Both replace exact parts of
//! the text.

mod devices;
mod edit;
mod live;
mod machine;
mod map_interfaces;
mod need;
mod network;
mod numbers;
mod shared;
mod stated;
mod storage;
mod text;

use std::collections::HashSet;
use std::path::PathBuf;

use roxmltree::{Document, Node};

use crate::model::{Against, Disk, Interface, Network, Obstacle, StorageUri, Zone, xml};
pub use edit::edit;
pub use map_interfaces::map_interfaces;
pub use need::Need;
use network::{mac_of, network_of};
pub use numbers::Numbers;
pub use shared::writes_over;
pub use stated::{DomainSettings, bytes_of, stated};
use storage::source_of;

/// The relevant parts of a domain's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// `kvm`, `qemu`, `lxc`.
    pub virt: String,
    /// The document describes a running domain.
    pub runs: bool,
    pub arch: String,
    pub machine: Option<String>,
    /// The CPU model that it requires by name.
    pub cpu_model: Option<String>,
    /// The path of its emulator.
    pub emulator: Option<PathBuf>,
    pub disks: Vec<Disk>,
    pub networks: Vec<Network>,
    /// Its interfaces that are connected to a network.
    pub interfaces: Vec<Interface>,
    /// Host resources that it names besides storage and networks, without duplicates.
    pub needs: Vec<Need>,
    /// Why it cannot be moved, without duplicates.
    pub obstacles: Vec<Obstacle>,
}

impl Domain {
    fn obstacle(&mut self, against: Against, reason: impl Into<String>) {
        self.obstacles.push(Obstacle::new(against, reason));
    }

    fn needs(&mut self, needs: impl IntoIterator<Item = Need>) {
        self.needs.extend(needs);
    }

    /// Removes duplicates: libvirt describes a serial console as two devices.
    fn once(&mut self) {
        self.needs = need::each_once(std::mem::take(&mut self.needs));
        let mut known = HashSet::new();
        self.obstacles.retain(|obstacle| known.insert(obstacle.clone()));
        let mut known = HashSet::new();
        self.networks.retain(|network| known.insert(network.clone()));
    }

    fn need_path(&mut self, path: Option<&str>, need: fn(PathBuf) -> Need) {
        self.needs(path.filter(|path| !path.is_empty()).map(|path| need(path.into())));
    }

    /// The domain is bound to something on its host that other hosts may have, too.
    fn bound(&mut self, reason: String, need: Need) {
        self.obstacle(Against::Moves, reason);
        self.needs([need]);
    }

    /// The domain reads that file; a copy of it will do at the destination.
    fn read_file(&mut self, target: &str, path: Option<&str>) {
        let path = path.filter(|path| !path.is_empty());
        self.disks.extend(path.map(|path| Disk::new(target, StorageUri::file(path), true)));
    }

    fn numbers(&mut self, numbers: Option<&str>, need: fn(Numbers) -> Need) {
        let numbers = numbers.map(Numbers::parse).filter(|numbers| !numbers.is_empty());
        self.needs(numbers.map(need));
    }
}

/// Checks that XML from a peer describes the zone that was checked and admitted: libvirt would follow the XML,
/// whatever the rest of the manifest says.
///
/// # Errors
/// If the name or UUID differs, is missing (libvirt would choose one), or occurs twice.
pub fn must_be(xml: &str, zone: &Zone) -> Result<(), String> {
    let document = read(xml)?;
    let only = |name: &str| text::alone(text::only(document.root_element(), name)?);
    let (name, uuid) = (only("name")?, only("uuid")?);
    if name != zone.name.platform_name() {
        return Err(format!("the configuration is of {name:?}, not of zone '{}'", zone.name));
    }
    if uuid.trim().parse() != Ok(zone.uuid) {
        return Err(format!("its UUID is {uuid:?}, not {}", zone.uuid));
    }
    Ok(())
}

pub(super) fn read(text: &str) -> Result<Document<'_>, String> {
    if let Some((line, what)) = xml::excess(text) {
        return Err(format!("{what}, at line {line}"));
    }
    // DTDs are rejected, and so are entities, which could include other files or grow without limit.
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    match document.root_element().tag_name().name() {
        "domain" => Ok(document),
        other => Err(format!("a <domain> is expected, found <{other}>")),
    }
}

/// Parses a domain's XML.
///
/// # Errors
/// What is wrong with the document, with its position. A document with a DTD is rejected.
pub fn parse(xml: &str) -> Result<Domain, String> {
    let document = read(xml)?;
    let root = document.root_element();
    // Only running domains have an id.
    let runs = root.has_attribute("id");
    let mut domain = Domain { virt: attribute(root, "type"), runs, ..Domain::default() };
    for section in root.children().filter(Node::is_element) {
        match section.tag_name().name() {
            "metadata" => continue,
            "devices" => section
                .children()
                .filter(Node::is_element)
                .for_each(|device| read_device(device, &mut domain)),
            _ => machine::section(section, &mut domain),
        }
        anywhere(section, &mut domain);
    }
    machine::processor(root, &mut domain);
    domain.once();
    Ok(domain)
}

fn read_device(device: Node<'_, '_>, domain: &mut Domain) {
    match device.tag_name().name() {
        "disk" => storage::disk(device, domain),
        "filesystem" => storage::filesystem(device, domain),
        "memory" => {
            storage::memory(device, domain);
            machine::memory_source(device, domain);
        }
        "pstore" => storage::pstore(device, domain),
        "lease" => storage::lease(device, domain),
        "interface" => network::interface(device, domain),
        _ => {}
    }
    devices::device(device, domain);
    live::device(device, domain);
}

/// Reads elements that may occur in many places: secrets, volumes, security labels.
fn anywhere(section: Node<'_, '_>, domain: &mut Domain) {
    for node in section.descendants().filter(Node::is_element) {
        match node.tag_name().name() {
            "secret" => domain.needs(secret(node)),
            "source" => domain.needs(volume(node)),
            "seclabel" => machine::label(node, domain),
            _ => {}
        }
    }
}

/// The volume of a disk's source, unless it may be missing when the zone boots.
fn volume(source: Node<'_, '_>) -> Option<Need> {
    // A path is excluded, since libvirt would find volumes of other pools by it.
    let name = |name: &str| source.attribute(name).filter(|name| !name.contains('/')).map(str::to_owned);
    let is_optional = source.attribute("startupPolicy") == Some("optional");
    Some(Need::Volume(name("pool")?, name("volume")?)).filter(|_| !is_optional)
}

fn secret(node: Node<'_, '_>) -> Option<Need> {
    match (node.attribute("uuid"), node.attribute("type"), node.attribute("usage")) {
        (Some(uuid), ..) => uuid.parse().ok().map(Need::Secret),
        // A passphrase is the secret of a volume.
        (None, Some("passphrase"), Some(name)) => Some(Need::SecretFor("volume".to_owned(), name.to_owned())),
        (None, Some(kind), Some(name)) => Some(Need::SecretFor(kind.to_owned(), name.to_owned())),
        _ => None,
    }
}

/// A PCI address in the kernel's format.
fn pci_of(address: Node<'_, '_>) -> Option<String> {
    let part = |name: &str| number(address.attribute(name).unwrap_or("0"));
    let [domain, bus, slot, function] = [part("domain")?, part("bus")?, part("slot")?, part("function")?];
    Some(format!("{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"))
}

/// `0x1d6b` or `7`.
fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn attribute(node: Node<'_, '_>, name: &str) -> String {
    node.attribute(name).unwrap_or_default().to_owned()
}

pub(super) fn child<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Option<Node<'a, 'input>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of(node: Node<'_, '_>) -> Option<String> {
    let text = node.text()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn interfaces<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    let devices = root.children().filter(|node| node.has_tag_name("devices"));
    devices.flat_map(|devices| devices.children()).filter(|node| node.has_tag_name("interface"))
}

#[cfg(test)]
mod tests;
