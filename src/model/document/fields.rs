//! Access to attributes and child elements; errors say where in the document.

use std::fmt::Display;
use std::str::FromStr;

use roxmltree::{Document, Node};

use super::DocumentError;

/// A document and its name, for errors.
#[derive(Clone, Copy)]
pub(super) struct DocumentSource<'a> {
    pub document: &'a Document<'a>,
    /// Its name in errors.
    pub file: &'a str,
}

impl DocumentSource<'_> {
    /// An error about a node, with its line.
    pub fn wrong(&self, node: Node<'_, '_>, what: &str) -> DocumentError {
        let range = node.range();
        // A text node begins with the line break before it.
        let source = self.document.input_text().get(range.clone()).unwrap_or_default();
        let blank = source.len() - source.trim_ascii_start().len();
        let line = self.document.text_pos_at(range.start + blank).row;
        DocumentError::new(self.file, usize::try_from(line).unwrap_or(0), what)
    }
}

/// The name of an element in no namespace; all of a manifest's elements are in none.
pub(super) fn name<'a>(node: Node<'a, '_>) -> &'a str {
    let tag = node.tag_name();
    if tag.namespace().is_none() { tag.name() } else { "" }
}

/// The child elements. Anything else but comments is an error.
pub(super) fn elements<'a, 'i>(
    node: Node<'a, 'i>,
    place: &DocumentSource<'_>,
) -> Result<Vec<Node<'a, 'i>>, DocumentError> {
    let is_more = |child: &Node<'_, '_>| child.text().is_some_and(|text| !text.trim_ascii().is_empty());
    match node.children().find(|child| child.is_text() && is_more(child)) {
        Some(text) => Err(place.wrong(text, &format!("no text is expected in <{}>", name(node)))),
        None => Ok(node.children().filter(Node::is_element).collect()),
    }
}

/// The error for an element that is not allowed there.
pub(super) fn unknown(node: Node<'_, '_>, place: &DocumentSource<'_>) -> DocumentError {
    place.wrong(node, &format!("<{}> is unknown, and would be lost", node.tag_name().name()))
}

#[derive(Clone, Copy)]
pub(super) struct Fields<'a, 'i, 'p> {
    node: Node<'a, 'i>,
    place: &'p DocumentSource<'p>,
}

impl<'a, 'i, 'p> Fields<'a, 'i, 'p> {
    /// Accepts only the `known` attributes; child elements are allowed.
    pub fn of(
        node: Node<'a, 'i>,
        place: &'p DocumentSource<'p>,
        known: &[&str],
    ) -> Result<Self, DocumentError> {
        let is_odd = |name: &str, space: Option<&str>| space.is_some() || !known.contains(&name);
        match node.attributes().find(|one| is_odd(one.name(), one.namespace())) {
            None => Ok(Self { node, place }),
            Some(odd) => {
                let what =
                    format!("attribute {:?} of <{}> is unknown, and would be lost", odd.name(), name(node));
                Err(place.wrong(node, &what))
            }
        }
    }

    /// Accepts only the `known` attributes, and no content.
    pub fn of_leaf(
        node: Node<'a, 'i>,
        place: &'p DocumentSource<'p>,
        known: &[&str],
    ) -> Result<Self, DocumentError> {
        match elements(node, place)?.first() {
            Some(child) => Err(unknown(*child, place)),
            None => Self::of(node, place, known),
        }
    }

    /// An optional attribute.
    pub fn text_if_there(&self, key: &str) -> Option<&'a str> {
        self.node.attribute(key)
    }

    /// A required attribute.
    pub fn text(&self, key: &str) -> Result<&'a str, DocumentError> {
        let what = || format!("<{}> has no {key:?}: the manifest is not whole", name(self.node));
        self.node.attribute(key).ok_or_else(|| self.wrong(&what()))
    }

    /// A required attribute, parsed.
    pub fn parse<T: FromStr<Err: Display>>(&self, key: &str) -> Result<T, DocumentError> {
        let text = self.text(key)?;
        text.parse()
            .map_err(|error: T::Err| self.wrong(&format!("{key}={text:?} of <{}>: {error}", name(self.node))))
    }

    /// An optional attribute, parsed.
    pub fn parse_if_there<T: FromStr<Err: Display>>(&self, key: &str) -> Result<Option<T>, DocumentError> {
        self.text_if_there(key).map(|_| self.parse(key)).transpose()
    }

    pub fn wrong(&self, what: &str) -> DocumentError {
        self.place.wrong(self.node, what)
    }
}
