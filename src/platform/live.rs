//! Migrating a zone while it runs.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::PlatformError;
use crate::model::{InterfaceMapping, Manifest, Progress, Sent, StreamId, Zone, ZoneName};

/// Sends running zones to another host of this platform, and receives them. The hypervisors talk through sockets in
/// the migration's own folder.
#[async_trait::async_trait]
pub trait LiveMigration: Send + Sync {
    /// Where a stream of a live migration ends at the destination: its socket. `folder` is the migration's own.
    fn incoming_socket(&self, folder: &Path, stream: StreamId) -> PathBuf;

    /// Destination: makes ready to receive; the sockets will be in `folder`, which is open to this process's
    /// user alone until then.
    async fn open_incoming(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError>;

    /// Destination: ends what [`open_incoming`](Self::open_incoming) began.
    async fn close_incoming(&self, folder: &Path) -> Result<(), PlatformError>;

    /// Source: sends the zone into the sockets in `folder`, with these changes to its interfaces. Returns when
    /// it is stopped for good here and held there.
    async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError>;

    /// Source: how far it is.
    async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError>;

    /// Source: gives it up.
    async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Source: waits until the zone is put away after `send`. An error if nothing is known of that any more.
    async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Destination: lets the arrived zone run.
    async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Destination: throws an arrived image away that was never let run.
    async fn destroy_incoming(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;
}
