//! The Image Packaging System of Solaris 11 and illumos, by the output of pkg(1).

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use super::lines::{OddLines, fingerprint, shown, version as version_of, word};
use super::{Folders, FoundSoftware, PATIENCE, SoftwareError};
use crate::exec::Command;
use crate::model::{Package, System, plain, unknown_version};

/// The packages that count in the image below `root`; none if it has no packages.
pub(super) async fn read(root: &Path, folders: &Folders) -> Result<Option<FoundSoftware>, SoftwareError> {
    let pkg = Command::new("pkg").arg("-R").arg(root.display().to_string());
    let start = Instant::now();
    let (packages, odd) = list(&pkg.clone().timeout(PATIENCE).args(["list", "-Hv"]).run().await?);
    if packages.is_empty() && odd.is_empty() {
        return Ok(None);
    }
    let contents = pkg.timeout(PATIENCE.saturating_sub(start.elapsed()));
    let contents = contents.args(["contents", "-H", "-o", "path,pkg.name"]);
    let contents = contents.args(["-t", "file", "-t", "link", "-t", "hardlink"]).run().await?;
    let (delivered, odd_files) = packages_in(&contents, folders)?;
    let packages = counted(packages, &odd, &delivered);
    let delivers = delivered.iter().map(|names| !names.is_empty()).collect();
    Ok(Some(FoundSoftware::unpatched(System::Ips, packages, delivers).beside(odd_files)))
}

/// The packages that deliver something. One that is missing from the list is in one of the invalid lines.
pub(super) fn counted(mut listed: Vec<Package>, odd: &str, delivered: &[BTreeSet<&str>]) -> Vec<Package> {
    let names: BTreeSet<&str> = delivered.iter().flatten().copied().collect();
    listed.retain(|package| names.contains(package.name.as_str()));
    let unlisted = names.into_iter().filter(|name| !listed.iter().any(|package| package.name == **name));
    let unlisted: Vec<_> = unlisted
        .map(|name| {
            let version = unknown_version("it is not listed", &fingerprint(odd.as_bytes()));
            Package { name: plain(name), version }
        })
        .collect();
    listed.extend(unlisted);
    listed.sort();
    listed
}

/// The installed packages by name; the publisher makes no difference.
///
/// ```text
/// pkg://solaris/compress/bzip2@1.0.6-11.4.0.0.1.14.0:20180814T153143Z          i--
/// ```
///
/// Also returns the invalid lines.
pub(super) fn list(output: &str) -> (Vec<Package>, String) {
    let (mut packages, mut odd) = (Vec::new(), String::new());
    for line in output.lines() {
        match installed(line) {
            Ok(package) => packages.extend(package),
            Err(_) => odd.extend([line, "\n"]),
        }
    }
    packages.sort();
    (packages, odd)
}

/// The package on one line; none if it is known but not installed.
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
    let version = version_of(version.as_bytes())?;
    match flags.as_bytes() {
        [b'i', _, _] => Ok(Some(Package { name, version })),
        [b'-', _, _] => Ok(None),
        _ => Err(odd()),
    }
}

/// The packages that deliver a file into each of these folders, and the invalid lines, which may name more.
///
/// ```text
/// lib/libc.so.1⇥system/library
/// ```
pub(super) fn packages_in<'a>(
    output: &'a str,
    folders: &Folders,
) -> Result<(Vec<BTreeSet<&'a str>>, Vec<Package>), SoftwareError> {
    let mut found = vec![BTreeSet::new(); folders.count()];
    let mut odd = OddLines::default();
    for line in output.lines() {
        let Some((path, name)) = line.split_once('\t') else {
            odd.add(line.as_bytes(), &format!("no path and package: {}", shown(line.as_bytes())));
            continue;
        };
        for folder in folders.holding(format!("/{path}").as_bytes()) {
            found.get_mut(folder).map(|names| names.insert(name));
        }
    }
    Ok((found, odd.packages("pkg contents")?))
}
