//! Red Hat's and SUSE's packages, by the output of `rpm -qa`: the format of the database is private.

use std::collections::BTreeMap;
use std::path::Path;

use super::lines::{OddLines, fingerprint, shown, version as version_of};
use super::{Folders, FoundSoftware, PATIENCE, SoftwareError};
use crate::exec::Command;
use crate::model::{Package, System, is_unknown_version, unknown_version};

/// The database's file, in each of its formats.
pub(super) const DATABASES: [&str; 6] = [
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
];

/// A line for each package, followed by one for each of its files and folders: mode, flags and name.
const FORMAT: &str = ">%{NAME}.%{ARCH} %{EVR}\\n[%{FILEMODES:perms}%{FILEFLAGS:fflags} %{FILENAMES}\\n]";

/// The packages that count on the host below `root`; none if it has no packages.
pub(super) async fn read(root: &Path, folders: &Folders) -> Result<Option<FoundSoftware>, SoftwareError> {
    // rpm creates a database that does not exist: only an existing one may be named.
    let Some(database) = DATABASES.into_iter().map(|file| root.join(file)).find(|file| file.exists()) else {
        return Ok(None);
    };
    let folder = std::path::absolute(database.parent().unwrap_or(root))
        .map_err(|source| SoftwareError::read(&database, source))?;
    let command = Command::new("rpm").arg("--dbpath").arg(folder.display().to_string());
    let command = command.args(["-qa", "--qf", FORMAT]).timeout(PATIENCE);
    parse(&command.run().await?, folders)
}

/// Parses the output; none if it is empty. A package that is installed in several versions, such as the kernel,
/// has all of them.
///
/// ```text
/// >bash.x86_64 5.2.15-3.fc39
/// -rw-r--r--cn /etc/skel/.bashrc
/// -rwxr-xr-x /usr/bin/bash
/// ```
pub(super) fn parse(output: &str, folders: &Folders) -> Result<Option<FoundSoftware>, SoftwareError> {
    let mut counted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut delivers = vec![false; folders.count()];
    let mut package: Option<(String, String)> = None;
    let mut odd = OddLines::default();
    let mut is_counted = false;
    for line in output.lines() {
        if let Some(head) = line.strip_prefix('>') {
            package = Some(header(head));
            is_counted = false;
            continue;
        }
        let file = line.split_once(' ').filter(|(mode, path)| mode.len() >= 10 && path.starts_with('/'));
        let (Some((name, version)), file) = (&mut package, file) else {
            odd.add(line.as_bytes(), &format!("neither a package nor its file: {}", shown(line.as_bytes())));
            continue;
        };
        let counts = match file {
            Some((mode, path)) => {
                let mut counts = false;
                for folder in folders.holding(path.as_bytes()) {
                    counts = true;
                    if let Some(delivers) = delivers.get_mut(folder) {
                        *delivers |= is_static(mode);
                    }
                }
                counts
            }
            // The name of one of its files is invalid, or missing.
            None => {
                if !is_unknown_version(version) {
                    let what = format!("{version}, with {}", shown(line.as_bytes()));
                    *version = unknown_version(&what, &fingerprint(line.as_bytes()));
                }
                true
            }
        };
        if counts {
            let versions = counted.entry(name.clone()).or_default();
            if std::mem::replace(&mut is_counted, true) {
                versions.pop();
            }
            versions.push(version.clone());
        }
    }
    let joined = |(name, mut versions): (String, Vec<String>)| {
        versions.sort_unstable();
        Package { name, version: versions.join(super::order::SEVERAL) }
    };
    let packages = counted.into_iter().map(joined).collect();
    let odd = odd.packages("rpm -qa")?;
    let is_empty = package.is_none() && odd.is_empty();
    Ok((!is_empty).then(|| FoundSoftware::unpatched(System::Rpm, packages, delivers).beside(odd)))
}

/// Whether the path is neither a folder nor configuration (`c`), and is really in the package (`g` if not).
fn is_static(mode: &str) -> bool {
    let flags = mode.get(10..).unwrap_or_default();
    !mode.starts_with('d') && !flags.contains(['c', 'g'])
}

/// The name and version of a package.
fn header(head: &str) -> (String, String) {
    let (name, version) = head.split_once(' ').unwrap_or((head, ""));
    let version = version_of(version.as_bytes());
    let version = version.unwrap_or_else(|what| unknown_version(&what, &fingerprint(head.as_bytes())));
    (name.as_bytes().escape_ascii().to_string(), version)
}
