//! Files of certificates and keys: keys are read only if no other user can read them, and files are written whole
//! and never overwritten.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{CertError, Pair};
use crate::file;

/// Reads a whole file; `hint` is the command that creates it.
pub fn read(path: &Path, hint: &'static str) -> Result<Vec<u8>, CertError> {
    fs::read(path).map_err(|error| unreadable(path, hint, error))
}

/// Reads a private key, unless other users than its owner may read or write it, too.
pub fn read_key(path: &Path, hint: &'static str) -> Result<Vec<u8>, CertError> {
    let mut file = File::open(path).map_err(|error| unreadable(path, hint, error))?;
    let failed = |source| CertError::Read { path: path.to_owned(), source };
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CertError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn unreadable(path: &Path, hint: &'static str, source: std::io::Error) -> CertError {
    match source.kind() {
        std::io::ErrorKind::NotFound => CertError::Missing { path: path.to_owned(), hint },
        _ => CertError::Read { path: path.to_owned(), source },
    }
}

pub fn refuse_existing(pair: &Pair) -> Result<(), CertError> {
    for path in [&pair.cert, &pair.key] {
        if path.symlink_metadata().is_ok() {
            return Err(CertError::Exists { path: path.clone() });
        }
    }
    Ok(())
}

/// Writes a file that must not exist.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CertError> {
    file::create(path, bytes, mode).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => CertError::Exists { path: path.to_owned() },
        _ => CertError::Write { path: path.to_owned(), source },
    })
}
