//! Connects a zone's interfaces to other networks: the only change to the document of a zone that moves.

use roxmltree::Node;

use super::text::{self, TextEdit, changed};
use super::{child, interfaces, mac_of, network_of, read};
use crate::model::{Interface, InterfaceMapping};

/// Changes the `<source>` of the interfaces in these mappings.
///
/// # Errors
/// What is wrong with the document.
pub fn map_interfaces(xml: &str, mappings: &[InterfaceMapping]) -> Result<String, String> {
    let document = read(xml)?;
    let changes = interfaces(document.root_element()).filter_map(|device| change(device, mappings));
    Ok(changed(xml, changes.collect::<Result<_, _>>()?))
}

fn change(device: Node<'_, '_>, mappings: &[InterfaceMapping]) -> Option<Result<TextEdit, String>> {
    let (attribute, network) = network_of(device)?;
    let to = Interface::new(mac_of(device)?, network).goes_to(mappings)?.as_str();
    Some(text::attribute(child(device, "source")?, attribute, to))
}

#[cfg(test)]
mod tests;
