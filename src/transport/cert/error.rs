//! Why a certificate could not be created, read or used.

use std::path::PathBuf;

use crate::model::Millis;

/// Why a certificate could not be created, read or used.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// The file exists already.
    #[error("{path} is there already and is not overwritten; move it away first")]
    Exists { path: PathBuf },
    /// The file is missing.
    #[error("there is no {path}; {hint}")]
    Missing {
        path: PathBuf,
        /// The command that creates it.
        hint: &'static str,
    },
    /// The file cannot be read.
    #[error("failed to read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The file cannot be written.
    #[error("failed to write {path}")]
    Write { path: PathBuf, source: std::io::Error },
    /// Other users than its owner may read the key.
    #[error("the private key {path} is open to others (mode {mode:04o}); run 'chmod 0600 {path}'")]
    Exposed { path: PathBuf, mode: u32 },
    /// The file contains something else.
    #[error("{path} holds no usable {what}")]
    Unusable {
        path: PathBuf,
        /// What it should contain.
        what: &'static str,
    },
    /// Certificate and key do not belong together.
    #[error("the key in {key} does not belong to the certificate in {path}")]
    Mismatch { path: PathBuf, key: PathBuf },
    /// The certificate has expired.
    #[error("the certificate {path} expired on {since}; 'sysadm cert issue' makes a new one")]
    Expired { path: PathBuf, since: Millis },
    /// The certificate is not valid yet.
    #[error(
        "the certificate {path} is valid only from {from} on, and the clock here says {now}; set the clock"
    )]
    NotYet {
        path: PathBuf,
        from: Millis,
        /// The present time.
        now: Millis,
    },
    /// Neither a host name nor an address.
    #[error("{name:?} is neither a host name nor an address")]
    Name { name: String },
    /// Not a valid name of a site.
    #[error("{name:?} is no name for a site; 1 to 64 characters are expected")]
    Site { name: String },
    /// A time that a certificate cannot contain.
    #[error("a certificate cannot be valid for {days} days from now")]
    Days { days: u32 },
    /// The certificate could not be created.
    #[error("failed to make the certificate of {subject}")]
    Make {
        /// Whose certificate.
        subject: String,
        source: rcgen::Error,
    },
}
