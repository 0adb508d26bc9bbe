//! Reads the elements of a document, one by one.

use roxmltree::Node;

use super::fields::{DocumentSource, Fields, elements, name, unknown};
use super::{DocumentError, Written};
use crate::{Against, Disk, Interface, Millis, Network, Obstacle, Package, Patch, Presence, System};

/// What has been read so far.
#[derive(Default)]
pub(super) struct DocumentParts {
    pub written: Option<Written>,
    pub memory: Option<u64>,
    pub cpus: Option<u32>,
    pub networks: Vec<Network>,
    pub interfaces: Vec<Interface>,
    pub disks: Vec<Disk>,
    pub obstacles: Vec<Obstacle>,
    pub system: Option<System>,
    pub packages: Vec<Package>,
    pub patches: Vec<Patch>,
    pub processor: Option<String>,
    /// The platform and its configuration.
    pub config: Option<(String, String)>,
}

impl DocumentParts {
    /// Adds the contents of an element.
    pub fn take(&mut self, node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<(), DocumentError> {
        match name(node) {
            "written" => once(&mut self.written, written(node, place)?, node, place)?,
            "mcap" => once(&mut self.memory, memory(node, place)?, node, place)?,
            "virtual-cpu" => once(&mut self.cpus, cpus(node, place)?, node, place)?,
            "network" => {
                self.networks.push(network(&Fields::of_leaf(node, place, &["physical", "type"])?)?);
            }
            "interface" => self.interfaces.push(interface(node, place)?),
            "filesystem" => self.disks.push(filesystem(node, place)?),
            "device" => self.disks.push(device(node, place)?),
            "obstacle" => {
                let fields = Fields::of_leaf(node, place, &["reason", "against"])?;
                let against = fields.parse_if_there("against")?.unwrap_or(Against::Any);
                self.obstacles.push(Obstacle::new(against, fields.text("reason")?));
            }
            "software" => {
                let system = Fields::of_leaf(node, place, &["system"])?.parse("system")?;
                once(&mut self.system, system, node, place)?;
            }
            "package" => self.packages.push(package(node, place)?),
            "patch" => self.patches.push(patch(node, place)?),
            "processor" => once(&mut self.processor, processor(node, place)?, node, place)?,
            "config" => once(&mut self.config, config(node, place)?, node, place)?,
            _ => return Err(unknown(node, place)),
        }
        Ok(())
    }
}

fn once<T>(
    slot: &mut Option<T>,
    value: T,
    node: Node<'_, '_>,
    place: &DocumentSource<'_>,
) -> Result<(), DocumentError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(place.wrong(node, &format!("<{}> is there twice", name(node)))),
    }
}

fn written(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Written, DocumentError> {
    let fields = Fields::of_leaf(node, place, &["host", "software", "at"])?;
    let [host, software] = ["host", "software"].map(|key| fields.text(key).map(str::to_owned));
    let (at, what) = (fields.text("at")?, "is not a point in time: 2026-11-18T11:06:40Z");
    let at: jiff::Timestamp = at.parse().map_err(|_| fields.wrong(&format!("at={at:?} {what}")))?;
    Ok(Written { host: host?, software: software?, at: Millis(at.as_millisecond()) })
}

fn memory(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<u64, DocumentError> {
    Fields::of_leaf(node, place, &["physcap"])?.parse("physcap")
}

fn cpus(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<u32, DocumentError> {
    let fields = Fields::of_leaf(node, place, &["ncpu_min", "ncpu_max"])?;
    let (least, most) = (fields.parse::<u32>("ncpu_min")?, fields.parse("ncpu_max")?);
    if least == most { Ok(most) } else { Err(fields.wrong("ncpu_min and ncpu_max must be the same here")) }
}

fn network(fields: &Fields<'_, '_, '_>) -> Result<Network, DocumentError> {
    let name = fields.text("physical")?.to_owned();
    match fields.text("type")? {
        "bridge" => Ok(Network::Bridge(name)),
        "managed" => Ok(Network::Managed(name)),
        "device" => Ok(Network::Device(name)),
        other => Err(fields.wrong(&format!("{other:?} is not a type of network"))),
    }
}

fn interface(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Interface, DocumentError> {
    let fields = Fields::of_leaf(node, place, &["mac", "physical", "type", "there"])?;
    let (mac, there) = (fields.parse("mac")?, fields.parse_if_there("there")?);
    Ok(Interface { mac, network: network(&fields)?, there })
}

fn filesystem(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Disk, DocumentError> {
    let fields = Fields::of(node, place, &["storage", "directory", "presence"])?;
    let mut readonly = None;
    for child in elements(node, place)? {
        match (name(child), Fields::of_leaf(child, place, &["name"])?.text("name")?) {
            ("fsoption", "ro") => once(&mut readonly, (), child, place)?,
            _ => return Err(unknown(child, place)),
        }
    }
    let target = fields.text("directory")?.to_owned();
    let disk = Disk::new(target, fields.parse("storage")?, readonly.is_some());
    Ok(disk.with_presence(presence(&fields)?))
}

fn device(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Disk, DocumentError> {
    let fields = Fields::of_leaf(node, place, &["storage", "name", "readonly", "presence"])?;
    let disk = Disk::new(fields.text("name")?, fields.parse("storage")?, fields.parse("readonly")?);
    Ok(disk.with_presence(presence(&fields)?))
}

fn presence(fields: &Fields<'_, '_, '_>) -> Result<Presence, DocumentError> {
    Ok(fields.parse_if_there("presence")?.unwrap_or(Presence::Needed))
}

/// The named attribute of each child element; all children must have the same name.
fn names(
    nodes: &[Node<'_, '_>],
    element: &str,
    key: &str,
    place: &DocumentSource<'_>,
) -> Result<Vec<String>, DocumentError> {
    let name_of = |node: &Node<'_, '_>| {
        if name(*node) != element {
            return Err(unknown(*node, place));
        }
        Fields::of_leaf(*node, place, &[key])?.text(key).map(str::to_owned)
    };
    nodes.iter().map(name_of).collect()
}

fn package(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Package, DocumentError> {
    let fields = Fields::of_leaf(node, place, &["name", "version"])?;
    let [name, version] = ["name", "version"].map(|key| fields.text(key).map(str::to_owned));
    Ok(Package { name: name?, version: version? })
}

fn patch(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<Patch, DocumentError> {
    let id = Fields::of(node, place, &["id"])?.text("id")?.to_owned();
    let parts = elements(node, place)?;
    let (of_packages, others): (Vec<_>, Vec<_>) =
        parts.into_iter().partition(|part| name(*part) == "package");
    let obsoletes = names(&others, "obsoletes", "id", place)?;
    Ok(Patch { id, obsoletes, packages: names(&of_packages, "package", "name", place)? })
}

fn config(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<(String, String), DocumentError> {
    let platform = Fields::of(node, place, &["platform"])?.text("platform")?.to_owned();
    Ok((platform, verbatim(node, place)?))
}

fn processor(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<String, DocumentError> {
    Fields::of(node, place, &[])?;
    verbatim(node, place)
}

/// Text, unchanged.
fn verbatim(node: Node<'_, '_>, place: &DocumentSource<'_>) -> Result<String, DocumentError> {
    match node.children().find(|child| !child.is_text()) {
        Some(other) => {
            Err(place.wrong(other, &format!("nothing but text is expected in <{}>, in CDATA", name(node))))
        }
        None => Ok(node.children().filter_map(|text| text.text()).collect()),
    }
}
