//! What the virtualisation underneath can do. [`libvirt`] drives `virsh`; [`sim`] simulates zones.
//!
//! Every [`Platform`] lists, checks, defines, boots and shuts down zones. What only some can do is a trait of its own,
//! reached through the platform: [`LiveMigration`], [`Suspend`], [`ConfigEditor`], [`MaintenanceEnforcer`].
//!
//! A platform knows its own zones and nothing of maintenance, targets, reservations or other hosts: those are
//! [`crate::host::Local`]'s, which joins store and platform.

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

use crate::model::{Abilities, Arrival, Blocker, Brand, Inventory, Manifest, Software, ZoneName};
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

    /// What it can do with zones of that brand; none if it has no such brand.
    fn abilities(&self, brand: Brand) -> Option<Abilities>;

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

    /// Why the zone could not be here, as far as the platform can tell: machine, devices, networks. Not what other guests
    /// have against it, nor memory, storage or maintenance. Changes nothing.
    async fn check(&self, arrival: &Arrival) -> Result<Vec<Blocker>, PlatformError>;

    /// What this host has of the software that the zone depends on, the zone being here or on its way. None: it depends
    /// on none that the platform knows of.
    async fn software(&self, manifest: &Manifest) -> Result<Option<Software>, PlatformError>;

    /// Takes a configuration.
    async fn define(&self, manifest: &Manifest) -> Result<(), PlatformError>;

    /// Forgets the configuration of a zone that does not run. Its data stays.
    async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError>;

    /// Shuts a zone down in order, and waits until it is down: so long at most. Never ends it otherwise: one that does not
    /// go down runs on, and that is an error. Nothing if it does not run.
    async fn shutdown(&self, zone: &ZoneName, uuid: Uuid, limit: Duration) -> Result<(), PlatformError>;

    /// Starts a zone, from its saved memory if there is some. Nothing if it runs. Gives whether it did not.
    async fn boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError>;

    /// Sets whether the zone boots with the host.
    async fn set_autostart(&self, zone: &ZoneName, autostart: bool) -> Result<(), PlatformError>;

    /// Migrates zones while they run, if it can.
    fn live(&self) -> Option<&dyn LiveMigration> {
        None
    }

    /// Writes the memory of zones to files, if it can.
    fn suspend(&self) -> Option<&dyn Suspend> {
        None
    }

    /// Changes configurations, if it can.
    fn editor(&self) -> Option<&dyn ConfigEditor> {
        None
    }

    /// Keeps zones from booting while its host is in maintenance, if it can.
    fn enforcer(&self) -> Option<&dyn MaintenanceEnforcer> {
        None
    }
}

impl dyn Platform + '_ {
    /// What it can do with zones of that brand: nothing with those of a brand that it does not have.
    pub fn able(&self, brand: Brand) -> Abilities {
        self.abilities(brand).unwrap_or_default()
    }

    /// Its live migration.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_live(&self) -> Result<&dyn LiveMigration, PlatformError> {
        self.live().ok_or_else(|| self.unsupported("migrate zones live"))
    }

    /// Its way to suspend zones.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_suspend(&self) -> Result<&dyn Suspend, PlatformError> {
        self.suspend().ok_or_else(|| self.unsupported("suspend zones"))
    }

    /// Its editor of configurations.
    ///
    /// # Errors
    /// [`PlatformError::Unsupported`].
    pub fn needs_editor(&self) -> Result<&dyn ConfigEditor, PlatformError> {
        self.editor().ok_or_else(|| self.unsupported("change configurations"))
    }

    fn unsupported(&self, what: &'static str) -> PlatformError {
        PlatformError::Unsupported { platform: self.name(), what }
    }
}
