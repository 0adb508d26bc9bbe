//! Why a certificate could not be made, read or used.

use std::path::PathBuf;

use crate::model::{Hinted, Millis};

/// Why a certificate could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum CertError {
    /// Something is there already.
    #[error("{path} already exists and is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Nothing is there.
    #[error("there is no {path}")]
    Missing {
        /// The file.
        path: PathBuf,
        /// What makes it.
        hint: &'static str,
    },
    /// It cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be written.
    #[error("failed to write {path}")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may read the key.
    #[error("the private key {path} is accessible to others (mode {mode:04o})")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("{path} holds no usable {what}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// Certificate and key are not a pair.
    #[error("the key in {key} does not belong to the certificate in {path}")]
    Mismatch {
        /// The certificate.
        path: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// Its time is over.
    #[error("the certificate {path} expired on {since}")]
    Expired {
        /// The file.
        path: PathBuf,
        /// Its last moment.
        since: Millis,
    },
    /// Its time has not come.
    #[error("the certificate {path} is not valid before {from}, and the clock here says {now}")]
    NotYet {
        /// The file.
        path: PathBuf,
        /// Its first moment.
        from: Millis,
        /// The clock.
        now: Millis,
    },
    /// Neither a name nor an address.
    #[error("{name:?} is neither a host name nor an address")]
    Name {
        /// What was given.
        name: String,
    },
    /// Not a name for a site.
    #[error("{name:?} is not a name for a site, which has 1 to 64 characters")]
    Site {
        /// What was given.
        name: String,
    },
    /// A time outside of what a certificate can say.
    #[error("a certificate cannot be valid for {days} days from now")]
    Days {
        /// What was asked for.
        days: u32,
    },
    /// It could not be made.
    #[error("failed to make the certificate of {subject}")]
    Make {
        /// Whose.
        subject: String,
        /// Why.
        source: rcgen::Error,
    },
}

impl Hinted for CertError {
    fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Exists { .. } => "move it away first".to_owned(),
            Self::Missing { hint, .. } => (*hint).to_owned(),
            Self::Exposed { path, .. } => format!("run 'chmod 0600 {}'", path.display()),
            Self::Expired { .. } => "make a new one with 'sysadm cert issue'".to_owned(),
            Self::NotYet { .. } => "set the clock".to_owned(),
            Self::Read { .. }
            | Self::Write { .. }
            | Self::Unusable { .. }
            | Self::Mismatch { .. }
            | Self::Name { .. }
            | Self::Site { .. }
            | Self::Days { .. }
            | Self::Make { .. } => return Vec::new(),
        };
        vec![hint]
    }
}
