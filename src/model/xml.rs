//! Limits on XML from outside, so that a small document cannot occupy the parser for hours.

/// Maximum number of attributes of an element: the parser compares each with all before it.
const ATTRIBUTES: usize = 1_000;

/// Maximum number of namespace declarations: for each element the parser compares each with all in scope. 4000 of
/// them, in 100 kB, take a minute.
const NAMESPACES: usize = 500;

/// What a text has too much of to be parsed, with its line. The count is coarse but cannot be evaded: attributes
/// cannot contain `<`, and `xmlns` has only one spelling.
pub fn excess(text: &str) -> Option<(usize, String)> {
    if let Some((at, _)) = text.match_indices("xmlns").nth(NAMESPACES) {
        let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
        return Some((line, format!("more than {NAMESPACES} namespaces are declared")));
    }
    let mut line = 1;
    for part in text.split('<') {
        let (mut attributes, mut before) = (0, 0);
        for byte in part.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
            attributes += usize::from(before == b'=' && matches!(byte, b'"' | b'\''));
            before = byte;
        }
        if attributes > ATTRIBUTES {
            return Some((line, format!("an element has more than {ATTRIBUTES} attributes")));
        }
        line += part.matches('\n').count();
    }
    None
}
