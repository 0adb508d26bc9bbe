//! Red Hat's and SUSE's packages, as `rpm -qa` prints them: its database is its own affair.

use std::collections::BTreeMap;
use std::path::Path;

use super::lines::{shown, word};
use super::{Folders, Found, PATIENCE, SoftwareError};
use crate::exec::Command;
use crate::model::{Package, System};

/// The database, in each form that it has had.
pub(super) const DATABASES: [&str; 6] = [
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
];

/// A line for each package, then one for each of its files and folders: its mode, what is special of it, and its name.
const FORMAT: &str = ">%{NAME}.%{ARCH} %{EVR}\\n[%{FILEMODES:perms}%{FILEFLAGS:fflags} %{FILENAMES}\\n]";

/// What counts of the host below `root`. None: it has no package.
pub(super) async fn read(root: &Path, folders: &Folders) -> Result<Option<Found>, SoftwareError> {
    // rpm makes a database that is not there: only one that is may be named.
    let Some(database) = DATABASES.into_iter().map(|file| root.join(file)).find(|file| file.exists()) else {
        return Ok(None);
    };
    let folder = std::path::absolute(database.parent().unwrap_or(root))
        .map_err(|source| SoftwareError::read(&database, source))?;
    let command = Command::new("rpm").arg("--dbpath").arg(folder.display().to_string());
    let command = command.args(["-qa", "--qf", FORMAT]).timeout(PATIENCE);
    parse(&command.run().await?, folders)
}

/// Reads what it prints. None: nothing. What is there in several versions (kernels are) has all of them.
///
/// ```text
/// >bash.x86_64 5.2.15-3.fc39
/// -rw-r--r--cn /etc/skel/.bashrc
/// -rwxr-xr-x /usr/bin/bash
/// ```
pub(super) fn parse(output: &str, folders: &Folders) -> Result<Option<Found>, SoftwareError> {
    let mut counted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut delivers = vec![false; folders.count()];
    let mut package = None;
    for (number, line) in (1..).zip(output.lines()) {
        let damaged = |what| SoftwareError::Damaged { file: "rpm -qa".to_owned(), line: number, what };
        if let Some(head) = line.strip_prefix('>') {
            package = Some((header(head).map_err(damaged)?, false));
            continue;
        }
        let file = line.split_once(' ').filter(|(_, path)| path.starts_with('/'));
        let (Some((head, counts)), Some((mode, path))) = (&mut package, file) else {
            return Err(damaged(format!("neither a package nor its file: {}", shown(line.as_bytes()))));
        };
        for folder in folders.holding(path.as_bytes()) {
            if !std::mem::replace(counts, true) {
                let (name, version) = *head;
                counted.entry(name).or_default().push(version);
            }
            if let Some(delivers) = delivers.get_mut(folder) {
                *delivers |= is_static(mode);
            }
        }
    }
    let joined = |(name, mut versions): (&str, Vec<&str>)| {
        versions.sort_unstable();
        Package { name: name.to_owned(), version: versions.join(super::order::SEVERAL) }
    };
    let packages = counted.into_iter().map(joined).collect();
    Ok(package.map(|_| Found::unpatched(System::Rpm, packages, delivers)))
}

/// Whether it is no folder, no setting (`c`), and really in the package (`g` if not).
fn is_static(mode: &str) -> bool {
    let flags = mode.get(10..).unwrap_or_default();
    !mode.starts_with('d') && !flags.contains(['c', 'g'])
}

/// The name and the version of a package.
fn header(head: &str) -> Result<(&str, &str), String> {
    let (name, version) =
        head.split_once(' ').ok_or_else(|| format!("no version: {}", shown(head.as_bytes())))?;
    Ok((word(name.as_bytes(), "the name of a package")?, word(version.as_bytes(), "a version")?))
}
