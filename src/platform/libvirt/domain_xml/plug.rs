//! Plugs a zone's interfaces into other networks: the one change that is made to a domain's XML.
//!
//! The document is parsed, and of its text only the values of the attributes in question are replaced: everything else
//! stays as libvirt wrote it, byte for byte.

use std::ops::Range;

use roxmltree::Node;

use super::{child, mac_of, network_of, read};
use crate::model::{Interface, Plug};

/// The same document with these changes to the `<source>` of its interfaces.
///
/// # Errors
/// What is wrong with the document.
pub fn plug(xml: &str, plugs: &[Plug]) -> Result<String, String> {
    let document = read(xml)?;
    let devices = document.root_element().children().filter(|node| node.has_tag_name("devices"));
    let interfaces =
        devices.flat_map(|devices| devices.children()).filter(|node| node.has_tag_name("interface"));
    let (mut text, mut end) = (String::with_capacity(xml.len()), 0);
    for (range, value) in interfaces.filter_map(|device| edit(device, plugs)) {
        text.push_str(xml.get(end..range.start).unwrap_or_default());
        text.push_str(&value);
        end = range.end;
    }
    text.push_str(xml.get(end..).unwrap_or_default());
    Ok(text)
}

/// What is to stand in which place of the text.
fn edit(device: Node<'_, '_>, plugs: &[Plug]) -> Option<(Range<usize>, String)> {
    let (attribute, network) = network_of(device)?;
    let to = Interface::new(mac_of(device)?, network).goes_to(plugs)?.as_str();
    Some((child(device, "source")?.attribute_node(attribute)?.range_value(), escaped(to)))
}

/// A text as the value of an attribute, in either kind of quotes.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => value.push_str("&amp;"),
            '<' => value.push_str("&lt;"),
            '>' => value.push_str("&gt;"),
            '"' => value.push_str("&quot;"),
            '\'' => value.push_str("&apos;"),
            c => value.push(c),
        }
    }
    value
}

#[cfg(test)]
mod tests;
