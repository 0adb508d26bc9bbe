//! Makes the changes that an administrator asks for, and rejects those that would contradict the rest of the
//! document.
//!
//! | change | what changes with it | refused if there is |
//! |---|---|---|
//! | name | | |
//! | UUID | those in `<sysinfo>` and `<genid>`, the hardware addresses of all interfaces | |
//! | memory | `<currentMemory>` | NUMA cells, memory devices, less `<maxMemory>` |
//! | processors | `current`; only that, if the zone has it and the number allows it | `<vcpus>`; another topology, NUMA cells, settings of a CPU that would be removed |
//! | machine | | no machine, as in a container |
//! | networks | all interfaces in them, decided on the document as it was | |
//!
//! Files keep their names, even if they contain the zone's name (`<nvram>`). What need not change stays the same,
//! byte for byte.

use std::path::Path;

use roxmltree::Node;
use uuid::Uuid;

use super::stated::{bytes, bytes_of, cpus};
use super::text::{TextEdit, alone, at, attribute, changed, content, only};
use super::{child, interfaces, network_of, read};
use crate::model::{Edit, Mac};

/// Applies these changes in order.
///
/// # Errors
/// What is wrong with the document, or why a change cannot be made.
pub fn edit(xml: &str, edits: &[Edit]) -> Result<String, String> {
    edits.iter().try_fold(xml.to_owned(), |xml, edit| {
        let changes = changes(read(&xml)?.root_element(), edit)?;
        Ok(changed(&xml, changes))
    })
}

fn changes(root: Node<'_, '_>, edit: &Edit) -> Result<Vec<TextEdit>, String> {
    match edit {
        Edit::Name(name) => Ok(differs(only(root, "name")?, &name.platform_name())?.into_iter().collect()),
        Edit::Uuid(uuid) => identity(root, *uuid),
        Edit::Zonepath { from, to } => zonepath(root, from, to),
        Edit::Memory(bytes) => memory(root, *bytes),
        Edit::Cpus(count) => processors(root, *count),
        Edit::Machine(machine) => {
            let os = only(root, "os")?;
            let node = only(os, "type")?;
            match node.attribute("machine") {
                Some(now) if now == machine => Ok(Vec::new()),
                Some(_) => Ok(vec![attribute(node, "machine", machine)?]),
                None => Err(at(node, "it has no machine type")),
            }
        }
        Edit::Networks(names) => {
            let moves = |device| {
                let (name, network) = network_of(device)?;
                let to = names.there(network.name())?;
                child(device, "source").map(|source| attribute(source, name, to.as_str()))
            };
            interfaces(root).filter_map(moves).collect()
        }
    }
}

/// The change of this text, if it differs.
fn differs(node: Node<'_, '_>, value: &str) -> Result<Option<TextEdit>, String> {
    if alone(node)? == value { Ok(None) } else { content(node, value).map(Some) }
}

/// libvirt requires the same UUID in the firmware's tables. It would keep other things that must be unique: the
/// hardware addresses, and the generation id by which a guest notices that it is a copy.
fn identity(root: Node<'_, '_>, uuid: Uuid) -> Result<Vec<TextEdit>, String> {
    let node = only(root, "uuid")?;
    if alone(node)?.trim().parse() == Ok(uuid) {
        return Ok(Vec::new());
    }
    let systems =
        root.children().filter(|node| node.has_tag_name("sysinfo")).flat_map(|node| node.children());
    let entries = systems.filter(|node| node.has_tag_name("system")).flat_map(|node| node.children());
    let told = entries.filter(|node| node.has_tag_name("entry") && node.attribute("name") == Some("uuid"));
    let marks = root.children().filter(|node| node.has_tag_name("genid") && node.has_children());
    let same = std::iter::once(node).chain(told).chain(marks).map(|node| content(node, &uuid.to_string()));
    let addresses = interfaces(root).filter_map(|device| child(device, "mac")).map(|node| {
        let mac = node.attribute("address").unwrap_or_default().parse::<Mac>();
        let mac = mac.map_err(|what| at(node, what))?;
        attribute(node, "address", &mac.of_copy(uuid).to_string())
    });
    same.chain(addresses).collect()
}

/// Changes every host path below the old zonepath. Texts for the guest, and for people, stay.
fn zonepath(root: Node<'_, '_>, from: &Path, to: &Path) -> Result<Vec<TextEdit>, String> {
    const NOT_OF_THE_HOST: [&str; 8] =
        ["title", "description", "metadata", "init", "initarg", "initenv", "initdir", "cmdline"];
    let is_of_the_host = |node: &Node<'_, '_>| {
        let is_target = node.has_tag_name("target")
            && node.parent().is_some_and(|parent| parent.has_tag_name("filesystem"));
        !is_target && !node.ancestors().any(|node| NOT_OF_THE_HOST.contains(&node.tag_name().name()))
    };
    let moved = |node: Node<'_, '_>, value: &str| {
        let path = Edit::moved(Path::new(value), from, to)?;
        Some(path.to_str().map(str::to_owned).ok_or_else(|| at(node, "the zonepath is not UTF-8")))
    };
    let mut changes = Vec::new();
    for node in root.descendants().filter(|node| node.is_element()).filter(is_of_the_host) {
        for one in node.attributes() {
            if let Some(path) = moved(node, one.value()) {
                changes.push(attribute(node, one.name(), &path?)?);
            }
        }
        if let Some(path) = node.text().and_then(|text| moved(node, text.trim())) {
            changes.push(content(node, &path?)?);
        }
    }
    Ok(changes)
}

