//! Maintenance that the hypervisor itself enforces, whatever program asks it to boot a zone.

use std::path::PathBuf;

use crate::file::FileChange;

/// Why the hypervisor could not be made to enforce maintenance, or to stop doing so.
#[derive(Debug, thiserror::Error)]
#[error("failed to change the hook {path}")]
pub struct EnforcerError {
    /// The file that could not be changed.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

impl crate::model::Hinted for EnforcerError {}

/// Makes the hypervisor refuse boots and arrivals while the maintenance marker is there, and boots of blocked zones.
pub trait MaintenanceEnforcer: Send + Sync {
    /// Sets it up. Doing it again changes nothing.
    ///
    /// # Errors
    /// The first file that could not be written.
    fn install(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError>;

    /// Undoes that.
    ///
    /// # Errors
    /// The first file that could not be removed.
    fn uninstall(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError>;

    /// What an administrator must know after these changes.
    fn note(&self, changes: &[(PathBuf, FileChange)]) -> Option<&'static str>;
}
