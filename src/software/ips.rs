//! The Image Packaging System of Solaris 11 and illumos, as pkg(1) prints it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::lines::{shown, word};
use super::{Folders, Found, PATIENCE, SoftwareError};
use crate::exec::Command;
use crate::model::{Package, System};

/// What counts of the image below `root`. None: it has no package.
pub(super) async fn read(root: &Path, folders: &Folders) -> Result<Option<Found>, SoftwareError> {
    let pkg = Command::new("pkg").arg("-R").arg(root.display().to_string());
    let start = Instant::now();
    let packages = list(&pkg.clone().timeout(PATIENCE).args(["list", "-Hv"]).run().await?)?;
    if packages.is_empty() {
        return Ok(None);
    }
    let contents = pkg.timeout(PATIENCE.saturating_sub(start.elapsed()));
    let contents = contents.args(["contents", "-H", "-o", "path,pkg.name"]);
    let contents = contents.args(["-t", "file", "-t", "link", "-t", "hardlink"]).run().await?;
    let delivered = packages_in(&contents, folders)?;
    let delivers = |name: &String| delivered.iter().any(|names| names.contains(name.as_str()));
    let packages = packages.into_iter().filter(|package| delivers(&package.name)).collect();
    let delivers = delivered.iter().map(|names| !names.is_empty()).collect();
    Ok(Some(Found::unpatched(System::Ips, packages, delivers)))
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

/// The packages that deliver a file into each of these folders.
///
/// ```text
/// lib/libc.so.1⇥system/library
/// ```
pub(super) fn packages_in<'a>(
    output: &'a str,
    folders: &Folders,
) -> Result<Vec<BTreeSet<&'a str>>, SoftwareError> {
    let mut found = vec![BTreeSet::new(); folders.count()];
    for (number, line) in (1..).zip(output.lines()) {
        let Some((path, name)) = line.split_once('\t') else {
            let what = format!("no path and package: {}", shown(line.as_bytes()));
            return Err(SoftwareError::Damaged { file: "pkg contents".to_owned(), line: number, what });
        };
        for folder in folders.holding(format!("/{path}").as_bytes()) {
            found.get_mut(folder).map(|names| names.insert(name));
        }
    }
    Ok(found)
}
