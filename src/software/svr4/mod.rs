//! System V packages and their patches: Solaris 10.
//!
//! The rule of PSARC 2006/030, for each package of the host (the global zone):
//!
//! | the package | counts |
//! |---|---|
//! | `SUNW_PKG_THISZONE=true` | never: it is the host's own |
//! | `SUNW_PKG_ALLZONES=true` | always: every zone must have it in the host's version |
//! | any other | if it delivers a file into a folder that the zone inherits |
//!
//! A zone that inherits nothing (a whole-root zone) has its own copy of every file: for it the list of files is
//! not even opened.
//!
//! `SUNW_PKG_HOLLOW=true` makes no difference. A hollow package delivers no file into a zone, but an entry in the
//! zone's package database, and that entry, with its version and its patches, must match the host's. pkginfo(4)
//! requires `ALLZONES` for every hollow package, so it counts for that reason. A hollow package without it counts
//! like any other: the files that it delivers into inherited folders are the host's, and the zone sees them.

mod contents;
mod pkginfo;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use super::lines::fingerprint;
use super::{Folders, FoundSoftware, SoftwareError};
use crate::file;
use crate::model::chain;
use crate::model::{Package, Patch, Software, System, plain, unknown_version};
use contents::Deliverers;
pub(super) use contents::packages_in;
use pkginfo::Pkginfo;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use pkginfo::read as pkginfo;

/// The package database below the root, with a folder for each package.
pub(super) const PACKAGES: &str = "var/sadm/pkg";

const CONTENTS: &str = "var/sadm/install/contents";

/// The packages that count on the host below `root`; none if it has no packages.
pub(super) fn read(root: &Path, folders: &Folders) -> Result<Option<FoundSoftware>, SoftwareError> {
    // Thousands of small files and a long one: read in parallel.
    let (installed, delivered) = std::thread::scope(|scope| {
        let delivered = scope.spawn(|| delivered(root, folders));
        (installed(&root.join(PACKAGES)), delivered.join())
    });
    let installed = installed?;
    if installed.is_empty() {
        return Ok(None);
    }
    let failed =
        |_| SoftwareError::read(&root.join(CONTENTS), std::io::Error::other("its reader has failed"));
    let (delivered, odd) = delivered.map_err(failed)??;
    Ok(Some(count(installed, &delivered).beside(odd)))
}

/// The packages that deliver something into each of these folders, and the invalid lines of the list of files.
fn delivered(root: &Path, folders: &Folders) -> Result<(Vec<Deliverers>, Vec<Package>), SoftwareError> {
    if folders.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let file = root.join(CONTENTS);
    let reader = file::open(&file).map_err(|source| SoftwareError::read(&file, source))?;
    packages_in(BufReader::with_capacity(1 << 16, reader), &file.display().to_string(), folders)
}

/// One package of the host.
struct Svr4Package {
    all_zones: bool,
    this_zone: bool,
    version: String,
    patches: Vec<Patch>,
}

/// All packages of the host by name.
fn installed(folder: &Path) -> Result<BTreeMap<String, Svr4Package>, SoftwareError> {
    let failed = |source| SoftwareError::read(folder, source);
    let mut installed = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let file = entry.path().join("pkginfo");
        let opened = file::open(&file);
        // As in pkginfo(1): a folder without the file is what a removed package has left behind.
        let is_gone =
            |error: &io::Error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory);
        if opened.as_ref().is_err_and(is_gone) {
            continue;
        }
        let name = entry.file_name().as_encoded_bytes().escape_ascii().to_string();
        installed.insert(name, package(&file, opened));
    }
    Ok(installed)
}

/// Reads a package. If its file cannot be read, it may be one that every zone must have.
fn package(file: &Path, opened: io::Result<File>) -> Svr4Package {
    let read = opened
        .map_err(|source| SoftwareError::read(file, source))
        .and_then(|opened| pkginfo::read(BufReader::new(opened), "pkginfo"));
    let unknown = |what: &str| unknown_version(what, &fingerprint(&evidence(file)));
    match read {
        Ok(Pkginfo { all_zones, this_zone, version, patches }) => Svr4Package {
            all_zones,
            this_zone,
            version: version.unwrap_or_else(|what| unknown(&what)),
            patches,
        },
        Err(error) => {
            let version = unknown(&plain(&chain(&error)));
            Svr4Package { all_zones: true, this_zone: false, version, patches: Vec::new() }
        }
    }
}

/// The contents of a file, or its error, of which the fingerprint is taken.
fn evidence(file: &Path) -> Vec<u8> {
    let mut content = Vec::new();
    let read = file::open(file).and_then(|mut opened| opened.read_to_end(&mut content));
    read.map_or_else(|_| format!("{:?}", file.metadata()).into_bytes(), |_| content)
}

/// The packages that count, and their patches.
fn count(installed: BTreeMap<String, Svr4Package>, delivered: &[Deliverers]) -> FoundSoftware {
    let counts = |name: &str, said: &Svr4Package| {
        !said.this_zone && (said.all_zones || delivered.iter().any(|names| names.contains_key(name)))
    };
    let (mut packages, mut delivers) = (Vec::new(), vec![false; delivered.len()]);
    let mut patches: BTreeMap<String, (BTreeSet<String>, Vec<String>)> = BTreeMap::new();
    for (name, said) in installed.into_iter().filter(|(name, said)| counts(name, said)) {
        for (delivers, names) in delivers.iter_mut().zip(delivered) {
            *delivers |= names.get(&name).is_some_and(|is_static| *is_static);
        }
        for patch in said.patches {
            let (obsoletes, of) = patches.entry(patch.id).or_default();
            obsoletes.extend(patch.obsoletes);
            of.push(name.clone());
        }
        packages.push(Package { name, version: said.version });
    }
    let patch = |(id, (obsoletes, packages)): (String, (BTreeSet<_>, _))| Patch {
        id,
        obsoletes: obsoletes.into_iter().collect(),
        packages,
    };
    let patches = patches.into_iter().map(patch).collect();
    FoundSoftware { software: Software { system: System::Svr4, packages, patches }, delivers }
}

#[cfg(test)]
mod tests;
