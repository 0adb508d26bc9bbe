//! What is installed on a host, and whether a zone may attach there.
//!
//! A zone that shares folders with its host runs the host's programs and libraries. Elsewhere it runs only if the
//! packages that deliver those files are there, in the same versions (PSARC 2006/030, the migration of Solaris zones).
//!
//! ```text
//!   the source                                                  the destination
//!   of(root, inherited) ── Software ── in the manifest ──►  compare(theirs, of(root, inherited)) ── Report
//!        │                                                                                             │
//!        ├ ips    pkg list, pkg contents                              findings: one line for each blocker
//!        ├ dpkg   var/lib/dpkg/status, info/*.list                    Display: as zoneadm attach prints it
//!        ├ rpm    rpm -qa                                             update: what attach -u would change
//!        └ svr4   var/sadm/pkg/*/pkginfo, var/sadm/install/contents
//! ```
//!
//! # Who counts
//!
//! Of several packaging systems on one host the first in this order counts whose database is there and not empty:
//! IPS, dpkg, rpm, System V. IPS comes first since Solaris 11 keeps a System V database for what is added to it, and
//! System V last for the same reason; dpkg comes before rpm since many a Debian has rpm's tools and a few packages of
//! it, while a Red Hat system with a Debian's database has it empty.
//!
//! # What counts
//!
//! - A package that delivers a file into a folder that the zone shares ([`Folders`]).
//! - System V: a package that says `SUNW_PKG_ALLZONES=true`, whatever the zone shares, with all its patches; and never
//!   one that says `SUNW_PKG_THISZONE=true`. See `svr4`.
//!
//! A zone that shares nothing reads nothing, but on a System V host. What cannot be read is an error with the file and
//! the line, never "no packages".

mod compare;
mod dpkg;
mod folders;
mod ips;
mod lines;
mod order;
mod rpm;
mod svr4;
mod update;

use std::path::Path;

pub use compare::{Difference, Report, compare};
pub use folders::Folders;
pub use update::{Change, UpdateError};

use crate::exec::ExecError;
use crate::model::{Package, Software, System};

/// Why it is not known what is installed.
#[derive(Debug, thiserror::Error)]
pub enum SoftwareError {
    /// A file or folder cannot be read.
    #[error("failed to read {file}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{file}:{line}: {what}")]
    Damaged {
        /// The file, or the command that printed it.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The packaging system's own tool does not tell.
    #[error(transparent)]
    Tool(#[from] ExecError),
}

impl SoftwareError {
    fn read(file: &Path, source: std::io::Error) -> Self {
        Self::Read { file: file.display().to_string(), source }
    }
}

/// The packaging systems, in the order in which they count.
const ORDER: [System; 4] = [System::Ips, System::Dpkg, System::Rpm, System::Svr4];

/// What is found in a database.
struct Found {
    /// What counts.
    software: Software,
    /// Something of it delivers a file into one of the folders.
    delivers: bool,
}

impl Found {
    /// Packages that count by their files alone.
    fn by_files(system: System, packages: Vec<Package>) -> Self {
        Self { delivers: !packages.is_empty(), software: Software { system, packages, patches: Vec::new() } }
    }
}

/// What of the packages of the host below `root` a container depends on that shares these folders with it. None: the
/// host has no packaging system that is known here, or nothing is counted for a container that shares nothing.
///
/// # Errors
/// What cannot be read, and which line of it is damaged.
pub async fn of(root: &Path, inherited: &[&Path]) -> Result<Option<Software>, SoftwareError> {
    Ok(find(root, inherited).await?.map(|found| found.software))
}

/// Whether packages of the host below `root` deliver files into this folder. Then it is none that hosts have in
/// common: each has its own, and the packages say whether they are the same.
///
/// # Errors
/// Like [`of`].
pub async fn is_delivered(root: &Path, folder: &Path) -> Result<bool, SoftwareError> {
    Ok(find(root, &[folder]).await?.is_some_and(|found| found.delivers))
}

async fn find(root: &Path, inherited: &[&Path]) -> Result<Option<Found>, SoftwareError> {
    for system in ORDER {
        if !is_there(system, root) {
            continue;
        }
        if inherited.is_empty() && system != System::Svr4 {
            return Ok(None);
        }
        let folders = Folders::new(root, inherited);
        let found = match system {
            System::Ips => ips::read(root, &folders).await?,
            System::Rpm => rpm::read(root, &folders).await?,
            System::Dpkg => from_files(dpkg::read, root, folders).await?,
            System::Svr4 => from_files(svr4::read, root, folders).await?,
            System::Hypervisor => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Whether its database is there; it may be empty.
fn is_there(system: System, root: &Path) -> bool {
    let marks: &[&str] = match system {
        System::Ips => &["var/pkg/pkg5.image"],
        System::Dpkg => &["var/lib/dpkg/status"],
        System::Rpm => &rpm::DATABASES,
        System::Svr4 => &[svr4::PACKAGES],
        System::Hypervisor => &[],
    };
    let is_there = |mark: &&str| std::fs::metadata(root.join(mark)).is_ok_and(|file| file.len() > 0);
    marks.iter().any(is_there)
}

/// Reads files beside the threads that answer others.
async fn from_files(
    read: fn(&Path, &Folders) -> Result<Option<Found>, SoftwareError>,
    root: &Path,
    folders: Folders,
) -> Result<Option<Found>, SoftwareError> {
    let (place, root) = (root.to_owned(), root.to_owned());
    let work = tokio::task::spawn_blocking(move || read(&root, &folders));
    work.await.map_err(|error| SoftwareError::read(&place, std::io::Error::other(error)))?
}

/// Reads anything as what this packaging system writes, for tests and `fuzzing`. No reader may panic or hang, and what it says is
/// wrong may not steer a terminal.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_anything(system: System, bytes: &[u8]) {
    let folders = Folders::new(Path::new("/nonexistent"), &[Path::new("/usr")]);
    let text = String::from_utf8_lossy(bytes);
    let read = |failed: Option<SoftwareError>| {
        assert!(
            !failed.is_some_and(|error| error.to_string().contains(char::is_control)),
            "it steers the terminal"
        );
    };
    match system {
        System::Svr4 => {
            read(svr4::packages_in(bytes, "contents", &folders).err());
            read(svr4::pkginfo(bytes, "pkginfo").err());
        }
        System::Ips => {
            read(ips::list(&text).err());
            read(ips::packages_in(&text, &folders).err());
        }
        System::Dpkg => {
            read(dpkg::status(bytes, "status").err());
            read(dpkg::delivers(bytes, "list", &folders).err());
        }
        System::Rpm => read(rpm::parse(&text, &folders).err()),
        System::Hypervisor => {}
    }
    if let Some((one, other)) = text.split_once(' ') {
        let back = order::order(system, other, one).map(std::cmp::Ordering::reverse);
        assert_eq!(order::order(system, one, other), back, "which is newer depends on who asks");
    }
}

#[cfg(test)]
mod tests;
