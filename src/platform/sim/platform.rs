//! [`Sim`] as a platform.

use std::path::{Path, PathBuf};
use std::time::Duration;

use uuid::Uuid;

use super::abilities::abilities;
use super::faults::{Effect, Operation};
use super::record::SimZone;
use super::{Sim, check, config_of, survey};
use crate::file::FileChange;
use crate::model::Message;
use crate::model::{
    Abilities, Aux, Blocker, Brand, CheckRequest, InterfaceMapping, Inventory, Manifest, Progress, Sent,
    Software, StreamId, Zone, ZoneName, ZoneState,
};
use crate::plan::Survey;
use crate::platform::{
    ConfigEditor, EnforcerError, LiveMigration, MaintenanceEnforcer, Platform, PlatformError, PlatformFacts,
    Suspend,
};

#[async_trait::async_trait]
impl Platform for Sim {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn abilities(&self, brand: Brand) -> Option<Abilities> {
        abilities(brand)
    }

    fn boot_command(&self, zone: &ZoneName, _uuid: Uuid, _brand: Brand) -> String {
        format!("sysadm sim start {zone}")
    }

    async fn facts(&self) -> Result<PlatformFacts, PlatformError> {
        let work = async {
            self.read(|session| {
                let host = session.host()?;
                let zones = session.zones()?;
                let memory_free = survey::memory_free(&host, &zones);
                let disk_free = survey::disk_free(&host, &zones, &self.inner.paths);
                Ok(PlatformFacts {
                    hypervisor: host.hypervisor,
                    arch: host.arch,
                    memory: host.memory,
                    memory_free,
                    cpus: host.cpus,
                    disk: host.disk,
                    disk_free,
                })
            })
        };
        self.gated(Operation::Facts, None, work).await
    }

    async fn inventory(&self) -> Result<Inventory, PlatformError> {
        let work = async {
            self.read(|session| {
                let zones = session.zones()?.iter().map(SimZone::zone).collect();
                Ok(Inventory { zones, unmanaged: session.host()?.unmanaged })
            })
        };
        self.gated(Operation::Inventory, None, work).await
    }

    async fn survey(&self, _measure: bool) -> Result<Survey, PlatformError> {
        let work = async {
            let (host, zones) = self.read(|session| Ok((session.host()?, session.zones()?)))?;
            Ok(survey::of(&host, &zones, &self.inner.paths))
        };
        self.gated(Operation::Survey, None, work).await
    }

    async fn manifest(&self, zone: &ZoneName) -> Result<Manifest, PlatformError> {
        let work = async {
            let record = self.read(|session| session.named(zone))?;
            Ok(record.config.clone().manifest(record.zone(), record.text))
        };
        self.gated(Operation::Manifest, Some(zone), work).await
    }

    async fn check(&self, request: &CheckRequest) -> Result<Vec<Blocker>, PlatformError> {
        let zone = Some(&request.manifest.zone.name);
        let work = async {
            let host = self.read(|session| session.host())?;
            let mut found = check::blockers(request, &host, &self.inner.paths);
            if let Some((_, Effect::Refuse { kind, reason })) =
                self.fault(zone, |effect| matches!(effect, Effect::Refuse { .. }))?
            {
                found.push(Blocker::new(kind, reason));
            }
            Ok(found)
        };
        self.gated(Operation::Check, zone, work).await
    }

    async fn software(&self, _manifest: &Manifest) -> Result<Option<Software>, PlatformError> {
        let work = async { self.read(|session| Ok(session.host()?.software)) };
        self.gated(Operation::Facts, None, work).await
    }

    async fn define(&self, manifest: &Manifest) -> Result<(), PlatformError> {
        let work = async {
            let config = config_of(manifest)?;
            self.change(|session| {
                let present = session.identified(config.uuid)?;
                // A guest that runs without a definition gets one.
                if let Some(present) = present.as_ref().filter(|present| !present.persistent) {
                    let text = manifest.config.clone();
                    return session.save(&SimZone { persistent: true, text, ..present.clone() });
                }
                if let Some(present) = present.as_ref().filter(|present| present.zone().is_running()) {
                    return Err(present.refuse("it runs here"));
                }
                if session.named(&config.name).is_ok_and(|other| other.config.uuid != config.uuid) {
                    let what = "another zone has its name here".to_owned();
                    return Err(PlatformError::State { zone: config.name, what });
                }
                let autostart = present.is_some_and(|present| present.autostart);
                session.save(&SimZone::installed(config, manifest.config.clone(), autostart))
            })
        };
        self.gated(Operation::Define, Some(&manifest.zone.name), work).await
    }

