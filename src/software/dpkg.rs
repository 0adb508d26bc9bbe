//! Debian packages: `var/lib/dpkg/status`, and `var/lib/dpkg/info/*.list` for the files of each package.
//!
//! A list does not distinguish files from folders, so a package counts if it lists a folder within a shared one.
//! That makes a difference only for empty folders: a package that lists `/usr/share/fonts` also lists the fonts
//! in it. Whether what is delivered is a file is looked up. Configuration is in `/etc`, which is not a folder
//! with programs.
//!
//! A package whose installation was interrupted is taken as it is: it may not have a version or a list yet.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::lines::{OddLines, each, fingerprint, shown, version as version_of, word};
use super::{Folders, FoundSoftware, SoftwareError};
use crate::model::{Package, System, plain, unknown_version};

/// A package with files on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DpkgPackage {
    /// `<name>`, or `<name>:<architecture>` if it may be installed for several architectures.
    pub name: String,
    pub version: String,
    /// The architecture.
    pub arch: String,
    /// The installation was interrupted.
    pub is_half: bool,
}

/// The packages that count on the host below `root`; none if it has no packages.
pub(super) fn read(root: &Path, folders: &Folders) -> Result<Option<FoundSoftware>, SoftwareError> {
    let dpkg = root.join("var/lib/dpkg");
    let (reader, file) = open(&dpkg.join("status"))?;
    let (installed, odd) = status(reader, &file)?;
    if installed.is_empty() && odd.is_empty() {
        return if is_lost(&dpkg) {
            let what = "it is empty, and there are lists of the files of packages".to_owned();
            Err(SoftwareError::Damaged { file, what })
        } else {
            Ok(None)
        };
    }
    let mut packages = Vec::new();
    let mut delivers = vec![false; folders.count()];
    for DpkgPackage { name, version, arch, is_half } in installed {
        let looked = list(&dpkg.join("info"), &name, &arch).and_then(|(reader, file)| {
            look(reader, &file, folders, &mut delivers, |path| is_file(root, path))
        });
        match looked {
            Ok((counts, None)) => packages.extend(counts.then_some(Package { name, version })),
            Err(SoftwareError::Read { source, .. }) if is_half && source.kind() == ErrorKind::NotFound => {}
            // Its files are not known, so it may have some in the folder.
            Ok((_, Some(what))) => packages.push(unlisted(name, &version, &what)),
            Err(error) => packages.push(unlisted(name, &version, &plain(&reason(&error)))),
        }
    }
    packages.sort();
    Ok(Some(FoundSoftware::unpatched(System::Dpkg, packages, delivers).beside(odd)))
}

/// A package whose list of files is damaged.
fn unlisted(name: String, version: &str, what: &str) -> Package {
    let what = format!("{version}, in its list of files {what}");
    let version = unknown_version(&what, &fingerprint(what.as_bytes()));
    Package { name, version }
}

