//! The virtualization of this host. [`libvirt`] drives `virsh`; [`sim`] simulates zones.
//!
//! Every [`Platform`] can list, check, define, boot and shut down zones. What only some can do is a trait of its own,
//! which the platform returns: [`LiveMigration`], [`Suspend`], [`ConfigEditor`], [`MaintenanceEnforcer`].
//!
//! A platform knows its zones, but nothing of maintenance, targets, reservations or other hosts: these are known to
//! [`crate::host::Local`], which combines store and platform.

pub mod converge;
mod editor;
mod enforcer;
mod error;
pub mod libvirt;
pub mod linux;
mod live;
pub mod sim;
mod suspend;

pub use editor::ConfigEditor;
pub use enforcer::{EnforcerError, MaintenanceEnforcer};
pub use error::{PlatformError, SendFailure, is_lost_connection};
pub use live::LiveMigration;
pub use suspend::Suspend;

use std::time::Duration;

use uuid::Uuid;

use crate::model::{Abilities, Blocker, Brand, CheckRequest, Inventory, Manifest, Software, ZoneName};
use crate::plan::Survey;

/// A platform's description of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformFacts {
    /// Hypervisor and version, to be shown to people.
    pub hypervisor: String,
    /// `x86_64`, …
    pub arch: String,
    /// Total memory in bytes.
    pub memory: u64,
    /// Memory available to a new zone, in bytes.
    pub memory_free: u64,
    pub cpus: u32,
    /// Disk space where zones may be put, in bytes: what the host itself has, not what it shares with others.
    pub disk: u64,
    /// How much of it is free.
    pub disk_free: u64,
}

/// One kind of virtualization on this host.
#[async_trait::async_trait]
pub trait Platform: Send + Sync {
    /// Its name in configurations and manifests.
    fn name(&self) -> &'static str;

    /// What the platform can do with zones of that brand; none if it does not run them.
    fn abilities(&self, brand: Brand) -> Option<Abilities>;

    /// The command that boots a zone on its host, to be shown to people: correct for every name, and quoted for a
    /// shell.
    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String;

    async fn facts(&self) -> Result<PlatformFacts, PlatformError>;

    /// All zones and unmanaged guests.
    async fn inventory(&self) -> Result<Inventory, PlatformError>;

    /// The host and its zones for the planner. With `measure` it observes how fast zones write to their memory.
    async fn survey(&self, measure: bool) -> Result<Survey, PlatformError>;

    async fn manifest(&self, zone: &ZoneName) -> Result<Manifest, PlatformError>;

    /// Why the zone cannot be on this host, as far as the platform knows: machine, devices, networks. Names and UUIDs
    /// of other guests, memory, storage and maintenance are checked by the host. Changes nothing.
    async fn check(&self, request: &CheckRequest) -> Result<Vec<Blocker>, PlatformError>;

    /// The software on this host that the zone depends on; the zone may be here or still to arrive. None if the
    /// platform knows of no such software.
    async fn software(&self, manifest: &Manifest) -> Result<Option<Software>, PlatformError>;

    /// Defines the zone. It does not run.
    async fn define(&self, manifest: &Manifest) -> Result<(), PlatformError>;

    /// Removes the configuration of a zone that does not run. Its data stays.
    async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Shuts a zone down in order, and waits for its end up to `limit`. Never ends it in any other way: a zone
    /// that does not shut down runs on, which is an error. Does nothing if the zone does not run.
    async fn shutdown(&self, zone: &ZoneName, uuid: Uuid, limit: Duration) -> Result<(), PlatformError>;

    /// Starts a zone, from its saved memory if there is any. Does nothing and returns false if it runs.
    async fn boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError>;

    async fn set_autostart(&self, zone: &ZoneName, autostart: bool) -> Result<(), PlatformError>;

    /// Live migration, if the platform supports it.
    fn live(&self) -> Option<&dyn LiveMigration> {
        None
    }

    /// Suspending zones, if the platform supports it.
    fn suspend(&self) -> Option<&dyn Suspend> {
        None
    }

    /// Changing configurations, if the platform supports it.
    fn editor(&self) -> Option<&dyn ConfigEditor> {
        None
    }

    /// Enforcing maintenance, if the platform supports it.
    fn enforcer(&self) -> Option<&dyn MaintenanceEnforcer> {
        None
    }
}

impl dyn Platform + '_ {
    /// What the platform can do with zones of that brand: nothing if it does not run them.
    pub fn able(&self, brand: Brand) -> Abilities {
        self.abilities(brand).unwrap_or_default()
    }

    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_live(&self) -> Result<&dyn LiveMigration, PlatformError> {
        self.live().ok_or_else(|| self.unsupported("migrate zones live"))
    }

    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_suspend(&self) -> Result<&dyn Suspend, PlatformError> {
        self.suspend().ok_or_else(|| self.unsupported("suspend zones"))
    }

    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_editor(&self) -> Result<&dyn ConfigEditor, PlatformError> {
        self.editor().ok_or_else(|| self.unsupported("change configurations"))
    }

    fn unsupported(&self, what: &'static str) -> PlatformError {
        PlatformError::Unsupported { platform: self.name(), what }
    }
}
