//! Output: the result of a command goes to standard output, everything else to standard error. It is not an error
//! if the reader has gone away; any other failure to write to standard output is. If standard output was closed
//! before the start (`>&-`), it leads to `/dev/null`: Rust opens that in its place, so that it is not taken for a
//! file that is opened later.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Write};
use std::os::unix::fs::FileTypeExt;
use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::io::Errno;

use super::{CliError, Exit};
use crate::file;
use crate::model::{Message, chain, plain};

/// The first error of writing a note.
static UNWRITTEN: OnceLock<std::io::Error> = OnceLock::new();

/// The hints that were given.
static GIVEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Prints the result of a command.
///
/// # Errors
/// If it cannot be written completely: a reader would take a part for the whole.
pub fn print(text: &str) -> Result<(), CliError> {
    write(text).map_err(|error| unwritten_because(&error))
}

/// Prints what a command does: it continues if that cannot be written, see [`unwritten`].
pub fn note(text: &str) {
    if let Err(error) = write(text) {
        UNWRITTEN.get_or_init(|| error);
    }
}

/// Prints a sentence about what is going on: `sysadm: …`.
pub fn say(text: &str) {
    note(&format!("sysadm: {}\n", plain(text)));
}

/// Why notes are missing, if any are.
pub fn unwritten() -> Option<CliError> {
    UNWRITTEN.get().map(unwritten_because)
}

fn unwritten_because(error: &std::io::Error) -> CliError {
    CliError::new(Exit::Error, format!("failed to write to standard output: {}", chain(error)))
}

fn write(text: &str) -> std::io::Result<()> {
    // Output of several threads does not mix.
    let _alone = std::io::stdout().lock();
    let mut out = file::standard_output()?;
    match out.write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe || is_lost_terminal(&error, &out) => Ok(()),
        written => written,
    }
}

/// If a terminal has been disconnected, every write fails, and it is not even recognized as a terminal any more.
fn is_lost_terminal(error: &std::io::Error, out: &File) -> bool {
    let is_device = |about: std::fs::Metadata| about.file_type().is_char_device();
    error.raw_os_error() == Some(Errno::IO.raw_os_error()) && out.metadata().is_ok_and(is_device)
}

/// Prints an error, or a warning for the operator.
pub fn complain(message: impl Into<Message>) {
    let Message { text, hints } = message.into();
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(format!("sysadm: {}\n", plain(&text)).as_bytes());
    hint(&hints);
}

/// Prints a line of a log, each with its hints: who reads it need not have read the lines before.
pub fn log(message: impl Into<Message>) {
    let Message { text, hints } = message.into();
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(format!("sysadm: {}\n", plain(&text)).as_bytes());
    write_hints(&hints.iter().collect::<Vec<_>>());
}

/// What to do: `hint: …`, dim on a terminal. None is given twice.
pub fn hint(hints: &[String]) {
    write_hints(&new(hints));
}

fn write_hints(hints: &[&String]) {
    let mut out = std::io::stderr().lock();
    for hint in hints {
        let line = format!("hint: {}", plain(hint));
        let line = if errors_in_colour() { format!("\u{1b}[2m{line}\u{1b}[0m\n") } else { line + "\n" };
        let _ = out.write_all(line.as_bytes());
    }
}

/// Those that have not been given before.
fn new(hints: &[String]) -> Vec<&String> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    hints.iter().filter(|hint| given.insert((*hint).clone())).collect()
}

/// Prints a line that belongs to the preceding error.
pub fn quote(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(format!("    {}\n", plain(text).trim_end()).as_bytes());
}

/// Prints formatted lines; the caller has made sure that they contain no control characters.
pub fn report(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = out.write_all(text.as_bytes());
}

/// Whether the output may be coloured.
pub fn in_colour() -> bool {
    on_terminal() && wants_colour()
}

/// Whether what is said on standard error may be.
fn errors_in_colour() -> bool {
    errors_on_terminal() && wants_colour()
}

fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether standard output is a terminal.
pub fn on_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn errors_on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_is_given_once() {
        let [one, other] = ["look at h1".to_owned(), "look at h2".to_owned()];
        assert_eq!(new(std::slice::from_ref(&one)), [&one]);
        assert_eq!(new(&[one.clone(), other.clone(), other.clone()]), [&other]);
        assert!(new(&[one, other]).is_empty());
    }
}
