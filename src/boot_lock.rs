//! Permits and blocks for booting one zone, which the hypervisor's hook respects.
//!
//! - A [permit](BootPermit): the zone may be booted now although the host is in maintenance.
//! - A [block](BootBlock): the zone was shut down here in order to run elsewhere, and must not be booted here,
//!   maintenance or not.
//!
//! Each is a file named after the zone's UUID. Its first line is the process id of its writer, its second line
//! the time at which that process started. libvirt's hook and the simulation look for the file. It is void if its
//! process no longer exists, so a crash leaves neither a hole in the maintenance lock nor a zone that cannot be
//! booted.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::file;
use crate::folder;
use crate::model::chain;
use crate::paths::Paths;

/// Permits the boot of a zone until it is dropped.
#[derive(Debug)]
pub struct BootPermit {
    _file: ZoneFile,
}

impl BootPermit {
    /// # Errors
    /// If the file cannot be written; the error names it.
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
    /// # Errors
    /// If the file cannot be written; the error names it.
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
        let named = |error: Error| {
            Error::new(error.kind(), format!("failed to write {}: {}", path.display(), chain(&error)))
        };
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

/// Whether a running process permits the zone's boot.
pub fn is_permitted(paths: &Paths, uuid: Uuid) -> bool {
    writer(&paths.boot_permits(), uuid).is_some()
}

/// The id of the running process that prevents the zone's boot, if there is one.
pub fn blocked_by(paths: &Paths, uuid: Uuid) -> Option<String> {
    writer(&paths.boot_blocks(), uuid)
}

fn writer(folder: &Path, uuid: Uuid) -> Option<String> {
    let text = std::fs::read_to_string(folder.join(uuid.to_string())).ok()?;
    let mut lines = text.lines();
    let (process, start) = (lines.next()?, lines.next().unwrap_or_default());
    let now = start_of(process)?;
    // If the start time could not be read, the process id must do.
    (start.is_empty() || start == now).then(|| process.to_owned())
}

/// When that process was started, in clock ticks since boot; none if it does not exist. A process id may be
/// reused, but not together with the start time.
fn start_of(process: &str) -> Option<String> {
    let stat = std::fs::read(Path::new("/proc").join(process).join("stat")).ok()?;
    // The program's name is in parentheses, and may contain anything.
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(") ")?;
    rest.split(' ').nth(19).map(str::to_owned)
}

impl Drop for ZoneFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
