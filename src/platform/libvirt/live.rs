//! Live migration of a KVM zone with libvirt, and why the zone can never run twice.
//!
//! ```text
//!   source                               destination
//!   virsh migrate --p2p --suspend  ──►   QEMU receives, and is left paused
//!   [stopped, memory sent]               [complete, paused]
//!   QEMU ends  ──────────────────────►   virsh resume, only when we say so
//! ```
//!
//! By default libvirt lets the zone run at the destination and *then* tells the source whether that succeeded. If the
//! connection breaks in between, the source resumes the zone, and it runs twice. So the destination holds the zone
//! (`--suspend`), and resumes it only after the source's QEMU process has ended. The end of that process is awaited
//! directly (pidfd), since virsh itself returns some 200 ms later.

mod documents;
mod events;
mod incoming;
mod outgoing;
mod process;
mod socket_owner;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Libvirt;
use super::virsh::{Code, Connection};
use crate::model::{Aux, InterfaceMapping, Manifest, Progress, Sent, StreamId, Zone, ZoneName};
use crate::platform::{LiveMigration, PlatformError};

use documents::Documents;
pub(super) use incoming::Incoming;
pub(super) use outgoing::Outgoing;
pub(super) use process::{end_of, has_arrived};
use socket_owner::let_qemu_in;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
impl LiveMigration for Libvirt {
    fn incoming_socket(&self, folder: &Path, stream: StreamId) -> PathBuf {
        match stream {
            StreamId::Memory | StreamId::Data(_) => folder.join(stream.socket_name()),
            StreamId::Control => {
                // Hosts with modular daemons have a socket for each driver.
                let modular = self.paths.libvirt_run().join("virtqemud-sock");
                if modular.exists() { modular } else { self.paths.libvirt_run().join("libvirt-sock") }
            }
        }
    }

    async fn open_incoming(&self, manifest: &Manifest, folder: &Path) -> Result<(), PlatformError> {
        let_qemu_in(manifest, folder).await?;
        self.incoming.open(manifest.zone.uuid, folder)
    }

    async fn close_incoming(&self, folder: &Path) -> Result<(), PlatformError> {
        self.incoming.close(folder)
    }

    async fn send(
        &self,
        zone: &Zone,
        folder: &Path,
        mappings: &[InterfaceMapping],
    ) -> Result<Sent, PlatformError> {
        let documents = Documents::of(zone, folder, mappings).await?;
        self.outgoing.send(zone, folder, documents, (&self.settings, self.downtime), &self.paths).await
    }

    async fn progress(&self, zone: &ZoneName) -> Result<Option<Progress>, PlatformError> {
        self.outgoing.progress(zone).await
    }

    async fn abort(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        match self.find(zone).await {
            Ok((_, uuid)) => self.outgoing.abort(zone, uuid).await,
            Err(PlatformError::NoSuchZone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn wait_sent(&self, zone: &ZoneName) -> Result<(), PlatformError> {
        self.outgoing.wait_sent(zone).await
    }

    async fn resume(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        self.incoming.resume(zone, uuid).await
    }

    async fn destroy_incoming(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let libvirt = Connection::qemu();
        let Some(found) = libvirt.zone(uuid).await? else { return Ok(()) };
        match (found.state.as_str(), found.aux) {
            ("running", Some(Aux::Paused | Aux::MigratingIn)) => {
                let destroyed = libvirt.destroy(uuid).await;
                destroyed.map_err(|error| error.failed(format!("end the arrived image of '{zone}'")))?;
            }
            ("installed", _) => {}
            (state, _) => {
                let what = format!("it is {state} here and not held; it is not discarded");
                return Err(PlatformError::State { zone: zone.clone(), what });
            }
        }
        match libvirt.undefine(uuid).await {
            // A transient domain has vanished by itself.
            Err(error) if error.code != Code::NoDomain => Err(error.failed(format!("undefine '{zone}'"))),
            _ => Ok(()),
        }
    }
}
