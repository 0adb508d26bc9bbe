//! Slips: what one process knows of one zone, and libvirt's hook must know, too.
//!
//! - A pass: for one moment the zone may be booted here although the lock is held.
//! - A hold: it was shut down here in order to run elsewhere, and must not be booted here, lock or not.
//!
//! A slip is a file named by the zone's UUID, with the number of the process that gave it. libvirt's hook and the
//! simulation look for it; one whose process is gone is worth nothing, so a crash leaves no hole in the lock, and no
//! zone that nobody can boot.

use std::io::{Error, Result};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::paths::Paths;

/// Holds until it is dropped.
#[derive(Debug)]
pub struct Slip(PathBuf);

impl Slip {
    /// A pass for that zone, from now on.
    ///
    /// # Errors
    /// If it cannot be written; the file is named.
    pub fn pass(paths: &Paths, uuid: Uuid) -> Result<Self> {
        Self::write(&paths.passes(), uuid)
    }

    /// A hold on that zone, from now on.
    ///
    /// # Errors
    /// If it cannot be written; the file is named.
    pub fn hold(paths: &Paths, uuid: Uuid) -> Result<Self> {
        Self::write(&paths.holds(), uuid)
    }

    fn write(folder: &Path, uuid: Uuid) -> Result<Self> {
        let file = folder.join(uuid.to_string());
        let named =
            |error: Error| Error::new(error.kind(), format!("failed to write {}: {error}", file.display()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(named)?;
        let slip = Self(file.clone());
        std::fs::write(&file, format!("{}\n", std::process::id())).map_err(named)?;
        Ok(slip)
    }
}

/// Whether the zone has a pass that is worth something.
pub fn has_pass(paths: &Paths, uuid: Uuid) -> bool {
    giver(&paths.passes(), uuid).is_some()
}

/// The number of the living process that holds the zone, if one does.
pub fn holder(paths: &Paths, uuid: Uuid) -> Option<String> {
    giver(&paths.holds(), uuid)
}

fn giver(folder: &Path, uuid: Uuid) -> Option<String> {
    let process = std::fs::read_to_string(folder.join(uuid.to_string())).ok()?.trim().to_owned();
    Path::new("/proc").join(&process).is_dir().then_some(process)
}

impl Drop for Slip {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
