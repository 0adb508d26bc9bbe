//! How the far side's command ended, in words.

use crate::model::plain;

/// That much of what it writes to standard error is kept, the end of it.
const KEPT: usize = 4096;

/// The end of what the far side's command wrote to standard error.
#[derive(Default)]
pub(super) struct Complaint(Vec<u8>);

impl Complaint {
    /// Adds what came, and forgets the oldest.
    pub(super) fn hear(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
        let excess = self.0.len().saturating_sub(KEPT);
        self.0.drain(..excess);
    }

    /// On one line, without anything that a terminal would obey.
    fn on_one_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        plain(&lines.join("; "))
    }
}

/// Why the command ended; none if it was in peace.
pub(super) fn describe(
    command: &str,
    status: i32,
    signal: Option<&str>,
    complaint: &Complaint,
) -> Option<String> {
    let how = match signal {
        Some(signal) => format!("was killed by SIG{signal}"),
        None if status == 0 => return None,
        None => format!("ended with status {status}"),
    };
    let mut text = format!("`{command}` {how} there");
    let complaint = complaint.on_one_line();
    if !complaint.is_empty() {
        text.push_str(": ");
        text.push_str(&complaint);
    }
    // What shells answer for a command that is not there, or cannot be run.
    if matches!(status, 126 | 127) {
        text.push_str("; install sysadm there, or set 'agent' under [ssh] in sysadm.toml here");
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_end_needs_no_words() {
        assert_eq!(describe("a", 0, None, &Complaint::default()), None);
    }

    #[test]
    fn a_terminal_obeys_nothing_that_the_far_side_wrote() {
        let mut complaint = Complaint::default();
        complaint.hear(b"one\x1b[2J\r\n\n  two\xff\n");
        let text = describe("a", 3, None, &complaint).unwrap();
        assert_eq!(text, "`a` ended with status 3 there: one [2J; two\u{fffd}");
    }

    #[test]
    fn only_the_end_of_a_long_complaint_is_kept() {
        let mut complaint = Complaint::default();
        complaint.hear(&[b'x'; 9000]);
        complaint.hear(b"the end");
        assert_eq!(complaint.0.len(), KEPT);
        assert!(describe("a", 0, Some("KILL"), &complaint).unwrap().ends_with("the end"));
    }
}
