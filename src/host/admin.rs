//! What is done with the zones of a host by whoever administers it, and what no other host may ask of it.

use uuid::Uuid;

use super::{Host, HostError};
use crate::failpoints::Failpoints;
use crate::model::{Abilities, Brand, InterfaceMapping, Manifest, ZoneName};
use crate::paths::Paths;

/// A host that a run may empty and fill: this one is [`Local`](super::Local).
#[async_trait::async_trait]
pub trait LocalAdmin: Host {
    /// What its platform can do with zones of that brand.
    fn able(&self, brand: Brand) -> Abilities;

    /// The command that boots a zone there, for people.
    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String;

    /// Where its files lie.
    fn paths(&self) -> &Paths;

    /// Who is told of each moment of a move there.
    fn failpoints(&self) -> &Failpoints;

    /// Writes a zone's memory to a file here, and ends it.
    ///
    /// # Errors
    /// What the platform said.
    async fn suspend(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError>;

    /// Shuts a zone down in order, waiting so many milliseconds at most, and leaves it at rest here.
    ///
    /// # Errors
    /// What the platform said; the zone runs on then.
    async fn stop(&self, zone: &ZoneName, uuid: Uuid, limit: u64) -> Result<(), HostError>;

    /// A zone with these changes to its interfaces.
    ///
    /// # Errors
    /// If its configuration cannot be read.
    fn map_interfaces(
        &self,
        manifest: &Manifest,
        mappings: &[InterfaceMapping],
    ) -> Result<Manifest, HostError>;
}