/// Why a file cannot be read, without its path.
fn reason(error: &SoftwareError) -> String {
    match error {
        SoftwareError::Read { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

/// Whether the database is gone although packages were once installed.
fn is_lost(dpkg: &Path) -> bool {
    let is_empty = dpkg.join("status").metadata().is_ok_and(|file| file.len() == 0);
    let mut files = std::fs::read_dir(dpkg.join("info")).into_iter().flatten().flatten();
    is_empty && files.any(|file| file.path().extension() == Some(OsStr::new("list")))
}

/// Whether the path is not a folder. A missing path counts as a file.
fn is_file(root: &Path, path: &[u8]) -> bool {
    let path = Path::new(OsStr::from_bytes(path));
    let file = root.join(path.strip_prefix("/").unwrap_or(path)).symlink_metadata();
    !file.is_ok_and(|file| file.is_dir())
}

fn open(file: &Path) -> Result<(BufReader<File>, String), SoftwareError> {
    let reader = crate::file::open(file).map_err(|source| SoftwareError::read(file, source))?;
    Ok((BufReader::new(reader), file.display().to_string()))
}

/// Opens a package's list of files. Its name contains the architecture if the package's name does, or if it did
/// before an upgrade changed that.
fn list(info: &Path, name: &str, arch: &str) -> Result<(BufReader<File>, String), SoftwareError> {
    let file = |name: &str| -> PathBuf { info.join(format!("{name}.list")) };
    let other = match name.split_once(':') {
        Some((bare, _)) => bare.to_owned(),
        None => format!("{name}:{arch}"),
    };
    match open(&file(name)) {
        Err(SoftwareError::Read { source, .. })
            if source.kind() == ErrorKind::NotFound && file(&other).exists() =>
        {
            open(&file(&other))
        }
        opened => opened,
    }
}

/// The packages with files on the host, in the order of the file, and the damaged stanzas without a name.
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
pub(super) fn status(
    reader: impl BufRead,
    file: &str,
) -> Result<(Vec<DpkgPackage>, Vec<Package>), SoftwareError> {
    let (mut installed, mut odd) = (Vec::new(), OddLines::default());
    let mut stanza = Stanza::default();
    let mut end = |stanza: &mut Stanza| match std::mem::take(stanza).package() {
        Ok(package) => installed.extend(package),
        Err((line, what)) => odd.add(&line, &what),
    };
    each(reader, file, |line| {
        match line {
            Ok(b"") => end(&mut stanza),
            // Two stanzas have run together: the blank line between them is lost, and perhaps more.
            Ok(line) if line.starts_with(b"Package:") && stanza.fields.contains_key("Package") => {
                let lost = "the line before the next package is not there";
                stanza.damage.get_or_insert(lost.to_owned());
                end(&mut stanza);
                stanza.take(line);
                stanza.damage.get_or_insert("the line before it is not there".to_owned());
            }
            Ok(line) => stanza.take(line),
            Err((start, what)) => stanza.odd(start, what),
        }
        ControlFlow::Continue(())
    })?;
    end(&mut stanza);
    let odd = odd.packages(file)?;
    Ok((installed, odd))
}

/// The fields that are read.
const FIELDS: [&str; 5] = ["Package", "Status", "Version", "Architecture", "Multi-Arch"];

/// The lines about one package.
#[derive(Default)]
struct Stanza {
    fields: BTreeMap<&'static str, String>,
    /// The whole stanza: a fingerprint of it stands for a version that cannot be read.
    text: Vec<u8>,
    /// The first line.
    first: Vec<u8>,
    /// What is wrong with the first invalid line.
    damage: Option<String>,
}

impl Stanza {
    fn take(&mut self, line: &[u8]) {
        self.note(line);
        if matches!(line, [b' ' | b'\t', ..]) {
            return;
        }
        let at = line.iter().position(|byte| *byte == b':').filter(|at| *at > 0);
        let Some((name, value)) = at.and_then(|at| line.split_at_checked(at)) else {
            self.damage.get_or_insert_with(|| format!("no Field: value: {}", shown(line)));
            return;
        };
        let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
        let Some(name) = FIELDS.into_iter().find(|field| field.as_bytes() == name) else { return };
        let value = match name {
            "Status" => Ok(String::from_utf8_lossy(value).into_owned()),
            "Version" => version_of(value),
            _ => word(value, name).map(str::to_owned),
        };
        match value {
            Ok(value) => {
                if self.fields.get(name).is_some_and(|other| *other != value) {
                    self.damage.get_or_insert_with(|| format!("{name} is there twice"));
                }
                self.fields.insert(name, value);
            }
            Err(what) => {
                self.damage.get_or_insert(what);
            }
        }
    }

    fn odd(&mut self, start: &[u8], what: String) {
        self.note(start);
        self.damage.get_or_insert(what);
    }

    fn note(&mut self, line: &[u8]) {
        if self.first.is_empty() {
            self.first = line.get(..200).unwrap_or(line).to_vec();
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
    }

    /// The package; none if it is not installed, or its files are gone. The error for a stanza without a name is
    /// its first line and what is wrong.
    fn package(self) -> Result<Option<DpkgPackage>, (Vec<u8>, String)> {
        if self.first.is_empty() {
            return Ok(None);
        }
        let Some(name) = self.fields.get("Package") else {
            let what = format!("a package without a name: {}", shown(&self.first));
            return Err((self.first, what));
        };
        let mut damage = self.damage;
        let (has_version, mut is_half) = (self.fields.contains_key("Version"), false);
        match self.fields.get("Status").and_then(|status| status.split(' ').nth(2)) {
            Some("not-installed" | "config-files") => return Ok(None),
            Some("half-installed") if !has_version && damage.is_none() => return Ok(None),
            Some("half-installed") => is_half = true,
            Some("installed" | "unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending") => {}
            _ => {
                damage.get_or_insert_with(|| "an unknown Status".to_owned());
            }
        }
        let arch = self.fields.get("Architecture").cloned().unwrap_or_default();
        for field in ["Version", "Architecture"].into_iter().filter(|field| !self.fields.contains_key(field))
        {
            damage.get_or_insert_with(|| format!("no {field}"));
        }
        let version = match damage {
            Some(what) => unknown_version(&what, &fingerprint(&self.text)),
            None => self.fields.get("Version").cloned().unwrap_or_default(),
        };
        let one_of_many = self.fields.get("Multi-Arch").is_some_and(|value| value == "same");
        let name = if one_of_many { format!("{name}:{arch}") } else { name.clone() };
        Ok(Some(DpkgPackage { name, version, arch, is_half }))
    }
}

/// Whether a list of files names something in one of these folders, and what is wrong with its first invalid
/// line. Sets `delivers` for the folders into which a file is delivered; folders for which it is set already are
/// not looked up.
pub(super) fn look(
    reader: impl BufRead,
    file: &str,
    folders: &Folders,
    delivers: &mut [bool],
    is_file: impl Fn(&[u8]) -> bool,
) -> Result<(bool, Option<String>), SoftwareError> {
    let (mut counts, mut odd) = (false, None);
    each(reader, file, |line| {
        let path = match line {
            Ok(path) if path.starts_with(b"/") => path,
            Ok(path) => {
                odd.get_or_insert_with(|| format!("no path: {}", shown(path)));
                return ControlFlow::Continue(());
            }
            Err((_, what)) => {
                odd.get_or_insert(what);
                return ControlFlow::Continue(());
            }
        };
        for folder in folders.holding(path) {
            counts = true;
            if let Some(delivers) = delivers.get_mut(folder).filter(|delivers| !**delivers) {
                *delivers = is_file(path);
            }
        }
        let is_enough = counts && delivers.iter().all(|delivers| *delivers);
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    // An invalid line makes no difference for a package that counts anyway.
    Ok((counts, odd.filter(|_| !counts)))
}
