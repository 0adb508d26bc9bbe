//! What `attach -u` would have to change in a zone's own copy of the software to match the host.
//!
//! An update raises versions to those of the host, installs what only the host has, and removes what only the
//! zone has. It never downgrades: if anything in the zone is newer, the whole update is refused, even if
//! everything else is older.

use std::cmp::Ordering;
use std::fmt;

use super::order::{order, revisions};
use super::{Difference, Report};
use crate::model::System;

/// A change of one package or patch; the version none means that it is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageChange {
    /// The package's name, or `patch` and its number.
    pub name: String,
    /// In the zone.
    pub from: Option<String>,
    /// On the host.
    pub to: Option<String>,
}

impl fmt::Display for PackageChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match (&self.from, &self.to) {
            (Some(from), Some(to)) => write!(f, "upgrade {name} from {from} to {to}"),
            (None, to) => write!(f, "install {name} {}", to.as_deref().unwrap_or_default()),
            (Some(from), None) => write!(f, "remove {name} {from}"),
        }
    }
}

/// Why a zone cannot be updated to match the host.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum UpdateError {
    /// The software cannot be compared.
    #[error("{0}")]
    Incomparable(String),
    /// These are newer in the zone, and would have to be downgraded.
    #[error("newer in the zone than on this system: {}", names.join(", "))]
    Downgrade { names: Vec<String> },
    /// It is not known which of the two versions is newer.
    #[error("neither version is known to be the newer one: {}", names.join(", "))]
    Unordered { names: Vec<String> },
}

impl Report {
    /// What an update of the zone would have to change; empty if nothing differs. A hypervisor is not part of the
    /// zone.
    ///
    /// # Errors
    /// Why the zone cannot be updated.
    pub fn update(&self) -> Result<Vec<PackageChange>, UpdateError> {
        if let Some(why) = self.why_incomparable("the source system", "this system") {
            return Err(UpdateError::Incomparable(why));
        }
        if self.source == System::Hypervisor {
            return Ok(Vec::new());
        }
        let packages =
            self.packages.iter().map(|one| (change("", one), one.order(|a, b| order(self.source, a, b))));
        let patches = self.patches.iter().filter(|patch| !self.goes_with_packages(patch)).map(|one| {
            // To back out a patch is a downgrade of the files that it patched.
            let order = one
                .local
                .as_ref()
                .map_or(Some(Ordering::Greater), |_| one.order(|a, b| Some(revisions(a, b))));
            (change("patch ", one), order)
        });
        let (mut changes, mut newer, mut unordered) = (Vec::new(), Vec::new(), Vec::new());
        for (change, order) in packages.chain(patches) {
            match order {
                Some(Ordering::Less | Ordering::Equal) => changes.push(change),
                Some(Ordering::Greater) => newer.push(change.name),
                None => unordered.push(change.name),
            }
        }
        if !newer.is_empty() {
            return Err(UpdateError::Downgrade { names: newer });
        }
        if unordered.is_empty() { Ok(changes) } else { Err(UpdateError::Unordered { names: unordered }) }
    }

    /// Whether all packages with that patch at the source are updated or removed here: another version has
    /// patches of its own, so the patches of this one no longer matter.
    fn goes_with_packages(&self, patch: &Difference) -> bool {
        let is_other = |name: &String| self.packages.iter().any(|package| package.name == *name);
        !patch.packages.is_empty() && patch.packages.iter().all(is_other)
    }
}

fn change(kind: &str, one: &Difference) -> PackageChange {
    PackageChange { name: format!("{kind}{}", one.name), from: one.source.clone(), to: one.local.clone() }
}

