//! XML from outside that would keep the parser busy for hours, small as it is.

/// So many attributes an element has at most: the parser compares each with all before it.
const ATTRIBUTES: usize = 1_000;

/// So many namespaces are declared at most: the parser compares each with all around it, for each element within. With
/// 4000 of them, in 100 kB, that takes a minute.
const NAMESPACES: usize = 500;

/// What a text has too much of to be parsed, and in which line. This is coarse, but no way of writing a document deceives
/// it: no `<` is in an attribute, and no `xmlns` can be written in another way.
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
