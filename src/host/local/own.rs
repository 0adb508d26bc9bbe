//! What this host does with its own zones, and no other host can ask for.

use std::time::Duration;

use uuid::Uuid;

use super::Local;
use crate::failpoints::{Actor, Failpoints};
use crate::host::{HostError, LocalAdmin};
use crate::model::{Abilities, Brand, InterfaceMapping, Manifest, Step, ZoneName};
use crate::paths::Paths;

/// Maximum time to wait for a shutdown, in milliseconds.
const LONGEST_SHUTDOWN: u64 = 3_600_000;

#[async_trait::async_trait]
impl LocalAdmin for Local {
    fn able(&self, brand: Brand) -> Abilities {
        self.platform.able(brand)
    }

    fn boot_command(&self, zone: &ZoneName, uuid: Uuid, brand: Brand) -> String {
        self.platform.boot_command(zone, uuid, brand)
    }

    fn paths(&self) -> &Paths {
        &self.paths
    }

    fn failpoints(&self) -> &Failpoints {
        &self.failpoints
    }

    async fn suspend(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async {
            let suspend = self.platform.needs_suspend().map_err(|error| self.failed(error))?;
            suspend.save(zone, uuid).await.map_err(|error| self.failed(error))
        };
        self.act(Actor::Source, Step::Save, act).await
    }

    async fn stop(&self, zone: &ZoneName, uuid: Uuid, limit: u64) -> Result<(), HostError> {
        let limit = Duration::from_millis(limit.min(LONGEST_SHUTDOWN));
        let act =
            async { self.platform.shutdown(zone, uuid, limit).await.map_err(|error| self.failed(error)) };
        self.act(Actor::Source, Step::Shutdown, act).await
    }

    fn map_interfaces(
        &self,
        manifest: &Manifest,
        mappings: &[InterfaceMapping],
    ) -> Result<Manifest, HostError> {
        let editor = self.platform.needs_editor().map_err(|error| self.failed(error))?;
        let config = editor.map_interfaces(&manifest.config, mappings).map_err(|error| self.failed(error))?;
        Ok(manifest.with_mapping(mappings, config))
    }
}

impl Local {
    /// Removes the configuration of a zone that does not run from the platform.
    pub async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async { self.platform.undefine(zone, uuid).await.map_err(|error| self.failed(error)) };
        self.act(Actor::Source, Step::Detach, act).await
    }
}
