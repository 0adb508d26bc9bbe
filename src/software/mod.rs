//! What is installed on a host, and whether a zone may attach there.
//!
//! A zone that shares folders with its host runs the host's programs and libraries. It runs on another host only
//! if the packages that deliver those files are installed there in the same versions (PSARC 2006/030, zone
//! migration).
//!
//! ```text
//!   the source                                                  the destination
//!   count(root, inherited) ── Software ── in the manifest ──►  compare(theirs, ours) ── Report
//!        │                                                                              │
//!        ├ ips    pkg list, pkg contents                findings: one line for each blocker
//!        ├ dpkg   var/lib/dpkg/status, info/*.list      Display: as zoneadm attach prints it
//!        ├ rpm    rpm -qa                               update: what attach -u would change
//!        └ svr4   var/sadm/pkg/*/pkginfo, var/sadm/install/contents
//! ```
//!
//! # Which packaging system
//!
//! If a host has several packaging systems, the first in this order is used whose database exists and is not
//! empty: IPS, dpkg, rpm, System V. IPS comes before System V since Solaris 11 keeps a System V database for
//! additional packages; dpkg comes before rpm since many a Debian has rpm's tools and a few of its packages,
//! while dpkg's database on a Red Hat system is empty.
//!
//! # Which packages count
//!
//! - A package that delivers a file into a folder with programs that the zone reads ([`Folders`]), if the zone
//!   sees the file.
//! - System V: a package with `SUNW_PKG_ALLZONES=true`, whatever the zone shares, with all its patches; and never
//!   one with `SUNW_PKG_THISZONE=true`. See `svr4`.
//!
//! For a zone that shares nothing nothing is read, except on a System V host. A database that cannot be read is
//! an error that names the file, and never means "no packages"; in a manifest the error takes the place of the
//! packages ([`Software::unknown`]).
//!
//! # Invalid lines
//!
//! Packages are made by many people. A version may be any text. If an invalid line leaves something about a
//! package unknown, only that package is unknown: its version is replaced by what is wrong and a fingerprint of
//! the lines, so that identical lines compare as equal. A line whose package is not known either becomes an entry
//! of its own.
//!
//! # Folders of the host's own
//!
//! A folder with programs that the zone reads is storage like any other, and must be the same one at the
//! destination, unless packages deliver files into it: files, not folders, configuration or volatile files. Nor
//! is it the host's own if it is a mount point, lies below one that is not the system's, or is a symbolic link to
//! such a place.

mod compare;
mod dpkg;
mod folders;
mod ips;
mod lines;
mod order;
mod place;
mod rpm;
mod svr4;
mod update;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use compare::{Difference, Report, compare};
pub use folders::Folders;

use crate::exec::ExecError;
use crate::model::chain;
use crate::model::{Inherited, Package, Software, System};

/// Time limit for all calls of a packaging system's own tool: a request for a manifest times out after 30 s.
const PATIENCE: Duration = Duration::from_secs(25);

/// Why the installed software is not known.
#[derive(Debug, thiserror::Error)]
pub enum SoftwareError {
    /// A file or folder cannot be read.
    #[error("failed to read {file}")]
    Read { file: String, source: std::io::Error },
    /// A file or an output is invalid.
    #[error("{file}: {what}")]
    Damaged {
        /// The file, or the command that printed the output.
        file: String,
        what: String,
    },
    /// The packaging system's own tool failed.
    #[error(transparent)]
    Tool(#[from] ExecError),
}

impl SoftwareError {
    fn read(file: &Path, source: std::io::Error) -> Self {
        Self::Read { file: file.display().to_string(), source }
    }
}

/// The packaging systems, in the order of preference.
const ORDER: [System; 4] = [System::Ips, System::Dpkg, System::Rpm, System::Svr4];

/// What was found in a database.
struct FoundSoftware {
    /// The packages that count.
    software: Software,
    /// For each folder, whether a package delivers a file into it that is neither configuration nor volatile.
    delivers: Vec<bool>,
}

impl FoundSoftware {
    /// Software without patches.
    fn unpatched(system: System, packages: Vec<Package>, delivers: Vec<bool>) -> Self {
        Self { software: Software { system, packages, patches: Vec::new() }, delivers }
    }

    /// Adds entries for invalid lines, each of which may have named a file in any of the folders.
    fn beside(mut self, odd: Vec<Package>) -> Self {
        if !odd.is_empty() {
            self.delivers.fill(true);
        }
        self.software.packages.extend(odd);
        self
    }
}

/// What a container depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// None: the host has no known packaging system, or nothing counts for a container that shares nothing.
    pub software: Option<Software>,
    /// The folders of the host's own: packages deliver files into them. Each host has its own copy, and the
    /// packages tell whether the copies are the same.
    pub own: Vec<PathBuf>,
}

