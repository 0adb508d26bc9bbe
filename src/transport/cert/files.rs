//! Files of certificates and keys: read only if nobody else can, written whole and never over something.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{CertError, Pair};

/// Reads a whole file; `hint` says what makes it if it is not there.
pub fn read(path: &Path, hint: &'static str) -> Result<Vec<u8>, CertError> {
    fs::read(path).map_err(|error| unreadable(path, hint, error))
}

/// Reads a private key, unless others than its owner may read or write it too.
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

/// Writes a file that must not exist: whole under another name first, which is then linked to the right one, for
/// a link, unlike a rename, never replaces anything.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), CertError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.tmp", uuid::Uuid::new_v4().simple()));
    let draft = PathBuf::from(name);
    let written = write_draft(&draft, bytes, mode).and_then(|()| fs::hard_link(&draft, path));
    let _ = fs::remove_file(&draft);
    written.and_then(|()| sync_parent(path)).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => CertError::Exists { path: path.to_owned() },
        _ => CertError::Write { path: path.to_owned(), source },
    })
}

fn write_draft(draft: &Path, bytes: &[u8], mode: u32) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(draft)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}
