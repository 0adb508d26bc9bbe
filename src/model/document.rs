//! A manifest as a document: what `zone detach` writes and `zone attach` reads.

use super::Manifest;

/// Why a document is not a manifest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{file}:{line}: {what}")]
pub struct DocumentError {
    /// Where it was read: a path, or `standard input`.
    pub file: String,
    /// The line, from 1; 0 if it is about the whole.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// The document of a manifest.
///
/// # Errors
/// If something in it cannot be written in XML.
pub fn write(manifest: &Manifest) -> Result<String, DocumentError> {
    let failed =
        |error: serde_json::Error| DocumentError { file: String::new(), line: 0, what: error.to_string() };
    serde_json::to_string_pretty(manifest).map_err(failed)
}

/// The manifest in a document, `file` being what it is called in errors.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(bytes: &[u8], file: &str) -> Result<Manifest, DocumentError> {
    let failed = |error: serde_json::Error| DocumentError {
        file: file.to_owned(),
        line: error.line(),
        what: error.to_string(),
    };
    serde_json::from_slice(bytes).map_err(failed)
}
