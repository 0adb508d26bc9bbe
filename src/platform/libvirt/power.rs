//! Shutting down, saving and starting zones.
//!
//! libvirt chooses how to ask a zone to shut down: by its guest agent if that answers, else by its power button
//! (ACPI); a container by the pipe of its init(8), else by a signal. The end of the zone's process is awaited by
//! a pidfd, which cannot be missed; then libvirt gets a moment to notice.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::virsh::{Code, Connection, Driver, LibvirtError};
use super::{Libvirt, live};
use crate::model::{Zone, ZoneName};
use crate::platform::{PlatformError, Suspend};

/// Pauses before looking at a zone again: one whose process has ended, and one whose process cannot be seen.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

impl Libvirt {
    async fn known(&self, zone: &ZoneName, uuid: Uuid) -> Result<(Driver, Zone), PlatformError> {
        for (driver, listed) in self.lists().await? {
            if listed.iter().any(|domain| domain.uuid == uuid)
                && let Some(found) = Connection::to(driver).zone(uuid).await?
            {
                return Ok((driver, found));
            }
        }
        Err(PlatformError::NoSuchZone(zone.clone()))
    }

    pub(super) async fn shut_down(
        &self,
        zone: &ZoneName,
        uuid: Uuid,
        limit: Duration,
    ) -> Result<(), PlatformError> {
        let (driver, found) = self.known(zone, uuid).await?;
        if !found.is_running() {
            return Ok(());
        }
        let deadline = Instant::now() + limit;
        let mut end = live::end_of(driver, zone, &self.paths);
        let mut pause = if end.is_some() { limit } else { PAUSES[1] };
        let mut refusal = ask_to_shut_down(driver, uuid, deadline).await.err();
        loop {
            match Connection::to(driver).zone(uuid).await? {
                Some(now) if now.is_running() => {}
                _ => return Ok(()),
            }
            if let Some(error) = refusal.take() {
                return Err(error.failed(format!("shut down zone '{zone}'")));
            }
            if Instant::now() >= deadline {
                return Err(PlatformError::not_down(
                    zone,
                    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
                ));
            }
            let next = deadline.min(Instant::now() + pause);
            let ended = async {
                match &mut end {
                    Some(end) => end.await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                seen = ended => (end, pause) = (None, PAUSES[usize::from(!seen)]),
            }
        }
    }

    pub(super) async fn start(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError> {
        let (driver, found) = self.known(zone, uuid).await?;
        if found.is_running() {
            return Ok(false);
        }
        let started = Connection::to(driver).start(uuid).await;
        started.map_err(|error| error.failed(format!("start zone '{zone}'")))?;
        Ok(true)
    }
}

/// Asks the zone to shut down. A container that has just been started is asked as soon as that is possible.
async fn ask_to_shut_down(driver: Driver, uuid: Uuid, deadline: Instant) -> Result<(), LibvirtError> {
    loop {
        match Connection::to(driver).shutdown(uuid).await {
            Err(error) if error.code == Code::TooEarly && Instant::now() + PAUSES[0] < deadline => {
                tokio::time::sleep_until(Instant::now() + PAUSES[0]).await;
            }
            asked => return asked,
        }
    }
}

#[async_trait::async_trait]
impl Suspend for Libvirt {
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        match Connection::qemu().managed_save(uuid).await {
            Err(error) if error.code == Code::NoDomain => Err(PlatformError::NoSuchZone(zone.clone())),
            saved => saved.map_err(|error| error.failed(format!("save zone '{zone}'"))),
        }
    }
}
