//! What only the administrator of a host may do with its zones, and no other host can ask for.

use uuid::Uuid;

use super::{Host, HostError};
use crate::failpoints::Failpoints;
use crate::model::{Abilities, Brand, InterfaceMapping, Manifest, ZoneName};
use crate::paths::Paths;

/// The host whose zones a run moves: this host, [`Local`](super::Local).
#[async_trait::async_trait]
pub trait LocalAdmin: Host {
    /// What its platform can do with zones of that brand.
    fn able(&self, brand: Brand) -> Abilities;

    /// The command that boots a zone there, to be shown to people.
    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String;

    /// The paths of its files.
    fn paths(&self) -> &Paths;

    /// Its failpoints.
    fn failpoints(&self) -> &Failpoints;

    /// Saves a zone's memory to a file here, and ends the zone.
    async fn suspend(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError>;

    /// Shuts a zone down in order, waiting for at most `limit` milliseconds, and leaves it stopped here.
    ///
    /// # Errors
    /// Those of the platform; the zone runs on then.
    async fn stop(&self, zone: &ZoneName, uuid: Uuid, limit: u64) -> Result<(), HostError>;

    /// The manifest with its interfaces mapped to other networks.
    ///
    /// # Errors
    /// If its configuration cannot be parsed.
    fn map_interfaces(
        &self,
        manifest: &Manifest,
        mappings: &[InterfaceMapping],
    ) -> Result<Manifest, HostError>;
}
