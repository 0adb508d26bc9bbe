//! Saving the memory of a zone to a file.

use uuid::Uuid;

use super::PlatformError;
use crate::model::ZoneName;

#[async_trait::async_trait]
pub trait Suspend: Send + Sync {
    /// Saves the memory of a running zone to a file of the platform's own, and ends the zone. Its next boot
    /// resumes it.
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;
}
