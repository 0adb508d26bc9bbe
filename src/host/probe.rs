//! Finding out whether two hosts see the same storage.
//!
//! A path that exists on both hosts proves nothing: it may be two copies. So the host of the zone leaves a
//! mark beside each writable disk (a small file with a random content), the other host looks for it, and the
//! mark is taken away. Where no mark can be left (a device, a read-only folder) a fingerprint of what is
//! there is compared.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::{Disk, DiskSource};

/// The marks of one probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeTicket {
    /// One for each piece of storage, in the order of the manifest.
    pub marks: Vec<Mark>,
}

/// How one piece of storage is to be recognised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The storage.
    pub disk: Disk,
    /// What proves that it is the same one.
    pub proof: Proof,
}

/// A proof of being the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// This file holds this text now.
    File {
        /// Its path.
        path: PathBuf,
        /// Its whole content.
        content: String,
    },
    /// It reads like this.
    Fingerprint(String),
    /// Its servers can be reached.
    Servers,
    /// The host of the zone could not make a proof.
    None {
        /// Why.
        reason: String,
    },
}

/// What the other host sees of one piece of storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskView {
    /// Where it was looked for.
    pub source: DiskSource,
    /// None: it is the same; else why it is not.
    pub problem: Option<String>,
}
