//! Where words go: what was asked for to standard output, the rest to standard error. A reader that has gone
//! away is no error.

use std::io::{IsTerminal, Write};

use crate::model::plain;

/// Data, as it is.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A sentence about what goes on: `sysadm: …`.
pub fn say(text: &str) {
    print(&format!("sysadm: {}\n", plain(text)));
}

/// Something that went wrong, or that the operator should know.
pub fn complain(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(format!("sysadm: {}\n", plain(text)).as_bytes());
}

/// A line that belongs to what was just complained about.
pub fn quote(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(format!("    {}\n", plain(text).trim_end()).as_bytes());
}

/// Lines that have a form of their own, and of which whoever made them has taken care that they steer no terminal.
pub fn report(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
}

/// Whether what is printed may be coloured.
pub fn in_colour() -> bool {
    on_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether a person looks at standard output.
pub fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether a person looks at standard error.
pub fn errors_on_terminal() -> bool {
    std::io::stderr().is_terminal()
}
