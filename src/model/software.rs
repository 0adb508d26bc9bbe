//! The installed software that a zone depends on.
//!
//! The rule is that of Solaris zone migration (PSARC 2006/030): a zone that shares files with its host runs only
//! where the packages that deliver those files are the same. A virtual machine depends only on its hypervisor.

use serde::{Deserialize, Serialize};

use crate::words;

words! {
    /// The source of package names and versions.
    System, "packaging system" {
        /// System V packages and patches: Solaris 10.
        Svr4 = "svr4",
        /// The Image Packaging System: Solaris 11, illumos.
        Ips = "ips",
        /// Debian packages.
        Dpkg = "dpkg",
        /// Red Hat's and SUSE's packages.
        Rpm = "rpm",
        /// No packages: the hypervisor and its management software, by their own versions.
        Hypervisor = "hypervisor",
    }
}

/// The part of a host's software that one zone depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    pub system: System,
    pub packages: Vec<Package>,
    /// Patches of these packages. Only System V packages have patches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
}

impl Software {
    /// A package name that stands for packages that could not be read. No real package has this name, so no host,
    /// whatever its version, reports it as installed.
    const UNKNOWN: &str = "(unknown)";

    /// Software that could not be read, with the reason.
    pub fn unknown(system: System, why: String) -> Self {
        let package = Package { name: Self::UNKNOWN.to_owned(), version: why };
        Self { system, packages: vec![package], patches: Vec::new() }
    }

    /// Why the software could not be read; none if it was.
    pub fn why_unknown(&self) -> Option<&str> {
        self.packages
            .iter()
            .find(|package| package.name == Self::UNKNOWN)
            .map(|package| package.version.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    pub name: String,
    /// The version as the packaging system writes it, or a substitute if it could not be read.
    pub version: String,
}

/// The substitute for a version that could not be read: `what` is wrong, and a fingerprint of the contents. So it is
/// equal where the contents are identical, and nowhere else. No packaging system has versions that begin like this.
pub fn unknown_version(what: &str, fingerprint: &str) -> String {
    format!("{UNKNOWN_VERSION}{fingerprint}: {what})")
}

/// Whether a version is such a substitute.
pub fn is_unknown_version(version: &str) -> bool {
    version.starts_with(UNKNOWN_VERSION)
}

const UNKNOWN_VERSION: &str = "(unknown ";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Patch {
    /// As `<number>-<revision>`.
    pub id: String,
    /// Patches that this one contains; they count as installed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obsoletes: Vec<String>,
    /// The packages that it patches. Older versions do not send them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}
