//! A manifest as a document: what `zone detach` writes and `zone attach` reads.
//!
//! It is the manifest that zoneadm(8) leaves in a zonepath as `SUNWdetached.xml`: an ordinary zone configuration in
//! XML, with the elements of the zones DTD where they fit, and with what a hypervisor needs beyond: the zone's identity
//! and its platform's own configuration, byte for byte. `docs/manifest.md` shows one.
//!
//! ```text
//!   Manifest ── write ──► text ── read ──► the same Manifest, or FILE:LINE: what is wrong
//! ```
//!
//! Nothing is lost, and nothing guessed: what XML cannot carry is an error of [`write()`], and what is not known, missing
//! or there twice is an error of [`read()`]. Whoever adds to the document raises [`VERSION`] and still reads the older
//! ones: the store keeps documents, too. No DTD is accepted, so no entities: neither other files nor a text that grows
//! without end can come in.

mod encoding;
mod fields;
mod parts;
mod read;
mod write;

use std::io::Read;

use super::{Manifest, Millis, plain};
pub use read::read;
pub use write::write;

/// The version of the document that is written. It is read, and so are all before it.
pub const VERSION: u32 = 1;

/// The bytes that a document has at most.
pub const LIMIT: usize = 4 << 20;

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Written {
    /// The host that has written it.
    pub host: String,
    /// The version of sysadm there.
    pub software: String,
    /// When.
    pub at: Millis,
}

impl Written {
    /// By this software.
    pub fn by(host: &str, at: Millis) -> Self {
        Self { host: host.to_owned(), software: env!("CARGO_PKG_VERSION").to_owned(), at }
    }
}

/// Why a document is not a manifest, or a manifest no document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{}{what}", place(file, *line))]
pub struct DocumentError {
    /// Where it was read: a path, or `standard input`; empty if it was to be written.
    pub file: String,
    /// The line, from 1; 0 if it is about the whole.
    pub line: usize,
    /// What is wrong with it, on one line.
    pub what: String,
}

impl crate::Hinted for DocumentError {}

/// So many characters of an explanation are shown.
const SHOWN: usize = 400;

impl DocumentError {
    /// Nothing in it steers a terminal, or fills it.
    fn new(file: &str, line: usize, what: &str) -> Self {
        let clean = |text: &str| plain(text).chars().take(SHOWN).collect::<String>();
        let more = if what.chars().nth(SHOWN).is_some() { "…" } else { "" };
        Self { file: clean(file), line, what: clean(what) + more }
    }
}

/// What stands before an explanation.
fn place(file: &str, line: usize) -> String {
    match (file, line) {
        ("", _) => String::new(),
        (file, 0) => format!("{file}: "),
        (file, line) => format!("{file}:{line}: "),
    }
}

/// The manifest in what a reader gives, `file` being what it is called in errors. Of a source without end, no more than
/// [`LIMIT`] and one byte is taken.
///
/// # Errors
/// If it cannot be read, and as [`read()`].
pub fn read_from(reader: impl Read, file: &str) -> Result<(Manifest, Written), DocumentError> {
    let mut bytes = Vec::new();
    let taken = reader.take(LIMIT as u64 + 1).read_to_end(&mut bytes);
    taken.map_err(|error| DocumentError::new(file, 0, &format!("it cannot be read: {error}")))?;
    read(&bytes, file)
}

fn too_long() -> String {
    format!("it has more than {}, which no manifest has", super::format_bytes(LIMIT as u64))
}

#[cfg(test)]
mod tests;
