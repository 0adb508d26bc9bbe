//! Slips: what one process knows of one zone, and libvirt's hook must know, too.
//!
//! - A pass: for one moment the zone may be booted here although the lock is held.
//! - A hold: it was shut down here in order to run elsewhere, and must not be booted here, lock or not.
//!
//! A slip is a file named by the zone's UUID, with the number of the process that gave it, and the time of its start in a
//! second line. libvirt's hook and the simulation look for it; one whose process is gone is worth nothing, so a crash
//! leaves no hole in the lock, and no zone that nobody can boot.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::folder;
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

    fn write(slips: &Path, uuid: Uuid) -> Result<Self> {
        let path = slips.join(uuid.to_string());
        let named =
            |error: Error| Error::new(error.kind(), format!("failed to write {}: {error}", path.display()));
        if let Some(run) = slips.parent() {
            folder::run(run).map_err(named)?;
        }
        folder::keep(slips, 0o700).map_err(named)?;
        let slip = Self(path.clone());
        let process = std::process::id().to_string();
        let start = start_of(&process).unwrap_or_default();
        file::replace(&path, format!("{process}\n{start}\n"), 0o644).map_err(named)?;
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
    let text = std::fs::read_to_string(folder.join(uuid.to_string())).ok()?;
    let mut lines = text.lines();
    let (process, start) = (lines.next()?, lines.next().unwrap_or_default());
    let now = start_of(process)?;
    // One of an older sysadm says nothing of its start.
    (start.is_empty() || start == now).then(|| process.to_owned())
}

/// When that process was started, in a measure of the kernel's own; none if it is gone. Its number may be another one's
/// later, but not both.
fn start_of(process: &str) -> Option<String> {
    let stat = std::fs::read(Path::new("/proc").join(process).join("stat")).ok()?;
    // The name of its program stands in parentheses, and may hold anything.
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19).map(str::to_owned)
}

impl Drop for Slip {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