impl Difference {
    /// Compares the versions; to install or remove is always allowed.
    fn order(&self, order: impl Fn(&str, &str) -> Option<Ordering>) -> Option<Ordering> {
        match (&self.source, &self.local) {
            (Some(source), Some(local)) => order(source, local),
            _ => Some(Ordering::Less),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::software::compare::Incomparable;

    fn report(system: System, packages: &[[&str; 3]], patches: &[[&str; 3]]) -> Report {
        let version = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let all = |list: &[[&str; 3]]| {
            let one = |[name, source, local]: &[&str; 3]| Difference {
                name: (*name).to_owned(),
                source: version(source),
                local: version(local),
                packages: vec![],
            };
            list.iter().map(one).collect()
        };
        let (packages, patches) = (all(packages), all(patches));
        Report { source: system, local: Some(system), incomparable: None, packages, patches }
    }

    fn update(report: &Report) -> Result<Vec<String>, String> {
        let update = report.update();
        update
            .map(|changes| changes.iter().map(PackageChange::to_string).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_update_takes_things_up_and_says_how() {
        let packages = [["SUNWbash", "11.9", "11.10"], ["SUNWnew", "", "1.0"], ["SUNWold", "1.0", ""]];
        let report = report(System::Svr4, &packages, &[["118666", "18", "20"]]);
        assert_eq!(
            update(&report).unwrap(),
            [
                "upgrade SUNWbash from 11.9 to 11.10",
                "install SUNWnew 1.0",
                "remove SUNWold 1.0",
                "upgrade patch 118666 from 18 to 20",
            ]
        );
    }

    #[test]
    fn an_update_with_anything_to_take_down_is_refused() {
        let both = report(System::Svr4, &[], &[["118666", "18", "20"], ["119254", "66", "65"]]);
        assert_eq!(update(&both).unwrap_err(), "newer in the zone than on this system: patch 119254");
        let down = report(System::Dpkg, &[["libc6:amd64", "2.36-9+deb12u10", "2.36-9+deb12u9"]], &[]);
        assert_eq!(update(&down).unwrap_err(), "newer in the zone than on this system: libc6:amd64");
    }

    #[test]
    fn a_patch_of_a_package_that_becomes_another_version_is_not_backed_out() {
        let packages = [["SUNWcsu", "11.10.0", "11.11.0"], ["SUNWold", "1.0", ""]];
        let with = |of: &[&str]| {
            let mut report = report(System::Svr4, &packages, &[["118666", "18", ""]]);
            report.patches[0].packages = of.iter().map(|name| (*name).to_owned()).collect();
            update(&report)
        };
        let changes =
            vec!["upgrade SUNWcsu from 11.10.0 to 11.11.0".to_owned(), "remove SUNWold 1.0".to_owned()];
        assert_eq!(with(&["SUNWcsu", "SUNWold"]), Ok(changes));
        let newer = "newer in the zone than on this system: patch 118666".to_owned();
        assert_eq!(with(&["SUNWcsu", "SUNWsame"]), Err(newer.clone()), "SUNWsame would have to lose it");
        assert_eq!(with(&[]), Err(newer), "older software does not tell whose it is");
    }

    #[test]
    fn an_update_changes_no_hypervisor() {
        let report = report(System::Hypervisor, &[["libvirt", "10.0", "9.0"], ["qemu", "8.2", ""]], &[]);
        assert_eq!(update(&report), Ok(vec![]));
    }

    #[test]
    fn an_update_knows_which_version_is_newer_or_is_refused() {
        let kernels = report(System::Rpm, &[["kernel.x86_64", "6.1-1, 6.2-1", "6.2-1"]], &[]);
        assert_eq!(
            update(&kernels).unwrap_err(),
            "neither version is known to be the newer one: kernel.x86_64"
        );
        let incomparable = Some(Incomparable::Systems);
        let other = Report { local: Some(System::Dpkg), incomparable, ..report(System::Rpm, &[], &[]) };
        assert_eq!(
            update(&other).unwrap_err(),
            "software is counted by rpm on the source system, by dpkg on this system"
        );
        assert_eq!(update(&report(System::Rpm, &[], &[])), Ok(vec![]));
    }
}
