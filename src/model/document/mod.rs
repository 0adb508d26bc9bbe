//! A manifest as a document: what `zone detach` writes and `zone attach` reads.
//!
//! It is like the manifest that zoneadm(8) leaves in a zonepath as `SUNWdetached.xml`: a zone configuration in
//! XML, with the elements of the zones DTD where they fit, plus what a hypervisor needs: the zone's UUID and the
//! platform's own configuration, byte for byte. `docs/manifest.md` shows an example.
//!
//! ```text
//!   Manifest ── write ──► text ── read ──► the same Manifest, or FILE:LINE: what is wrong
//! ```
//!
//! Nothing is lost, and nothing guessed: what XML cannot carry is an error of [`write()`], and anything unknown,
//! missing or duplicate is an error of [`read()`]. When the document changes, raise [`VERSION`] and keep reading
//! older versions: the store keeps documents, too. DTDs are rejected, so there are no entities: a document can
//! neither include other files nor expand without limit.

mod encoding;
mod fields;
mod parts;
mod read;
mod write;

use std::io::Read;

use super::{Manifest, Millis, plain};
pub use read::read;
pub use write::write;

/// The version that is written. It can be read, and so can all before it.
pub const VERSION: u32 = 1;

/// Maximum size of a document in bytes.
pub const LIMIT: usize = 4 << 20;

/// Who wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    pub host: String,
    /// The version of sysadm.
    pub software: String,
    pub at: Millis,
}

impl Written {
    pub fn by(host: &str, at: Millis) -> Self {
        Self { host: host.to_owned(), software: env!("CARGO_PKG_VERSION").to_owned(), at }
    }
}

/// Why a document is not a manifest, or why a manifest cannot be written as a document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{what}", place(file, *line))]
pub struct DocumentError {
    /// The path that was read, or `standard input`; empty for an error of writing.
    pub file: String,
    /// From 1; 0 if the error is about the whole document.
    pub line: usize,
    /// One line.
    pub what: String,
    /// What to do about it, where that is known.
    pub hint: Option<&'static str>,
}

impl crate::Hinted for DocumentError {
    fn hints(&self) -> Vec<String> {
        self.hint.map(str::to_owned).into_iter().collect()
    }
}

/// Maximum number of characters shown of an explanation.
const SHOWN: usize = 400;

impl DocumentError {
    /// Removes control characters from the explanation, and shortens it.
    fn new(file: &str, line: usize, what: &str) -> Self {
        let clean = |text: &str| plain(text).chars().take(SHOWN).collect::<String>();
        let more = if what.chars().nth(SHOWN).is_some() { "…" } else { "" };
        Self { file: clean(file), line, what: clean(what) + more, hint: None }
    }
}

/// The prefix of an explanation: `FILE:LINE: `.
fn place(file: &str, line: usize) -> String {
    match (file, line) {
        ("", _) => String::new(),
        (file, 0) => format!("{file}: "),
        (file, line) => format!("{file}:{line}: "),
    }
}

/// Reads a manifest; `file` is its name in errors. Reads at most [`LIMIT`] and one byte, even if the source has
/// no end.
///
/// # Errors
/// If the source cannot be read, and those of [`read()`].
pub fn read_from(reader: impl Read, file: &str) -> Result<(Manifest, Written), DocumentError> {
    let mut bytes = Vec::new();
    let taken = reader.take(LIMIT as u64 + 1).read_to_end(&mut bytes);
    taken.map_err(|error| DocumentError::new(file, 0, &format!("it cannot be read: {error}")))?;
    read(&bytes, file)
}

fn too_long() -> String {
    format!("the file is larger than {}, which no manifest is", super::format_bytes(LIMIT as u64))
}

#[cfg(test)]
mod tests;
