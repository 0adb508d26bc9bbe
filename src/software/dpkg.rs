//! Debian's packages: `var/lib/dpkg/status`, and `var/lib/dpkg/info/*.list` for the files of each.
//!
//! A list has no types, so a package counts for a folder that it lists as it does for a file. That makes no difference, but
//! for one that is empty: what lists `/usr/share/fonts` lists the fonts below it, too. Whether what is
//! delivered is a file is looked up. Settings lie in `/etc`, which is no place for programs.
//!
//! A package whose installation was interrupted has what it has: perhaps no version yet, and no list.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::lines::{each, shown, word};
use super::{Folders, Found, SoftwareError};
use crate::model::{Package, System};

/// One package of which files are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Installed {
    /// Its name; `<name>:<architecture>` if it may be there for several of them.
    pub name: String,
    /// Its version.
    pub version: String,
    /// For which machines it is.
    pub arch: String,
    /// Its installation was interrupted.
    pub is_half: bool,
}

/// What counts of the host below `root`. None: it has no package.
pub(super) fn read(root: &Path, folders: &Folders) -> Result<Option<Found>, SoftwareError> {
    let dpkg = root.join("var/lib/dpkg");
    let (reader, file) = open(&dpkg.join("status"))?;
    let installed = status(reader, &file)?;
    if installed.is_empty() {
        return if is_lost(&dpkg) {
            let what = "it is empty, and there are lists of the files of packages".to_owned();
            Err(SoftwareError::Damaged { file, line: 1, what })
        } else {
            Ok(None)
        };
    }
    let mut packages = Vec::new();
    let mut delivers = vec![false; folders.count()];
    for package in installed {
        let (reader, file) = match list(&dpkg.join("info"), &package) {
            Err(SoftwareError::Read { source, .. })
                if package.is_half && source.kind() == ErrorKind::NotFound =>
            {
                continue;
            }
            list => list?,
        };
        if look(reader, &file, folders, &mut delivers, |path| is_file(root, path))? {
            packages.push(Package { name: package.name, version: package.version });
        }
    }
    packages.sort();
    Ok(Some(Found::unpatched(System::Dpkg, packages, delivers)))
}

/// Whether there were packages once, and nothing at all is known of them now.
fn is_lost(dpkg: &Path) -> bool {
    let is_empty = dpkg.join("status").metadata().is_ok_and(|file| file.len() == 0);
    let mut files = std::fs::read_dir(dpkg.join("info")).into_iter().flatten().flatten();
    is_empty && files.any(|file| file.path().extension() == Some(OsStr::new("list")))
}

/// Whether it is no folder. What is not there is taken for a file.
fn is_file(root: &Path, path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    let file = root.join(path.strip_prefix("/").unwrap_or(path)).symlink_metadata();
    !file.is_ok_and(|file| file.is_dir())
}

fn open(file: &Path) -> Result<(BufReader<File>, String), SoftwareError> {
    let reader = File::open(file).map_err(|source| SoftwareError::read(file, source))?;
    Ok((BufReader::new(reader), file.display().to_string()))
}

/// Its list of files: the name has the architecture where the name of the package has, or, after that has changed
/// with an upgrade, where it had.
fn list(info: &Path, package: &Installed) -> Result<(BufReader<File>, String), SoftwareError> {
    let file = |name: &str| -> PathBuf { info.join(format!("{name}.list")) };
    let other = match package.name.split_once(':') {
        Some((bare, _)) => bare.to_owned(),
        None => format!("{}:{}", package.name, package.arch),
    };
    match open(&file(&package.name)) {
        Err(SoftwareError::Read { source, .. })
            if source.kind() == ErrorKind::NotFound && file(&other).exists() =>
        {
            open(&file(&other))
        }
        opened => opened,
    }
}

/// The packages of which files are there, in the order of the file.
///
/// ```text
/// Package: libc6
/// Status: install ok installed
/// Architecture: amd64
/// Multi-Arch: same
/// Version: 2.36-9+deb12u10
/// Description: GNU C Library: Shared libraries
///  Contains the standard libraries that are used by nearly all programs on
/// ```
pub(super) fn status(reader: impl BufRead, file: &str) -> Result<Vec<Installed>, SoftwareError> {
    let mut installed = Vec::new();
    let mut fields = BTreeMap::new();
    let mut number = 0;
    each(reader, file, |line| {
        number += 1;
        match line {
            b"" => installed.extend(package(&std::mem::take(&mut fields))?),
            [b' ' | b'\t', ..] => {}
            line => {
                let at = line.iter().position(|byte| *byte == b':').filter(|at| *at > 0);
                let (name, value) =
                    at.and_then(|at| line.split_at_checked(at)).ok_or_else(|| no_field(line))?;
                let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
                if let Some(name) = FIELDS.into_iter().find(|field| field.as_bytes() == name) {
                    let earlier = fields.insert(name, word_or_status(name, value)?);
                    // Two packages have become one: the line between them is lost.
                    if earlier.is_some() {
                        return Err(format!("{name} is there twice"));
                    }
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })?;
    let damaged = |what| SoftwareError::Damaged { file: file.to_owned(), line: number.max(1), what };
    installed.extend(package(&fields).map_err(damaged)?);
    Ok(installed)
}

/// What is read of a package.
const FIELDS: [&str; 5] = ["Package", "Status", "Version", "Architecture", "Multi-Arch"];

fn no_field(line: &[u8]) -> String {
    format!("no Field: value: {}", shown(line))
}

fn word_or_status(name: &str, value: &[u8]) -> Result<String, String> {
    if name == "Status" {
        return Ok(String::from_utf8_lossy(value).into_owned());
    }
    word(value, name).map(str::to_owned)
}

/// A package from its fields. None: there is none between two empty lines, or its files are gone.
fn package(fields: &BTreeMap<&str, String>) -> Result<Option<Installed>, String> {
    if fields.is_empty() {
        return Ok(None);
    }
    let field = |name: &str| fields.get(name).ok_or_else(|| format!("a package without {name} ends here"));
    let name = field("Package")?;
    let is_half = match field("Status")?.split(' ').nth(2) {
        Some("not-installed" | "config-files") => return Ok(None),
        Some("half-installed") if !fields.contains_key("Version") => return Ok(None),
        Some("half-installed") => true,
        Some("installed" | "unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending") => false,
        _ => return Err(format!("{name}, which ends here, has an unknown Status")),
    };
    let (version, arch) = (field("Version")?.clone(), field("Architecture")?.clone());
    let one_of_many = fields.get("Multi-Arch").is_some_and(|value| value == "same");
    let name = if one_of_many { format!("{name}:{arch}") } else { name.clone() };
    Ok(Some(Installed { name, version, arch, is_half }))
}

/// Whether something in a list of files lies in one of these folders. `delivers` is set for those into which a file is
/// delivered; where it is set already that is not looked up.
pub(super) fn look(
    reader: impl BufRead,
    file: &str,
    folders: &Folders,
    delivers: &mut [bool],
    is_file: impl Fn(&[u8]) -> bool,
) -> Result<bool, SoftwareError> {
    let mut counts = false;
    each(reader, file, |path| {
        if !path.starts_with(b"/") {
            return Err(format!("no path: {}", shown(path)));
        }
        for folder in folders.holding(path) {
            counts = true;
            if let Some(delivers) = delivers.get_mut(folder).filter(|delivers| !**delivers) {
                *delivers = is_file(path);
            }
        }
        let is_enough = counts && delivers.iter().all(|delivers| *delivers);
        Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(counts)
}
