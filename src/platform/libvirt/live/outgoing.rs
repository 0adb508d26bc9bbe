//! The source's side.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use tokio::sync::watch;
use uuid::Uuid;

use super::documents::Documents;
use super::events::{Allowance, watch_events};
use super::locked;
use super::process::{end_of, is_emulated};
use crate::config;
use crate::failpoints::holds_incoming;
use crate::model::{Progress, Sent, StreamId};
use crate::model::{Zone, ZoneName};
use crate::paths::Paths;
use crate::platform::libvirt::virsh::{Code, Connection, DEFAULT_DOWNTIME, Driver, VirshMigration};
use crate::platform::{PlatformError, SendFailure};

/// How virsh ended: none while it runs.
type VirshState = Option<Result<(), SendFailure>>;

/// The migrations that leave this host now.
#[derive(Debug, Default)]
pub struct Outgoing {
    current: Mutex<HashMap<ZoneName, (Uuid, watch::Receiver<VirshState>)>>,
}

impl Outgoing {
    /// Sends a zone. Returns when its QEMU has ended here after everything was sent, or with virsh's error.
    pub async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        documents: Documents,
        (settings, downtime): (&config::LibvirtConfig, u64),
        paths: &Paths,
    ) -> Result<Sent, PlatformError> {
        let allowance = Allowance { limit: downtime, stepwise: !is_emulated(&zone.name, paths) };
        let mut stopped = watch_events(zone.uuid, allowance)?;
        let ended = end_of(Driver::Qemu, &zone.name, paths);
        let mut outcome = self.start(zone, folder, documents, settings, (allowance.in_pass(0), paths))?;
        let gone = async {
            let ended = match ended {
                Some(ended) => ended.await.is_ok(),
                None => false,
            };
            if !ended {
                // The process was not found: the end of virsh must do.
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(gone);
        loop {
            tokio::select! {
                // A QEMU that ends before it was stopped in order to migrate has crashed: virsh will report it.
                () = &mut gone, if stopped.moment().is_some() => return Ok(stopped.sent()),
                () = stopped.wait(), if stopped.moment().is_none() => {}
                changed = outcome.changed() => {
                    let result = outcome.borrow().clone();
                    match result {
                        Some(Ok(())) => return Ok(stopped.sent()),
                        Some(Err(failure)) => return Err(failure.of(&zone.name)),
                        None if changed.is_err() => return Err(unseen_end().of(&zone.name)),
                        None => {}
                    }
                }
            }
        }
    }

    /// Starts virsh and follows it.
    fn start(
        &self,
        zone: &Zone,
        folder: &Path,
        documents: Documents,
        settings: &config::LibvirtConfig,
        (downtime, paths): (u64, &Paths),
    ) -> Result<watch::Receiver<VirshState>, PlatformError> {
        let socket = |stream: StreamId| folder.join(stream.socket_name());
        let [control, memory] = StreamId::HYPERVISOR.map(socket);
        let migration = VirshMigration {
            uuid: zone.uuid,
            suspend: holds_incoming(&paths.state_dir()),
            persistent: zone.persistent,
            auto_converge: settings.auto_converge,
            bandwidth: settings.bandwidth,
            downtime,
            xml: documents.xml(),
            persistent_xml: documents.persistent_xml(),
            control: &control,
            memory: &memory,
        };
        let started = Connection::qemu().migrate(&migration);
        let transfer = started.map_err(|error| error.failed(format!("migrate zone '{}'", zone.name)))?;
        let (sender, receiver) = watch::channel(None);
        locked(&self.current).insert(zone.name.clone(), (zone.uuid, receiver.clone()));
        let uuid = zone.uuid;
        tokio::spawn(async move {
            let result = transfer.ended().await;
            drop(documents);
            if result.is_err() {
                // The zone stays here, and the next migration expects the default.
                let _ = Connection::qemu().set_max_downtime(uuid, DEFAULT_DOWNTIME).await;
            }
            let _ = sender.send(Some(result));
        });
        Ok(receiver)
    }

    fn find(&self, zone: &ZoneName) -> Option<(Uuid, watch::Receiver<VirshState>)> {
        locked(&self.current).get(zone).cloned()
    }

    pub async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError> {
        let Some((uuid, outcome)) = self.find(zone) else { return Ok(None) };
        if outcome.borrow().is_some() {
            return Ok(None);
        }
        let progress = Connection::qemu().migration_progress(uuid).await;
        progress.map_err(|error| error.failed(format!("ask for the progress of '{zone}'")))
    }

    /// Cancels a migration, even one that another process began; `uuid` is the zone's then.
    pub async fn abort(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let outcome = self.find(zone).map(|(_, outcome)| outcome);
        match Connection::qemu().abort_job(uuid).await {
            // The migration has just ended, or there was none.
            Err(_) if outcome.is_some_and(|outcome| outcome.borrow().is_some()) => Ok(()),
            Err(error) if matches!(error.code, Code::NoJob | Code::NoDomain) => Ok(()),
            Err(error) => Err(error.failed(format!("abort the migration of '{zone}'"))),
            Ok(()) => Ok(()),
        }
    }

    /// Waits for the end of virsh.
    pub async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        let Some((_, mut outcome)) = self.find(zone) else { return Err(PlatformError::no_departure(zone)) };
        let result = outcome.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
        locked(&self.current).remove(zone);
        match result {
            Some(Ok(())) => Ok(()),
            Some(Err(failure)) => Err(failure.of(zone)),
            None => Err(unseen_end().of(zone)),
        }
    }
}

fn unseen_end() -> SendFailure {
    SendFailure::permanent("nobody saw the end of its migration")
}
