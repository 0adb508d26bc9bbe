//! What is installed on a host, and whether a zone may attach there.
//!
//! A zone that shares folders with its host runs the host's programs and libraries. Elsewhere it runs only if the
//! packages that deliver those files are there, in the same versions (PSARC 2006/030, the migration of Solaris zones).
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
//! # Who counts
//!
//! Of several packaging systems on one host the first in this order counts whose database is there and not empty:
//! IPS, dpkg, rpm, System V. IPS comes first since Solaris 11 keeps a System V database for what is added to it, and
//! System V last for the same reason; dpkg comes before rpm since many a Debian has rpm's tools and a few packages of
//! it, while a Red Hat system with a Debian's database has it empty.
//!
//! # What counts
//!
//! - A package that delivers a file into a folder with programs that the zone reads ([`Folders`]), where it sees the file.
//! - System V: a package that says `SUNW_PKG_ALLZONES=true`, whatever the zone shares, with all its patches; and never
//!   one that says `SUNW_PKG_THISZONE=true`. See `svr4`.
//!
//! A zone that shares nothing reads nothing, but on a System V host. A database that cannot be read is an error with the
//! file, never "no packages"; in a manifest that stands in the place of the packages ([`Software::unknown`]).
//!
//! # What is odd
//!
//! Packages are made by many. A version may be any text. Where an odd line leaves open what a package is, this package is
//! unknown, and no other one: in place of its version stands what is wrong, with a fingerprint of what is there, so that
//! the same counts as the same. A line of which not even the package can be told stands in the list by itself.
//!
//! # What is the host's own
//!
//! A folder with programs that the zone reads is storage like any other, and must be the very same elsewhere, unless
//! packages deliver files into it: not folders, not settings, not files that come and go. Nor is it the host's own if it
//! is a mount point, or lies below one that is none of the system's, or is a link to such a place.

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

pub use compare::{Difference, Incomparable, Report, compare};
pub use folders::Folders;
pub use update::{PackageChange, UpdateError};

use crate::exec::ExecError;
use crate::model::chain;
use crate::model::{Inherited, Package, Software, System};

/// How long a packaging system's own tool may take for all that it is asked: whoever asks for a manifest waits for 30 s.
const PATIENCE: Duration = Duration::from_secs(25);

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
    #[error("{file}: {what}")]
    Damaged {
        /// The file, or the command that printed it.
        file: String,
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
struct FoundSoftware {
    /// What counts.
    software: Software,
    /// Into which of the folders something of it delivers a file. Not one that is there to be changed, such as a setting.
    delivers: Vec<bool>,
}

impl FoundSoftware {
    /// Packages that have no patches.
    fn unpatched(system: System, packages: Vec<Package>, delivers: Vec<bool>) -> Self {
        Self { software: Software { system, packages, patches: Vec::new() }, delivers }
    }

    /// The same with odd lines in the list, each of which may have told of a file in any of the folders.
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
    /// The packages that count. None: the host has no packaging system that is known here, or nothing is counted for a
    /// container that shares nothing.
    pub software: Option<Software>,
    /// The folders that are the host's own: packages deliver files into them. Each host has its own of these, and the
    /// packages say whether they are the same.
    pub own: Vec<PathBuf>,
}

/// What of the packages of the host below `root` a container depends on that shares these folders with it.
///
/// # Errors
/// What cannot be read, and which line of it is damaged.
pub async fn count(root: &Path, inherited: &[Inherited<'_>]) -> Result<Counted, SoftwareError> {
    let Some(found) = find(root, inherited).await? else { return Ok(Counted::default()) };
    let delivered = inherited.iter().zip(found.delivers).filter(|(_, delivers)| *delivers);
    let delivered: Vec<_> = delivered.map(|(one, _)| one.folder.to_owned()).collect();
    Ok(Counted { software: Some(found.software), own: own(root, delivered).await? })
}

/// What stands for the packages of a host that cannot be read. What it would have of its own is taken for that.
///
/// # Errors
/// If not even that can be told.
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

/// Whether its database is there; it may be empty. One that cannot be looked at is not taken for none.
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

/// Reads files beside the threads that answer others.
async fn aside<T: Send + 'static>(
    root: &Path,
    read: impl FnOnce(&Path) -> Result<T, SoftwareError> + Send + 'static,
) -> Result<T, SoftwareError> {
    let (place, root) = (root.to_owned(), root.to_owned());
    let work = tokio::task::spawn_blocking(move || read(&root));
    work.await.map_err(|error| SoftwareError::read(&place, std::io::Error::other(error)))?
}

/// Reads anything as what this packaging system writes, for tests and `fuzzing`. No reader may panic or hang, and what it says is
/// wrong may not steer a terminal.
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
