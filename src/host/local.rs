//! This host: answers from its store and its platform.
//!
//! A zone is admitted only while the host is not in maintenance, and only into room that was reserved.

mod admission;
mod boot_block;
mod guests;
mod identity;
mod location;
mod own;
mod previous_config;
mod replicas;
mod reserve;
mod software;
mod standing;

use std::sync::Arc;

use uuid::Uuid;

use super::sockets::Sockets;
use super::storage_probe::{self, Markers};
use super::{DiskView, Exported, Host, HostError, LocalAdmin, Named, Pending, ProbeTicket, Standing};
use crate::config::LimitsConfig;
use crate::failpoints::{Actor, Failpoints, Timing};
use crate::maintenance;
use crate::model::{
    Blocker, CheckRequest, Facts, Hinted, HostId, InterfaceMapping, Inventory, Location, Manifest, Millis,
    Progress, Replica, Sent, Step, StreamId, Takeover, Token, Zone, ZoneName,
};
use crate::paths::Paths;
use crate::plan::{Absent, HostKey, Survey};
use crate::platform::{LiveMigration, Platform};
use crate::store::{Store, ZoneRecord};
use crate::transport::ByteStream;
use crate::zonepath;

pub struct Local {
    name: String,
    id: HostId,
    platform: Arc<dyn Platform>,
    store: Arc<Store>,
    paths: Paths,
    sockets: Sockets,
    markers: Markers,
    boot_blocks: boot_block::BootBlocks,
    arrived: guests::Arrived,
    clock: fn() -> Millis,
    failpoints: Failpoints,
    limits: LimitsConfig,
}

impl Local {
    /// This host, with that name.
    pub fn new(name: String, platform: Arc<dyn Platform>, store: Arc<Store>, paths: Paths) -> Self {
        let failpoints = Failpoints::of_state_folder(&paths.state_dir());
        let id = guests::identity(&store, &paths);
        let sockets = Sockets::new(paths.run_dir());
        let (markers, boot_blocks, limits) =
            (Markers::default(), boot_block::BootBlocks::default(), LimitsConfig::default());
        let arrived = guests::Arrived::default();
        Self {
            name,
            id,
            platform,
            store,
            paths,
            sockets,
            markers,
            boot_blocks,
            arrived,
            clock: Millis::now,
            failpoints,
            limits,
        }
    }

    /// Sets other limits.
    #[must_use]
    pub fn with_limits(self, limits: LimitsConfig) -> Self {
        Self { limits, ..self }
    }

    /// Sets other failpoints.
    #[must_use]
    pub fn with_failpoints(self, failpoints: Failpoints) -> Self {
        Self { failpoints, ..self }
    }

    /// Carries out the act of a step, between its failpoints.
    async fn act<T>(
        &self,
        actor: Actor,
        step: Step,
        act: impl Future<Output = Result<T, HostError>>,
    ) -> Result<T, HostError> {
        let hit = |timing| {
            let failed = |reason| HostError::permanent(&self.name, reason);
            self.failpoints.hit(actor, timing, step).map_err(failed)
        };
        hit(Timing::Before)?;
        let value = act.await?;
        hit(Timing::After)?;
        Ok(value)
    }

    pub fn platform(&self) -> &dyn Platform {
        &*self.platform
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    fn live(&self) -> Result<&dyn LiveMigration, HostError> {
        self.platform.needs_live().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: impl Hinted + 'static) -> HostError {
        HostError::failed(&self.name, &error)
    }

    fn refused(&self, zone: &ZoneName, blockers: Vec<Blocker>) -> HostError {
        HostError::Refused { host: self.name.clone(), zone: zone.clone(), blockers }
    }
}

#[async_trait::async_trait]
impl Host for Local {
    fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> HostId {
        self.id
    }

    async fn standing(&self, peer: &str, named: &Named) -> Result<Standing, HostError> {
        self.standing_of(peer, named).await
    }

