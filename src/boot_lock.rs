//! What one process says of one zone's boot, and the hypervisor must know, too.
//!
//! - A [permit](BootPermit): for one moment the zone may be booted here although the host is in maintenance.
//! - A [block](BootBlock): it was shut down here in order to run elsewhere, and must not be booted here, maintenance or
//!   not.
//!
//! Each is a file named by the zone's UUID, with the number of the process that wrote it, and the time of its start in a
//! second line. libvirt's hook and the simulation look for it. A file whose process is gone counts for nothing, so a crash
//! leaves no hole in the maintenance lock, and no zone that cannot be booted.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::folder;
use crate::paths::Paths;

/// Permits the boot of a zone until it is dropped.
#[derive(Debug)]
pub struct BootPermit {
    _file: ZoneFile,
}

impl BootPermit {
    /// A permit for that zone, from now on.
    ///
    /// # Errors
    /// If it cannot be written; the file is named.
    pub fn new(paths: &Paths, uuid: Uuid) -> Result<Self> {
        Ok(Self { _file: ZoneFile::write(&paths.boot_permits(), uuid)? })
    }
}

/// Prevents the boot of a zone until it is dropped.
#[derive(Debug)]
pub struct BootBlock {
    _file: ZoneFile,
}

impl BootBlock {
    /// A block of that zone, from now on.
    ///
    /// # Errors
    /// If it cannot be written; the file is named.
    pub fn new(paths: &Paths, uuid: Uuid) -> Result<Self> {
        Ok(Self { _file: ZoneFile::write(&paths.boot_blocks(), uuid)? })
    }
}

/// A file that names this process; removed when dropped.
#[derive(Debug)]
struct ZoneFile(PathBuf);

impl ZoneFile {
    fn write(folder: &Path, uuid: Uuid) -> Result<Self> {
        let path = folder.join(uuid.to_string());
        let named =
            |error: Error| Error::new(error.kind(), format!("failed to write {}: {error}", path.display()));
        if let Some(run) = folder.parent() {
            folder::run(run).map_err(named)?;
        }
        folder::keep(folder, 0o700).map_err(named)?;
        let written = Self(path.clone());
        let process = std::process::id().to_string();
        let start = start_of(&process).unwrap_or_default();
        file::replace(&path, format!("{process}\n{start}\n"), 0o644).map_err(named)?;
        Ok(written)
    }
}

/// Whether a living process permits the zone's boot.
pub fn is_permitted(paths: &Paths, uuid: Uuid) -> bool {
    writer(&paths.boot_permits(), uuid).is_some()
}

/// The number of the living process that prevents the zone's boot, if one does.
pub fn blocked_by(paths: &Paths, uuid: Uuid) -> Option<String> {
    writer(&paths.boot_blocks(), uuid)
}

fn writer(folder: &Path, uuid: Uuid) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(uuid.to_string())).ok()?;
    let mut lines = text.lines();
    let (process, start) = (lines.next()?, lines.next().unwrap_or_default());
    let now = start_of(process)?;
    // Where its start could not be read, its number must do.
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

impl Drop for ZoneFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