fn memory(root: Node<'_, '_>, wanted: u64) -> Result<Vec<TextEdit>, String> {
    let node = only(root, "memory")?;
    if bytes(node)? == wanted {
        return Ok(Vec::new());
    }
    if wanted == 0 || !wanted.is_multiple_of(1024) {
        return Err("memory is counted in KiB".to_owned());
    }
    if cells(root) > 0 {
        return Err(at(node, format!("its memory is shared out among {} NUMA cells", cells(root))));
    }
    let mut devices = root.children().filter(|node| node.has_tag_name("devices"));
    if let Some(device) = devices.find_map(|devices| child(devices, "memory")) {
        return Err(at(device, "its memory is partly in devices of its own"));
    }
    if let Some(most) = child(root, "maxMemory").filter(|most| bytes(*most).is_ok_and(|most| most < wanted)) {
        return Err(at(most, "more memory than its <maxMemory>"));
    }
    let current = child(root, "currentMemory").map(|current| amount(current, wanted)).transpose()?;
    Ok(amount(node, wanted)?.into_iter().chain(current.into_iter().flatten()).collect())
}

/// The amount of memory, in the element's unit or in KiB.
fn amount(node: Node<'_, '_>, wanted: u64) -> Result<Vec<TextEdit>, String> {
    let unit = node.attribute("unit").unwrap_or("KiB");
    match bytes_of(unit).filter(|unit| wanted.is_multiple_of(*unit)) {
        Some(unit) => Ok(vec![content(node, &(wanted / unit).to_string())?]),
        None => Ok(vec![attribute(node, "unit", "KiB")?, content(node, &(wanted / 1024).to_string())?]),
    }
}

fn cells(root: Node<'_, '_>) -> usize {
    let numa = child(root, "cpu").and_then(|cpu| child(cpu, "numa"));
    numa.map_or(0, |numa| numa.children().filter(|node| node.has_tag_name("cell")).count())
}

fn processors(root: Node<'_, '_>, wanted: u32) -> Result<Vec<TextEdit>, String> {
    let Some(cpus) = cpus(root)? else {
        return if wanted == 1 { Ok(Vec::new()) } else { Err(at(root, "one <vcpu> is expected")) };
    };
    if cpus.now == wanted {
        return Ok(Vec::new());
    }
    if wanted == 0 {
        return Err("a zone has at least one processor".to_owned());
    }
    // If there are <vcpus>, libvirt follows them, whatever <vcpu> says.
    if let Some(each) = child(root, "vcpus") {
        return Err(at(each, "its processors are listed one by one"));
    }
    // If CPUs can be added later, this changes how many of the same are.
    let current =
        cpus.node.attribute("current").map(|_| attribute(cpus.node, "current", &wanted.to_string()));
    let mut changes: Vec<_> = current.transpose()?.into_iter().collect();
    if changes.is_empty() || wanted > cpus.most {
        must_fit(root, wanted)?;
        changes.push(content(cpus.node, &wanted.to_string())?);
    }
    Ok(changes)
}

/// Checks that the rest of the document is consistent with that many CPUs.
fn must_fit(root: Node<'_, '_>, wanted: u32) -> Result<(), String> {
    let product = |topology: Node<'_, '_>| {
        let parts = ["sockets", "dies", "clusters", "cores", "threads"].into_iter();
        let mut factors = parts.filter_map(|part| topology.attribute(part));
        factors.try_fold(1_u32, |product, factor| product.checked_mul(factor.parse().ok()?))
    };
    let topology = child(root, "cpu").and_then(|cpu| child(cpu, "topology"));
    if let Some(topology) = topology.filter(|topology| product(*topology) != Some(wanted)) {
        return Err(at(topology, format!("its <topology> does not describe {wanted} virtual CPUs")));
    }
    if cells(root) > 0 {
        return Err(at(root, format!("its processors are shared out among {} NUMA cells", cells(root))));
    }
    let tuned = child(root, "cputune").into_iter().flat_map(|tune| tune.descendants());
    let of_one_that_goes = |node: &Node<'_, '_>| {
        let named = ["vcpu", "vcpus"].into_iter().filter_map(|name| node.attribute(name));
        let numbers = named.flat_map(|text| text.split([',', '-', '^'])).map(str::trim);
        numbers.filter(|number| !number.is_empty()).any(|text| text.parse().is_ok_and(|id: u32| id >= wanted))
    };
    match tuned.into_iter().find(of_one_that_goes) {
        Some(node) => Err(at(node, format!("it configures a virtual CPU beyond the {wanted} of the zone"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