    async fn undefine(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        self.gated(Operation::Undefine, Some(zone), async { self.forget(zone, uuid) }).await
    }

    async fn shutdown(&self, zone: &ZoneName, uuid: Uuid, limit: Duration) -> Result<(), PlatformError> {
        self.gated(Operation::Shutdown, Some(zone), self.shut_down(zone, uuid, limit)).await
    }

    async fn boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError> {
        self.gated(Operation::Boot, Some(zone), async { self.boot_again(zone, uuid) }).await
    }

    async fn set_autostart(&self, zone: &ZoneName, autostart: bool) -> Result<(), PlatformError> {
        let work = async {
            self.change(|session| {
                let mut record = session.named(zone)?;
                if !record.persistent {
                    return Err(record.refuse("it is transient, and such a zone cannot boot with its host"));
                }
                record.autostart = autostart;
                session.save(&record)
            })
        };
        self.gated(Operation::SetAutostart, Some(zone), work).await
    }

    fn live(&self) -> Option<&dyn LiveMigration> {
        Some(self)
    }

    fn suspend(&self) -> Option<&dyn Suspend> {
        Some(self)
    }

    fn editor(&self) -> Option<&dyn ConfigEditor> {
        Some(self)
    }

    fn enforcer(&self) -> Option<&dyn MaintenanceEnforcer> {
        Some(self)
    }
}

#[async_trait::async_trait]
impl LiveMigration for Sim {
    fn incoming_socket(&self, folder: &Path, stream: StreamId) -> PathBuf {
        folder.join(stream.socket_name())
    }

    async fn open_incoming(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError> {
        let work = async { self.expect(manifest, folder) };
        self.gated(Operation::OpenIncoming, Some(&manifest.zone.name), work).await
    }

    async fn close_incoming(&self, folder: &Path) -> Result<(), PlatformError> {
        self.gated(Operation::CloseIncoming, None, self.stop_expecting(folder)).await
    }

    async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError> {
        self.gated(Operation::Send, Some(&zone.name), self.depart(&zone.name, folder, mappings)).await
    }

    async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError> {
        self.gated(Operation::Progress, Some(zone), async { Ok(self.progress_of(zone)) }).await
    }

    async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.gated(Operation::Abort, Some(zone), self.give_up(zone)).await
    }

    async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.gated(Operation::WaitSent, Some(zone), self.put_away(zone)).await
    }

    async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let work = async {
            self.change(|session| {
                let found = session.identified(uuid)?;
                let mut record = found.ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))?;
                record.let_run(session.now()?)?;
                session.save(&record)
            })
        };
        self.gated(Operation::Resume, Some(zone), work).await
    }

    async fn destroy_incoming(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let work = async {
            self.change(|session| {
                let Some(record) = session.identified(uuid)? else { return Ok(()) };
                match (record.state, record.aux) {
                    (ZoneState::Running, Some(Aux::Paused | Aux::MigratingIn))
                    | (ZoneState::Installed, _) => session.delete(uuid),
                    (state, _) => {
                        Err(record.refuse(format!("it is {state} here and not held; it is not discarded")))
                    }
                }
            })
        };
        self.gated(Operation::DestroyIncoming, Some(zone), work).await
    }
}

#[async_trait::async_trait]
impl Suspend for Sim {
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        self.gated(Operation::Save, Some(zone), self.save_memory(zone, uuid)).await
    }
}

/// Simulated zones look for the marker themselves, so there is nothing to set up.
impl MaintenanceEnforcer for Sim {
    fn install(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
        Ok(Vec::new())
    }

    fn uninstall(&self) -> Result<Vec<(PathBuf, FileChange)>, EnforcerError> {
        Ok(Vec::new())
    }

    fn gap(&self) -> Option<Message> {
        None
    }

    fn note(&self, _changes: &[(PathBuf, FileChange)]) -> Option<Message> {
        Some("no hooks to set up: simulated zones respect maintenance as they are".into())
    }
}
