//! A pass: for one moment one zone may be booted here although the lock is held.
//!
//! It is a file named by the zone's UUID, with the number of the process that gave it. libvirt's hook and the
//! simulation look for it; one whose process is gone is worth nothing, so a crash leaves no hole in the lock.

use std::io::{Error, Result};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use uuid::Uuid;

use crate::paths::Paths;

/// Holds until it is dropped.
#[derive(Debug)]
pub struct Pass(PathBuf);

impl Pass {
    fn file(paths: &Paths, uuid: Uuid) -> PathBuf {
        paths.passes().join(uuid.to_string())
    }

    /// For that zone, from now on.
    ///
    /// # Errors
    /// If it cannot be written; the file is named.
    pub fn give(paths: &Paths, uuid: Uuid) -> Result<Self> {
        let file = Self::file(paths, uuid);
        let named =
            |error: Error| Error::new(error.kind(), format!("failed to write {}: {error}", file.display()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(paths.passes()).map_err(named)?;
        let pass = Self(file.clone());
        std::fs::write(&file, format!("{}\n", std::process::id())).map_err(named)?;
        Ok(pass)
    }

    /// Whether the zone has one that is worth something.
    pub fn is_given(paths: &Paths, uuid: Uuid) -> bool {
        let process = std::fs::read_to_string(Self::file(paths, uuid));
        process.is_ok_and(|id| std::path::Path::new("/proc").join(id.trim()).is_dir())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
