//! Changes exact parts of a document, and keeps every other byte of it.

use std::ops::Range;

use roxmltree::{Document, Node};

/// A range of a text and its replacement.
pub type TextEdit = (Range<usize>, String);

/// Applies these changes, whose ranges do not overlap.
pub fn changed(text: &str, mut changes: Vec<TextEdit>) -> String {
    changes.sort_by_key(|(range, _)| range.start);
    let (mut result, mut end) = (String::with_capacity(text.len()), 0);
    for (range, value) in changes {
        result.push_str(text.get(end..range.start).unwrap_or_default());
        result.push_str(&value);
        end = range.end;
    }
    result.push_str(text.get(end..).unwrap_or_default());
    result
}

/// Replaces the value of an attribute, in either kind of quotes.
pub fn attribute(node: Node<'_, '_>, name: &str, value: &str) -> Result<TextEdit, String> {
    let odd = || at(node, format!("a plain attribute {name} is expected in <{}>", node.tag_name().name()));
    let range = node.attribute_node(name).ok_or_else(odd)?.range_value();
    // The parser's ranges are wrong for names and blanks of absurd length.
    let text = node.document().input_text();
    let quoted = range.start.checked_sub(1).and_then(|start| text.get(start..=range.end)).unwrap_or_default();
    let is_quoted = |quote: char| {
        let value = quoted.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        value.is_some_and(|value| !value.contains(quote))
    };
    if is_quoted('\'') || is_quoted('"') { Ok((range, escaped(value))) } else { Err(odd()) }
}

/// The only child element with that name, in any namespace: libvirt might ignore namespaces where other parsers
/// do not.
pub fn only<'a, 'input>(node: Node<'a, 'input>, name: &str) -> Result<Node<'a, 'input>, String> {
    let mut all = node.children().filter(|child| child.is_element() && child.tag_name().name() == name);
    match (all.next(), all.next()) {
        (Some(child), None) => Ok(child),
        (Some(_), Some(second)) => Err(at(second, format!("only one <{name}> is expected"))),
        (None, _) => Err(at(node, format!("one <{name}> is expected"))),
    }
}

/// The text of an element without other content: libvirt would read a comment or a second piece of text in
/// another way than this parser.
pub fn alone<'a>(node: Node<'a, '_>) -> Result<&'a str, String> {
    let mut parts = node.children();
    match (parts.next().filter(Node::is_text).and_then(|part| part.text()), parts.next()) {
        (Some(text), None) => Ok(text),
        _ => Err(at(node, format!("nothing but text is expected in <{}>", node.tag_name().name()))),
    }
}

/// Replaces the text of an element.
pub fn content(node: Node<'_, '_>, value: &str) -> Result<TextEdit, String> {
    let text = alone(node)?;
    let range = node.first_child().map_or(0..0, |part| part.range());
    // With comments or CDATA, the text differs from what is written in the document.
    match node.document().input_text().get(range.clone()) {
        Some(source) if source == text || is_written_so(source, text) => Ok((range, escaped(value))),
        _ => Err(at(node, format!("plain text is expected in <{}>", node.tag_name().name()))),
    }
}

/// Whether the text is written with nothing but entities in it: `R&amp;D`.
fn is_written_so(source: &str, text: &str) -> bool {
    let alone = format!("<t>{source}</t>");
    !source.contains('<')
        && Document::parse(&alone).is_ok_and(|read| read.root_element().text() == Some(text))
}

/// An error with its position: line and column.
pub fn at(node: Node<'_, '_>, what: impl std::fmt::Display) -> String {
    format!("{what} at {}", node.document().text_pos_at(node.range().start))
}

/// A text, escaped for use in either kind of quotes or in none.
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
