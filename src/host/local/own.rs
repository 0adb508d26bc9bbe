//! What this host does with its zones by itself: no other host may ask for that.

use std::time::Duration;

use uuid::Uuid;

use super::Local;
use crate::failpoints::Actor;
use crate::host::HostError;
use crate::model::{InterfaceMapping, Manifest, Step, ZoneName};

/// No shutdown is waited for longer, whoever asks for it, in milliseconds.
const LONGEST_SHUTDOWN: u64 = 3_600_000;

impl Local {
    /// Writes a zone's memory to a file here, and ends it.
    ///
    /// # Errors
    /// What the platform said.
    pub async fn suspend(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async {
            let suspend = self.platform.needs_suspend().map_err(|error| self.failed(error))?;
            suspend.save(zone, uuid).await.map_err(|error| self.failed(error))
        };
        self.act(Actor::Source, Step::Save, act).await
    }

    /// Shuts a zone down in order, waiting so many milliseconds at most, and leaves it at rest here.
    ///
    /// # Errors
    /// What the platform said; the zone runs on then.
    pub async fn stop(&self, zone: &ZoneName, uuid: Uuid, limit: u64) -> Result<(), HostError> {
        let limit = Duration::from_millis(limit.min(LONGEST_SHUTDOWN));
        let act =
            async { self.platform.shutdown(zone, uuid, limit).await.map_err(|error| self.failed(error)) };
        self.act(Actor::Source, Step::Shutdown, act).await
    }

    /// A zone with these changes to its interfaces.
    ///
    /// # Errors
    /// If its configuration cannot be read.
    pub fn map_interfaces(
        &self,
        manifest: &Manifest,
        mappings: &[InterfaceMapping],
    ) -> Result<Manifest, HostError> {
        let editor = self.platform.needs_editor().map_err(|error| self.failed(error))?;
        let config = editor.map_interfaces(&manifest.config, mappings).map_err(|error| self.failed(error))?;
        Ok(manifest.with_mapping(mappings, config))
    }

    /// Takes the configuration of a zone that does not run from the platform.
    ///
    /// # Errors
    /// What the platform said.
    pub async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async { self.platform.undefine(zone, uuid).await.map_err(|error| self.failed(error)) };
        self.act(Actor::Source, Step::Detach, act).await
    }
}
