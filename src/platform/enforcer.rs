//! Maintenance enforced by the hypervisor itself, whatever program asks it to boot a zone.

use std::path::PathBuf;

use crate::file::FileChange;
use crate::model::Message;

/// Why enforcement could not be set up or removed.
#[derive(Debug, thiserror::Error)]
#[error("failed to change the hook {path}")]
pub struct EnforcerError {
    /// The file that could not be changed.
    pub path: PathBuf,
    pub source: std::io::Error,
}

impl crate::model::Hinted for EnforcerError {
    fn hints(&self) -> Vec<String> {
        // A script of another origin is neither replaced nor removed.
        let is_anothers = self.source.kind() == std::io::ErrorKind::AlreadyExists;
        is_anothers.then(|| "move it away".to_owned()).into_iter().collect()
    }
}

/// Makes the hypervisor refuse to boot or receive zones while the maintenance marker exists, and to boot blocked
/// zones.
pub trait MaintenanceEnforcer: Send + Sync {
    /// Sets up enforcement. Repeating it changes nothing.
    ///
    /// # Errors
    /// Names the first file that could not be written.
    fn install(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError>;

    /// Removes enforcement.
    ///
    /// # Errors
    /// Names the first file that could not be removed.
    fn uninstall(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError>;

    /// Why the hypervisor does not refuse anything during maintenance, if that is known, and what to do.
    fn gap(&self) -> Option<Message>;

    /// What an administrator must be told after these changes, and what to do.
    fn note(&self, changes: &[(PathBuf, FileChange)]) -> Option<Message>;
}
