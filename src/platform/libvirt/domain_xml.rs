//! A domain's XML: what it says of storage, networks and machine, and what in it stands against moving.
//!
//! What travels is the document as libvirt wrote it, but for the names of networks where they are others ([`plug()`]), and
//! for what an administrator wants to be another ([`edit()`]). Both change the text in exact places.

mod edit;
mod plug;
mod shared;
mod stated;
mod text;

use std::path::PathBuf;

use roxmltree::{Document, Node};

use crate::model::{Disk, DiskSource, Interface, Mac, Network, Zone, xml};
pub use edit::edit;
pub use plug::plug;
pub use shared::writes_over;
pub use stated::{Stated, bytes_of, stated};

/// What matters of a domain's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// `kvm`, `qemu`, `lxc`.
    pub virt: String,
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
    /// Why it cannot move by itself.
    pub obstacles: Vec<String>,
    /// Those of them for which a host that it is put on by hand is looked through: what it names must be there.
    pub checked: Vec<String>,
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
    let mut domain = Domain { virt: attribute(root, "type"), ..Domain::default() };
    for section in root.children().filter(Node::is_element) {
        match section.tag_name().name() {
            "os" => read_os(section, &mut domain),
            "cpu" => read_cpu(section, &mut domain),
            "devices" => section
                .children()
                .filter(Node::is_element)
                .for_each(|device| read_device(device, &mut domain)),
            _ => {}
        }
    }
    Ok(domain)
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

/// Machine, and the files that it boots from. The NVRAM file is the only one that is written to.
fn read_os(os: Node<'_, '_>, domain: &mut Domain) {
    for part in os.children().filter(Node::is_element) {
        let name = part.tag_name().name();
        match name {
            "type" => {
                domain.arch = attribute(part, "arch");
                domain.machine = part.attribute("machine").map(str::to_owned);
            }
            "kernel" | "initrd" | "dtb" | "loader" | "nvram" => {
                // An NVRAM may have its source in an element of its own, like a disk.
                let path = text_of(part).map(|path| DiskSource::File(PathBuf::from(path)));
                match path.map_or_else(|| source_of(part), |path| Ok(Some(path))) {
                    Ok(None) => {}
                    Ok(Some(source)) => {
                        let (target, readonly) = (name.to_owned(), name != "nvram");
                        domain.disks.push(Disk { target, source, readonly });
                    }
                    Err(obstacle) => domain.obstacles.push(format!("{name}: {obstacle}")),
                }
            }
            _ => {}
        }
    }
}

fn read_cpu(cpu: Node<'_, '_>, domain: &mut Domain) {
    if cpu.attribute("mode") == Some("custom") {
        domain.cpu_model = child(cpu, "model").and_then(text_of);
    }
}

fn read_device(device: Node<'_, '_>, domain: &mut Domain) {
    match device.tag_name().name() {
        "disk" => read_disk(device, domain),
        "filesystem" => read_filesystem(device, domain),
        "interface" => read_interface(device, domain),
        "emulator" => domain.emulator = text_of(device).map(PathBuf::from),
        "hostdev" => {
            let obstacle = format!("host device passed through ({})", describe_hostdev(device));
            if matches!(device.attribute("type"), Some("pci" | "usb" | "mdev")) {
                domain.checked.push(obstacle.clone());
            }
            domain.obstacles.push(obstacle);
        }
        "tpm" if is_emulated(device) => {
            domain.obstacles.push("emulated TPM: its state lies on this host only".to_owned());
        }
        "shmem" => {
            domain.obstacles.push("memory shared with other processes of this host (shmem)".to_owned())
        }
        _ => {}
    }
}

fn is_emulated(tpm: Node<'_, '_>) -> bool {
    child(tpm, "backend").is_some_and(|backend| backend.attribute("type") == Some("emulator"))
}

fn describe_hostdev(device: Node<'_, '_>) -> String {
    let address = child(device, "source").and_then(|source| child(source, "address"));
    let parts: Vec<_> = address.iter().flat_map(|node| node.attributes()).map(|part| part.value()).collect();
    format!("{} {}", attribute(device, "type"), parts.join(":")).trim().to_owned()
}

