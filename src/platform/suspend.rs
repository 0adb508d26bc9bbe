//! Writing the memory of a zone to a file.

use uuid::Uuid;

use super::PlatformError;
use crate::model::ZoneName;

/// Suspends zones.
#[async_trait::async_trait]
pub trait Suspend: Send + Sync {
    /// Writes the memory of a zone that runs to a file of the platform's own, and ends the zone. Its next boot goes on from
    /// there.
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;
}