/// The packages of the host below `root` that count for a container which shares these folders with it.
///
/// # Errors
/// Which file cannot be read, or which of its lines is damaged.
pub async fn count(root: &Path, inherited: &[Inherited<'_>]) -> Result<Counted, SoftwareError> {
    let Some(found) = find(root, inherited).await? else { return Ok(Counted::default()) };
    let delivered = inherited.iter().zip(found.delivers).filter(|(_, delivers)| *delivers);
    let delivered: Vec<_> = delivered.map(|(one, _)| one.folder.to_owned()).collect();
    Ok(Counted { software: Some(found.software), own: own(root, delivered).await? })
}

/// The substitute for the packages of a host that cannot be read. Folders that could be the host's own are taken
/// for such.
pub async fn uncounted(
    root: &Path,
    inherited: &[Inherited<'_>],
    why: &SoftwareError,
) -> Result<Counted, SoftwareError> {
    let system = ORDER.into_iter().find(|system| is_there(*system, root).unwrap_or(true));
    let software = Software::unknown(system.unwrap_or(System::Svr4), chain(why));
    let folders = inherited.iter().map(|one| one.folder.to_owned()).collect();
    Ok(Counted { software: Some(software), own: own(root, folders).await? })
}

/// Those of these folders that are the host's own.
async fn own(root: &Path, folders: Vec<PathBuf>) -> Result<Vec<PathBuf>, SoftwareError> {
    if folders.is_empty() {
        return Ok(folders);
    }
    aside(root, move |root| {
        let are_own = place::are_own(root, &folders.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        Ok(folders.into_iter().zip(are_own).filter_map(|(folder, is_own)| is_own.then_some(folder)).collect())
    })
    .await
}

async fn find(root: &Path, inherited: &[Inherited<'_>]) -> Result<Option<FoundSoftware>, SoftwareError> {
    for system in ORDER {
        if !is_there(system, root)? {
            continue;
        }
        if inherited.is_empty() && system != System::Svr4 {
            return Ok(None);
        }
        let folders = Folders::new(root, inherited);
        let found = match system {
            System::Ips => ips::read(root, &folders).await?,
            System::Rpm => rpm::read(root, &folders).await?,
            System::Dpkg => aside(root, move |root| dpkg::read(root, &folders)).await?,
            System::Svr4 => aside(root, move |root| svr4::read(root, &folders)).await?,
            System::Hypervisor => None,
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Whether the system's database exists; it may be empty. An error is not taken for a no.
fn is_there(system: System, root: &Path) -> Result<bool, SoftwareError> {
    let marks: &[&str] = match system {
        System::Ips => &["var/pkg/pkg5.image"],
        System::Dpkg => &["var/lib/dpkg/status"],
        System::Rpm => &rpm::DATABASES,
        System::Svr4 => &[svr4::PACKAGES],
        System::Hypervisor => &[],
    };
    for file in marks.iter().map(|mark| root.join(mark)) {
        match file.metadata() {
            Ok(_) => return Ok(true),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(SoftwareError::read(&file, error)),
        }
    }
    Ok(false)
}

/// Reads files on a thread of its own, so that other requests are not held up.
async fn aside<T: Send + 'static>(
    root: &Path,
    read: impl FnOnce(&Path) -> Result<T, SoftwareError> + Send + 'static,
) -> Result<T, SoftwareError> {
    let (place, root) = (root.to_owned(), root.to_owned());
    let work = tokio::task::spawn_blocking(move || read(&root));
    work.await.map_err(|error| SoftwareError::read(&place, std::io::Error::other(error)))?
}

/// Reads arbitrary bytes as the database of this packaging system, for tests and fuzzing. No parser may panic or
/// hang, and its errors must not contain control characters.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_anything(system: System, bytes: &[u8]) {
    let folders = Folders::new(Path::new("/nonexistent"), &[Path::new("/usr").into()]);
    let text = String::from_utf8_lossy(bytes);
    let read = |failed: Option<SoftwareError>| {
        assert!(
            !failed.is_some_and(|error| error.to_string().contains(char::is_control)),
            "it steers the terminal"
        );
    };
    let packages = |packages: &[Package]| {
        let texts = packages.iter().flat_map(|package| [&package.name, &package.version]);
        assert!(!texts.into_iter().any(|text| text.contains(char::is_control)), "it steers the terminal");
    };
    match system {
        System::Svr4 => {
            let found = svr4::packages_in(bytes, "contents", &folders);
            packages(found.as_ref().map_or(&[], |(_, odd)| odd));
            read(found.err());
            read(svr4::pkginfo(bytes, "pkginfo").err());
        }
        System::Ips => {
            let (listed, _) = ips::list(&text);
            packages(&listed);
            read(ips::packages_in(&text, &folders).err());
        }
        System::Dpkg => {
            read(dpkg::status(bytes, "status").err());
            read(dpkg::look(bytes, "list", &folders, &mut [false], |_| true).err());
        }
        System::Rpm => {
            let found = rpm::parse(&text, &folders);
            packages(
                found.as_ref().ok().and_then(Option::as_ref).map_or(&[], |found| &found.software.packages),
            );
            read(found.err());
        }
        System::Hypervisor => {}
    }
    if let Some((one, other)) = text.split_once(' ') {
        let back = order::order(system, other, one).map(std::cmp::Ordering::reverse);
        assert_eq!(order::order(system, one, other), back, "which is newer depends on who asks");
    }
}

#[cfg(test)]
mod tests;