fn read_disk(device: Node<'_, '_>, domain: &mut Domain) {
    let target = child(device, "target").map(|node| attribute(node, "dev")).unwrap_or_default();
    // A CD-ROM is never written to, said or not.
    let readonly = child(device, "readonly").is_some() || device.attribute("device") == Some("cdrom");
    match source_of(device) {
        Ok(None) => {}
        Ok(Some(source)) => domain.disks.push(Disk { target: target.clone(), source, readonly }),
        Err(obstacle) => {
            let obstacle = format!("disk {target}: {obstacle}");
            if device.attribute("type") == Some("volume") {
                domain.checked.push(obstacle.clone());
            }
            domain.obstacles.push(obstacle);
        }
    }
    let mut backing = child(device, "backingStore");
    while let Some(store) = backing {
        if let Ok(Some(source)) = source_of(store) {
            domain.disks.push(Disk { target: format!("{target} (backing)"), source, readonly: true });
        }
        backing = child(store, "backingStore");
    }
}

/// The source of a disk or of one of its backing stores; none for an empty drive.
fn source_of(disk: Node<'_, '_>) -> Result<Option<DiskSource>, String> {
    let Some(source) = child(disk, "source") else { return Ok(None) };
    let path = |name: &str| source.attribute(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    match disk.attribute("type") {
        Some("file") => Ok(path("file").map(DiskSource::File)),
        Some("block") => Ok(path("dev").map(DiskSource::Block)),
        Some("dir") => Ok(path("dir").map(DiskSource::Dir)),
        Some("network") => {
            let servers = source.children().filter(|node| node.has_tag_name("host")).map(|host| {
                let port = host.attribute("port").map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}{port}", attribute(host, "name"))
            });
            let protocol = attribute(source, "protocol");
            Ok(Some(DiskSource::Network { protocol, servers: servers.collect() }))
        }
        other => {
            Err(format!("storage of type '{}' cannot be checked at a destination", other.unwrap_or("?")))
        }
    }
}

fn read_filesystem(device: Node<'_, '_>, domain: &mut Domain) {
    let target = child(device, "target").map(|node| attribute(node, "dir")).unwrap_or_default();
    if domain.virt != "lxc" {
        domain.obstacles.push(format!("folder of this host shared into the zone ({target})"));
        return;
    }
    let source = child(device, "source");
    let path = |name: &str| source.and_then(|node| node.attribute(name)).map(PathBuf::from);
    let source = match device.attribute("type").unwrap_or("mount") {
        "mount" | "bind" => path("dir").map(DiskSource::Dir),
        "file" => path("file").map(DiskSource::File),
        "block" => path("dev").map(DiskSource::Block),
        // Memory file systems hold nothing while the zone does not run.
        _ => None,
    };
    let readonly = child(device, "readonly").is_some();
    domain.disks.extend(source.map(|source| Disk { target, source, readonly }));
}

fn read_interface(device: Node<'_, '_>, domain: &mut Domain) {
    if device.attribute("type") == Some("hostdev") && child(device, "source").is_some() {
        let obstacle = "network device of this host passed through".to_owned();
        domain.checked.push(obstacle.clone());
        domain.obstacles.push(obstacle);
    }
    let Some((_, network)) = network_of(device) else { return };
    if !domain.networks.contains(&network) {
        domain.networks.push(network.clone());
    }
    domain.interfaces.extend(mac_of(device).map(|mac| Interface::new(mac, network)));
}

/// The interfaces of a domain.
fn interfaces<'a, 'input>(root: Node<'a, 'input>) -> impl Iterator<Item = Node<'a, 'input>> {
    let devices = root.children().filter(|node| node.has_tag_name("devices"));
    devices.flat_map(|devices| devices.children()).filter(|node| node.has_tag_name("interface"))
}

/// The network of an interface, and the name of the attribute of its `<source>` that has it.
fn network_of(device: Node<'_, '_>) -> Option<(&'static str, Network)> {
    let source = child(device, "source")?;
    let (attribute, network): (_, fn(String) -> Network) = match device.attribute("type")? {
        // While a zone runs, one in a managed network looks like one in the bridge or on the device behind that.
        "network" | "bridge" | "direct" if source.has_attribute("network") => ("network", Network::Managed),
        "bridge" => ("bridge", Network::Bridge),
        "direct" | "ethernet" => ("dev", Network::Device),
        _ => return None,
    };
    Some((attribute, network(source.attribute(attribute)?.to_owned())))
}

fn mac_of(device: Node<'_, '_>) -> Option<Mac> {
    child(device, "mac")?.attribute("address")?.parse().ok()
}

#[cfg(test)]
mod tests;
