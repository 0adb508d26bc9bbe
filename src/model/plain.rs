//! Makes text from outside safe to print.

/// The text on one line and without control characters: text from a file, a hypervisor or a peer must not steer the
/// terminal or break lines.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_steer_a_terminal_or_break_a_line_is_a_blank() {
        assert_eq!(plain("web1\n\u{1b}[2J\u{9b}2J\tä"), "web1  [2J 2J ä");
    }
}
