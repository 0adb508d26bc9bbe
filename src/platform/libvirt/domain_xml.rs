//! A domain's XML: what it says of storage, networks and machine, and what in it stands against moving.
//!
//! What travels is the document as libvirt wrote it, but for the names of networks where they are others ([`map_interfaces()`]), and
//! for what an administrator wants to be another ([`edit()`]). Both change the text in exact places.

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

use crate::model::{Against, Disk, DiskSource, Interface, Network, Obstacle, Zone, xml};
pub use edit::edit;
pub use map_interfaces::map_interfaces;
pub use need::Need;
use network::{mac_of, network_of};
pub use numbers::Numbers;
pub use shared::writes_over;
pub use stated::{DomainSettings, bytes_of, stated};
use storage::source_of;

/// What matters of a domain's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// `kvm`, `qemu`, `lxc`.
    pub virt: String,
    /// It is that of a domain that runs.
    pub runs: bool,
    /// Architecture of its machine.
    pub arch: String,
    /// Machine type, where there is one.
    pub machine: Option<String>,
    /// A CPU model by name that it must have.
    pub cpu_model: Option<String>,
    /// The program that runs it.
    pub emulator: Option<PathBuf>,
    /// Storage.
    pub disks: Vec<Disk>,
    /// Networks.
    pub networks: Vec<Network>,
    /// Its interfaces that are plugged into one.
    pub interfaces: Vec<Interface>,
    /// What else of its host it names, each once.
    pub needs: Vec<Need>,
    /// Why it cannot move, each once.
    pub obstacles: Vec<Obstacle>,
}

impl Domain {
    fn obstacle(&mut self, against: Against, reason: impl Into<String>) {
        self.obstacles.push(Obstacle::new(against, reason));
    }

    fn needs(&mut self, needs: impl IntoIterator<Item = Need>) {
        self.needs.extend(needs);
    }

    /// What is named twice is one thing: libvirt tells of a serial console as two devices.
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

    /// It is bound to something of its host that others may have, too.
    fn bound(&mut self, reason: String, need: Need) {
        self.obstacle(Against::Moves, reason);
        self.needs([need]);
    }

    /// It reads that file; a copy will do.
    fn read_file(&mut self, target: &str, path: Option<&str>) {
        let path = path.filter(|path| !path.is_empty());
        self.disks.extend(path.map(|path| Disk::new(target, DiskSource::File(path.into()), true)));
    }

    fn numbers(&mut self, numbers: Option<&str>, need: fn(Numbers) -> Need) {
        let numbers = numbers.map(Numbers::parse).filter(|numbers| !numbers.is_empty());
        self.needs(numbers.map(need));
    }
}

/// What a peer sends must be the zone that was checked and let in: libvirt would believe the XML, whatever the
/// rest of the manifest says.
///
/// # Errors
/// If its name or UUID is another one, missing (libvirt would make one up), or there twice.
pub fn must_be(xml: &str, zone: &Zone) -> Result<(), String> {
    let document = read(xml)?;
    let only = |name: &str| text::alone(text::only(document.root_element(), name)?);
    let (name, uuid) = (only("name")?, only("uuid")?);
    if name != zone.name.platform_name() {
        return Err(format!("it is of {name:?}, not of zone '{}'", zone.name));
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
    // No DTD: no entities, neither those of other files nor those that grow without end.
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    match document.root_element().tag_name().name() {
        "domain" => Ok(document),
        other => Err(format!("a <domain> is expected, found <{other}>")),
    }
}

/// Reads a domain's XML.
///
/// # Errors
/// What is wrong with the document, with its position. A document with a DTD (entities) is refused.
pub fn parse(xml: &str) -> Result<Domain, String> {
    let document = read(xml)?;
    let root = document.root_element();
    // Only one that runs has a number.
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

/// What may stand below many elements: secrets, volumes, labels.
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

/// One that may be missing when the zone boots is not missed.
fn volume(source: Node<'_, '_>) -> Option<Need> {
    // Not a path, which would find volumes of other pools as well.
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

/// A PCI address in the kernel's form.
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

/// The interfaces of a domain.
fn interfaces<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    let devices = root.children().filter(|node| node.has_tag_name("devices"));
    devices.flat_map(|devices| devices.children()).filter(|node| node.has_tag_name("interface"))
}

#[cfg(test)]
mod tests;
