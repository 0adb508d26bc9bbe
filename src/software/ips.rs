//! The Image Packaging System of Solaris 11 and illumos, as pkg(1) prints it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::lines::{shown, word};
use super::{Folders, Found, SoftwareError};
use crate::exec::Command;
use crate::model::{Package, System};

/// How long pkg may take, in seconds: whoever asks for a manifest waits for 30.
const PATIENCE: u64 = 25;

/// What counts of the image below `root`. None: it has no package.
pub(super) async fn read(root: &Path, folders: &Folders) -> Result<Option<Found>, SoftwareError> {
    let pkg = Command::new("pkg").arg("-R").arg(root.display().to_string());
    let pkg = pkg.timeout(Duration::from_secs(PATIENCE));
    let packages = list(&pkg.clone().args(["list", "-Hv"]).run().await?)?;
    if packages.is_empty() {
        return Ok(None);
    }
    let contents = pkg.args(["contents", "-H", "-o", "path,action.name,pkg.name"]);
    let contents = contents.args(["-t", "file", "-t", "link", "-t", "hardlink"]).run().await?;
    let delivered = packages_in(&contents, folders)?;
    let packages = packages.into_iter().filter(|package| delivered.contains(&package.name)).collect();
    Ok(Some(Found::by_files(System::Ips, packages)))
}

/// The packages that are installed, by name; where they were published makes no difference.
///
/// ```text
/// pkg://solaris/compress/bzip2@1.0.6-11.4.0.0.1.14.0:20180814T153143Z          i--
/// ```
pub(super) fn list(output: &str) -> Result<Vec<Package>, SoftwareError> {
    let mut packages = Vec::new();
    for (number, line) in (1..).zip(output.lines()) {
        let damaged = |what| SoftwareError::Damaged { file: "pkg list -Hv".to_owned(), line: number, what };
        packages.extend(installed(line).map_err(damaged)?);
    }
    packages.sort();
    Ok(packages)
}

/// The package of one line. None: it is known and not installed.
fn installed(line: &str) -> Result<Option<Package>, String> {
    let odd = || format!("no package: {}", shown(line.as_bytes()));
    let mut words = line.split_ascii_whitespace();
    let (Some(fmri), Some(flags), None) = (words.next(), words.next(), words.next()) else {
        return Err(odd());
    };
    let named = match fmri.strip_prefix("pkg://") {
        Some(rest) => rest.split_once('/').ok_or_else(odd)?.1,
        None => fmri.strip_prefix("pkg:/").ok_or_else(odd)?,
    };
    let (name, version) = named.split_once('@').ok_or_else(odd)?;
    let name = word(name.as_bytes(), "the name of a package")?.to_owned();
    let version = word(version.as_bytes(), "a version")?.to_owned();
    match flags.as_bytes() {
        [b'i', _, _] => Ok(Some(Package { name, version })),
        [b'-', _, _] => Ok(None),
        _ => Err(odd()),
    }
}

/// The packages that deliver a file into one of these folders.
///
/// ```text
/// lib/libc.so.1⇥file⇥system/library
/// ```
pub(super) fn packages_in(output: &str, folders: &Folders) -> Result<BTreeSet<String>, SoftwareError> {
    let mut found = BTreeSet::new();
    for (number, line) in (1..).zip(output.lines()) {
        let mut columns = line.split('\t');
        let (Some(path), Some(kind), Some(name)) = (columns.next(), columns.next(), columns.next()) else {
            let what = format!("no path, kind and package: {}", shown(line.as_bytes()));
            return Err(SoftwareError::Damaged { file: "pkg contents".to_owned(), line: number, what });
        };
        if kind != "dir" && folders.hold(format!("/{path}").as_bytes()) && !found.contains(name) {
            found.insert(name.to_owned());
        }
    }
    Ok(found)
}
