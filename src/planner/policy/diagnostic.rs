//! What is wrong with a text, and where.

use std::fmt;
use std::ops::Range;

use crate::model::plain;

/// One error in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong, on one line.
    pub text: String,
    /// The line itself, as far as it can be shown.
    pub quote: String,
    /// How many characters of it are wrong, at least 1.
    pub width: usize,
}

/// Maximum number of characters shown of a line.
const SHOWN: usize = 160;

impl Diagnostic {
    /// An error at these bytes of a text.
    pub fn new(source: &str, span: &Range<usize>, text: &str) -> Self {
        let start = source.floor_char_boundary(span.start);
        let (before, from) = source.split_at(start);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let quote = source.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
        let meant = from.get(..span.end.saturating_sub(start)).unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            text: plain(text),
            quote: plain(quote).chars().take(SHOWN).collect(),
            width: meant.lines().next().unwrap_or_default().chars().count().max(1),
        }
    }

    /// The line, and below it a mark under the error; two lines, without line ends.
    pub fn picture(&self) -> [String; 2] {
        let indent = self.column.saturating_sub(1).min(SHOWN);
        let width = self.width.min((SHOWN + 1).saturating_sub(indent));
        [self.quote.clone(), format!("{}{}", " ".repeat(indent), "^".repeat(width))]
    }
}

impl fmt::Display for Diagnostic {
    /// `LINE:COLUMN: what is wrong`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let diagnostic = Diagnostic::new("a = 1\n\tbö = \"x\" # y\n", &(7..10), "bad\nkey");
        assert_eq!(diagnostic.to_string(), "2:2: bad key");
        assert_eq!(diagnostic.picture(), [" bö = \"x\" # y", " ^^"]);
    }

    #[test]
    fn one_at_the_end_or_over_several_lines_has_a_mark_too() {
        assert_eq!(Diagnostic::new("a = ", &(4..4), "x").picture(), ["a = ", "    ^"]);
        assert_eq!(Diagnostic::new("", &(0..0), "x").to_string(), "1:1: x");
        assert_eq!(Diagnostic::new("a = [\n1\n]", &(4..9), "x").picture(), ["a = [", "    ^"]);
    }

    proptest! {
        #[test]
        fn any_place_in_any_text_can_be_shown(text in "(\\PC|\n|\t|\r){0,300}", start in 0_usize..400, length in 0_usize..400) {
            let diagnostic = Diagnostic::new(&text, &(start..start + length), &text);
            for line in diagnostic.picture().into_iter().chain([diagnostic.to_string()]) {
                prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            }
        }
    }
}
