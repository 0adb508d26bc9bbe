//! Live migration.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::PlatformError;
use crate::model::{InterfaceMapping, Manifest, Progress, Sent, StreamId, Zone, ZoneName};

/// Sends running zones to another host of this platform, and receives them. The two hypervisors communicate through
/// sockets in a folder of the migration's own.
#[async_trait::async_trait]
pub trait LiveMigration: Send + Sync {
    /// Destination: the socket to which a stream is connected. `folder` is the migration's own.
    fn incoming_socket(&self, folder: &Path, stream: StreamId) -> PathBuf;

    /// Destination: starts to listen on the sockets in `folder`. Until then only this process's user may enter
    /// that folder.
    async fn open_incoming(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError>;

    /// Destination: undoes [`open_incoming`](Self::open_incoming).
    async fn close_incoming(&self, folder: &Path) -> Result<(), PlatformError>;

    /// Source: sends the zone to the sockets in `folder`, with its interfaces mapped to other networks. Returns
    /// when the zone can never run again here, and is held at the destination.
    async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError>;

    async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError>;

    /// Source: cancels the migration.
    async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Source: waits until the zone is cleaned up after `send`. An error if this process did not send it.
    async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Destination: lets a held zone run.
    async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Destination: destroys an image that has arrived and was never resumed.
    async fn destroy_incoming(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;
}