    async fn facts(&self) -> Result<Facts, HostError> {
        let facts = self.platform.facts().await.map_err(|error| self.failed(error))?;
        let holders = self.store.holders().map_err(|error| self.failed(error))?;
        Ok(Facts {
            host: self.name.clone(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            platform: self.platform.name().to_owned(),
            hypervisor: facts.hypervisor,
            arch: facts.arch,
            memory: facts.memory,
            memory_free: facts.memory_free.saturating_sub(self.reserved()?.memory),
            cpus: facts.cpus,
            maintenance: maintenance::describe(&holders),
            announced: self.announced()?,
        })
    }

    async fn inventory(&self) -> Result<Inventory, HostError> {
        self.platform.inventory().await.map_err(|error| self.failed(error))
    }

    async fn survey(&self, measure: bool) -> Result<Survey, HostError> {
        let survey = self.platform.survey(measure).await.map_err(|error| self.failed(error))?;
        let mut survey = survey.named(&HostKey::Name(self.name.clone()));
        let reserved = self.reserved()?;
        survey.host.memory_free = survey.host.memory_free.saturating_sub(reserved.memory);
        survey.host.disk_free = survey.host.disk_free.saturating_sub(reserved.disk);
        let holders = self.store.holders().map_err(|error| self.failed(error))?;
        survey.host.maintenance = maintenance::describe(&holders);
        let limit = Some(self.limits.vcpus_per_cpu).filter(|limit| *limit > 0);
        survey.host.max_vcpus = limit.map(|limit| survey.host.cpus.saturating_mul(limit));
        let away = self.store.away().map_err(|error| self.failed(error))?;
        let absent = |row: ZoneRecord| Some(Absent { uuid: row.uuid, location: row.location? });
        survey.away = away.into_iter().filter_map(absent).collect();
        survey.host.announced = self.announced()?;
        Ok(survey)
    }

    async fn location(&self, uuid: Uuid) -> Result<Location, HostError> {
        self.find(uuid).await
    }

    async fn check(&self, request: CheckRequest) -> Result<Vec<Blocker>, HostError> {
        self.with_those_of_room(self.blockers_but_the_same(&request).await?, &request).await
    }

    async fn manifest(&self, zone: ZoneName) -> Result<Manifest, HostError> {
        Ok(self.leaving(&zone).await?.0)
    }

    async fn export(&self, zone: ZoneName) -> Result<Exported, HostError> {
        let (manifest, own) = self.leaving(&zone).await?;
        let owners = self.owners_of(manifest.zone.uuid)?;
        let ticket = self.markers.leave(&software::storage(&manifest, &own));
        Ok(Exported { manifest, ticket, owners })
    }

    async fn verify_storage(&self, ticket: ProbeTicket) -> Result<Vec<DiskView>, HostError> {
        Ok(storage_probe::verify(&ticket).await)
    }

    async fn clear_markers(&self, ticket: ProbeTicket) -> Result<(), HostError> {
        self.markers.take_away(&ticket);
        Ok(())
    }

    async fn store_replica(&self, standby: Replica) -> Result<(), HostError> {
        self.keep(&standby)
    }

    async fn drop_replicas(
        &self,
        origin: String,
        zones: Vec<Uuid>,
        recorded: Vec<(Uuid, Millis)>,
    ) -> Result<Vec<Takeover>, HostError> {
        self.takeovers(&origin, &zones, &recorded).await
    }

    async fn reserve(&self, request: CheckRequest, lease: u64) -> Result<bool, HostError> {
        self.act(Actor::Destination, Step::Reserve, self.reserve_room(&request, lease)).await
    }

    async fn renew(&self, zone: ZoneName, uuid: Uuid, lease: u64) -> Result<(), HostError> {
        let renewed = match lease {
            0 => self.store.release(&zone, uuid),
            lease => self.store.renew(&zone, uuid, self.until(lease)),
        };
        renewed.map(drop).map_err(|error| self.failed(error))
    }

    async fn release(&self, zone: ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async {
            self.store.release(&zone, uuid).map_err(|error| self.failed(error))?;
            // An error is harmless: a record that remains is ignored while the platform has the zone.
            let _ = self.drop_previous_config_if_it_is_here(uuid).await;
            self.settle_in(uuid).await?;
            Ok(())
        };
        self.act(Actor::Destination, Step::Settle, act).await
    }

    async fn attach(&self, manifest: Manifest) -> Result<(), HostError> {
        let act = async {
            self.admit(&manifest.zone.name, manifest.zone.uuid)?;
            self.platform.define(&manifest).await.map_err(|error| self.failed(error))?;
            self.arrived.note(manifest.zone.uuid);
            if let Some(path) = manifest.zonepath() {
                zonepath::clear(path, manifest.zone.uuid).map_err(|error| self.failed(error))?;
            }
            Ok(())
        };
        self.act(Actor::Destination, Step::Attach, act).await
    }

    async fn detach(&self, zone: ZoneName, uuid: Uuid, gone: bool) -> Result<(), HostError> {
        if gone {
            self.drop_previous_config(uuid)?;
        }
        self.undefine(&zone, uuid).await?;
        self.unblock_boot(uuid);
        if gone {
            self.see_off(&zone)?;
        }
        Ok(())
    }

    async fn shutdown(&self, zone: ZoneName, uuid: Uuid, limit: u64) -> Result<(), HostError> {
        self.block_boot(uuid)?;
        // If the zone runs on and ends by itself later, booting it does no harm.
        self.stop(&zone, uuid, limit).await.inspect_err(|_| self.unblock_boot(uuid))
    }

    async fn boot(&self, zone: ZoneName, uuid: Uuid) -> Result<bool, HostError> {
        let act = async {
            self.unblock_boot(uuid);
            let _pass = self.permit_boot(&zone, uuid)?;
            self.platform.boot(&zone, uuid).await.map_err(|error| self.failed(error))
        };
        self.act(Actor::Destination, Step::Boot, act).await
    }

    async fn keep(&self, manifest: Manifest) -> Result<(), HostError> {
        let wanted = &manifest.zone;
        let here = self.inventory().await?;
        match here.zones.iter().find(|zone| zone.uuid == wanted.uuid) {
            Some(zone) if zone.persistent || !wanted.persistent => Ok(()),
            Some(_) => self.platform.define(&manifest).await.map_err(|error| self.failed(error)),
            None => Err(HostError::permanent(&self.name, "it is not there any more")),
        }
    }

    async fn set_autostart(&self, zone: ZoneName, autostart: bool) -> Result<(), HostError> {
        self.platform.set_autostart(&zone, autostart).await.map_err(|error| self.failed(error))
    }

    async fn open_incoming(&self, manifest: Manifest, token: Token) -> Result<(), HostError> {
        let act = async {
            self.admit(&manifest.zone.name, manifest.zone.uuid)?;
            let folder =
                self.sockets.expect(&token, manifest.zone.uuid).map_err(|error| self.failed(error))?;
            self.live()?.open_incoming(&manifest, &folder).await.map_err(|error| self.failed(error))
        };
        self.act(Actor::Destination, Step::Prepare, act).await
    }

    async fn close_incoming(&self, token: Token) -> Result<(), HostError> {
        let closed = self.live()?.close_incoming(&self.sockets.folder(&token)).await;
        self.sockets.remove(&token);
        closed.map_err(|error| self.failed(error))
    }

    async fn send(
        &self,
        zone: Zone,
        token: Token,
        mappings: Vec<InterfaceMapping>,
    ) -> Result<Sent, HostError> {
        let act = async {
            self.drop_previous_config(zone.uuid)?;
            let folder = self.sockets.folder(&token);
            self.live()?.send(&zone, &folder, &mappings).await.map_err(|error| self.failed(error))
        };
        self.act(Actor::Source, Step::Transfer, act).await
    }

    async fn progress(&self, zone: ZoneName) -> Result<Option<Progress>, HostError> {
        self.live()?.progress(&zone).await.map_err(|error| self.failed(error))
    }

    async fn abort(&self, zone: ZoneName) -> Result<(), HostError> {
        let Some(live) = self.platform.live() else { return Ok(()) };
        live.abort(&zone).await.map_err(|error| self.failed(error))
    }

    async fn wait_sent(&self, zone: ZoneName) -> Result<(), HostError> {
        let act = async {
            self.live()?.wait_sent(&zone).await.map_err(|error| self.failed(error))?;
            self.see_off(&zone)
        };
        self.act(Actor::Source, Step::Settle, act).await
    }

    async fn resume(&self, zone: ZoneName, uuid: Uuid) -> Result<(), HostError> {
        let act = async {
            self.live()?.resume(&zone, uuid).await.map_err(|error| self.failed(error))?;
            self.arrived.note(uuid);
            // An error is harmless: a record that remains is ignored while the platform has the zone.
            let _ = self.drop_previous_config(uuid);
            Ok(())
        };
        self.act(Actor::Destination, Step::Switch, act).await
    }

    async fn destroy_incoming(&self, zone: ZoneName, uuid: Uuid) -> Result<(), HostError> {
        self.live()?.destroy_incoming(&zone, uuid).await.map_err(|error| self.failed(error))
    }

    async fn connect(&self, token: &Token, stream: StreamId) -> Result<ByteStream, HostError> {
        let folder = self.sockets.folder(token);
        let path = match stream {
            // Not the hypervisor listens there, but the program that copies the data.
            StreamId::Data(_) => folder.join(stream.socket_name()),
            StreamId::Control | StreamId::Memory => self.live()?.incoming_socket(&folder, stream),
        };
        let stream = self.sockets.connect(token, &path).await;
        Ok(Box::new(stream.map_err(|error| self.failed(error))?))
    }

    async fn listen(&self, token: &Token, stream: StreamId) -> Result<Box<dyn Pending>, HostError> {
        let act =
            async { self.sockets.listen(token, stream, &self.name).map_err(|error| self.failed(error)) };
        self.act(Actor::Source, Step::Prepare, act).await
    }
}
