//! What software a zone depends on, as its host has it.
//!
//! After the migration of Solaris zones (PSARC 2006/030): a zone that shares files with its host runs only where the
//! packages that deliver those files are the same. A virtual machine depends on its hypervisor alone.

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// Who counts what is installed.
    System, "packaging system" {
        /// System V packages and patches: Solaris 10.
        Svr4 = "svr4",
        /// The Image Packaging System: Solaris 11, illumos.
        Ips = "ips",
        /// Debian's.
        Dpkg = "dpkg",
        /// Red Hat's, SUSE's.
        Rpm = "rpm",
        /// No packages: the hypervisor and its management, each by its own version.
        Hypervisor = "hypervisor",
    }
}

/// The part of a host's software that one zone depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// Who has counted it.
    pub system: System,
    /// Packages, by name.
    pub packages: Vec<Package>,
    /// Patches of these packages, by id. Only System V packages have any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
}

impl Software {
    /// Stands in the place of the packages of a host that could not be read, where nobody can take it for something else:
    /// no package has such a name, so no host has it, whatever its age.
    const UNKNOWN: &str = "(unknown)";

    /// What its host has could not be read, and why.
    pub fn unknown(system: System, why: String) -> Self {
        let package = Package { name: Self::UNKNOWN.to_owned(), version: why };
        Self { system, packages: vec![package], patches: Vec::new() }
    }

    /// Why it could not be read as a whole; none if it was.
    pub fn why_unknown(&self) -> Option<&str> {
        self.packages
            .iter()
            .find(|package| package.name == Self::UNKNOWN)
            .map(|package| package.version.as_str())
    }
}

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as its packaging system writes it; what stands for it, if that could not be read.
    pub version: String,
}

/// What stands for a version that could not be read: `what` is wrong, and what is there has this fingerprint. So it is the
/// same where the very same is there, and nowhere else. No packaging system has versions that begin so.
pub fn unknown_version(what: &str, fingerprint: &str) -> String {
    format!("{UNKNOWN_VERSION}{fingerprint}: {what})")
}

/// Whether that stands for a version that could not be read.
pub fn is_unknown_version(version: &str) -> bool {
    version.starts_with(UNKNOWN_VERSION)
}

const UNKNOWN_VERSION: &str = "(unknown ";

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Patch {
    /// Its id, `<number>-<revision>`.
    pub id: String,
    /// The patches that it holds, too: they count as present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obsoletes: Vec<String>,
    /// The packages that have it. Older software does not tell.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}
