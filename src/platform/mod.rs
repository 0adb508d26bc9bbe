//! What the virtualisation underneath can do. [`libvirt`] drives `virsh`; [`sim`] simulates zones.
//!
//! A platform knows its own zones and nothing of maintenance, targets, reservations or other hosts: those are
//! [`crate::host::Local`]'s, which joins store and platform.

pub mod converge;
mod error;
mod identity;
pub mod libvirt;
pub mod linux;
pub mod sim;

pub use error::{PlatformError, SendFailure, is_lost_connection};

use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use crate::model::{
    Arrival, Blocker, Brand, Edit, InterfaceMapping, Inventory, Manifest, Software, Zone, ZoneName,
};
use crate::model::{Progress, Sent, StreamId};
use crate::plan::Survey;

/// What a platform says of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFacts {
    /// Hypervisor and version, for people.
    pub hypervisor: String,
    /// `x86_64`, …
    pub arch: String,
    /// Memory in bytes.
    pub memory: u64,
    /// What of it a new zone could have, in bytes.
    pub memory_free: u64,
    /// Processors.
    pub cpus: u32,
}

/// One kind of virtualisation on this host.
#[async_trait::async_trait]
pub trait Platform: Send + Sync {
    /// Its word in configurations and manifests.
    fn name(&self) -> &'static str;

    /// The command that boots a zone on its host, for people: right for every name, and as it is for a shell.
    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String;

    /// How the host is.
    async fn facts(&self) -> Result<PlatformFacts, PlatformError>;

    /// All guests.
    async fn inventory(&self) -> Result<Inventory, PlatformError>;

    /// The host and its zones as a planner wants them. With `measure` it watches how zones write to their memory.
    async fn survey(&self, measure: bool) -> Result<Survey, PlatformError>;

    /// A zone's manifest.
    async fn manifest(&self, zone: &ZoneName) -> Result<Manifest, PlatformError>;

    /// Why the zone could not be here, as far as the platform can tell: identity, machine, networks. Not
    /// memory, storage or maintenance. Changes nothing.
    async fn check(&self, arrival: &Arrival) -> Result<Vec<Blocker>, PlatformError>;

    /// A configuration with these changes to its interfaces, and no others.
    fn map_interfaces(&self, config: &str, mappings: &[InterfaceMapping]) -> Result<String, PlatformError>;

    /// The configuration of a manifest with these changes, in the order in which they stand.
    fn edit(&self, manifest: &Manifest, edits: &[Edit]) -> Result<String, PlatformError>;

    /// The storage of the original to which a copy of it would write by its configuration. What the copy says that it shares
    /// does not count.
    fn writes_over(&self, copy: &Manifest, original: &Manifest) -> Result<Vec<String>, PlatformError>;

    /// A manifest with this configuration in place of its own, and with all that the configuration says: name, UUID,
    /// brand, memory, processors, disks, networks, interfaces, obstacles. The rest stays, and so does what stands against
    /// its moving that its own configuration did not say.
    fn reread(&self, manifest: &Manifest, config: String) -> Result<Manifest, PlatformError>;

    /// What this host has of the software that the zone depends on, the zone being here or on its way. None: it depends
    /// on none that the platform knows of.
    async fn software(&self, manifest: &Manifest) -> Result<Option<Software>, PlatformError>;

    /// What would have to change about a zone that does not run so that it fits here: nothing if it does, or if no change
    /// would help.
    async fn updates(&self, manifest: &Manifest) -> Result<Vec<Edit>, PlatformError>;

    /// Cold: takes a configuration.
    async fn define(&self, manifest: &Manifest) -> Result<(), PlatformError>;

    /// Cold: forgets the configuration of a zone that does not run. Its data stays.
    async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Shuts a zone down in order, and waits until it is down: so long at most. Never pulls the plug: one that does not
    /// go down runs on, and that is an error. Nothing if it does not run.
    async fn shutdown(&self, zone: &ZoneName, uuid: Uuid, limit: Duration) -> Result<(), PlatformError>;

    /// Starts a zone, from its saved memory if there is some. Nothing if it runs. Gives whether it did not.
    async fn boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError>;

    /// Writes the memory of a zone that runs to a file of the platform's own, and ends it.
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Sets whether the zone boots with the host.
    async fn set_autostart(&self, zone: &ZoneName, autostart: bool) -> Result<(), PlatformError>;

    /// Where a stream of a live migration ends at the destination: its socket. `folder` is the migration's own.
    fn incoming_socket(&self, folder: &Path, stream: StreamId) -> PathBuf;

    /// Live, destination: makes ready to receive; the sockets will be in `folder`, which is open to this process's
    /// user alone until then.
    async fn open_incoming(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError>;

    /// Live, destination: ends what [`open_incoming`](Self::open_arrival) began.
    async fn close_incoming(&self, folder: &Path) -> Result<(), PlatformError>;

    /// Live, source: sends the zone into the sockets in `folder`, with these changes to its interfaces. Returns when
    /// it is stopped for good here and held there.
    async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError>;

    /// Live, source: how far it is.
    async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError>;

    /// Live, source: gives it up.
    async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Live, source: waits until the zone is put away after `send`. An error if nothing is known of that any more.
    async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError>;

    /// Live, destination: lets the arrived zone run.
    async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Live, destination: throws an arrived image away that was never let run.
    async fn destroy_incoming(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;
}
