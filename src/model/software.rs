//! What software a zone depends on, as its host has it.
//!
//! After the migration of Solaris zones (PSARC 2006/030): a zone that shares files with its host runs only where the
//! packages that deliver those files are the same. A virtual machine depends on its hypervisor alone.

use serde::{Deserialize, Serialize};

use super::zone::words;

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

/// One package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, as its packaging system writes it.
    pub version: String,
}

/// One patch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Patch {
    /// Its id, `<number>-<revision>`.
    pub id: String,
    /// The patches that it holds, too: they count as present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obsoletes: Vec<String>,
}
