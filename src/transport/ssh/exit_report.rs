//! How the remote command ended.

use crate::model::plain;

/// How much of its standard error is kept: the end of it.
const KEPT: usize = 4096;

/// The end of the remote command's standard error.
#[derive(Default)]
pub(super) struct Complaint(Vec<u8>);

impl Complaint {
    /// Adds text, and drops the oldest.
    pub(super) fn hear(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
        let excess = self.0.len().saturating_sub(KEPT);
        self.0.drain(..excess);
    }

    /// The text on one line, without control characters.
    fn on_one_line(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        plain(&lines.join("; "))
    }
}

/// Why the command ended; none if it succeeded.
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
    // The exit statuses of shells for a command that does not exist, or cannot be executed.
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
