//! Zones that are shut down, saved and started.
//!
//! libvirt itself chooses how a zone is asked to shut down: by its guest agent where one answers, else by its power
//! button (ACPI); a container by the pipe of its init(8), else by a signal. The end of the zone's process is waited
//! for (pidfd), which cannot be missed; then libvirt has an instant to notice.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::virsh::{Driver, failed, is_missing};
use super::{Libvirt, live};
use crate::model::{Zone, ZoneName};
use crate::platform::PlatformError;

/// How long the memory of a zone may take to be written or read.
const IMAGE: Duration = Duration::from_secs(3600);

/// Until a zone is looked at again whose process has ended, or cannot be seen.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

impl Libvirt {
    /// The zone and its driver.
    async fn known(&self, zone: &ZoneName, uuid: Uuid) -> Result<(Driver, Zone), PlatformError> {
        for (driver, listed) in self.lists().await? {
            if listed.iter().any(|domain| domain.uuid == uuid)
                && let Some(found) = self.zone_by_uuid(driver, uuid).await?
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
        let asked = driver.virsh().args(["shutdown", &uuid.to_string()]).run().await;
        let mut refusal = asked.err();
        loop {
            match self.zone_by_uuid(driver, uuid).await? {
                Some(now) if now.is_running() => {}
                _ => return Ok(()),
            }
            if let Some(error) = refusal.take() {
                return Err(failed(format!("shut down zone '{zone}'"), error));
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
        let start = driver.virsh().timeout(IMAGE).args(["start", &uuid.to_string()]);
        start.run().await.map_err(|error| failed(format!("start zone '{zone}'"), error))?;
        Ok(true)
    }
}

pub(super) async fn save(zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
    let save = Driver::Qemu.virsh().timeout(IMAGE).args(["managedsave", &uuid.to_string()]);
    match save.run().await {
        Err(error) if is_missing(&error) => Err(PlatformError::NoSuchZone(zone.clone())),
        result => result.map(drop).map_err(|error| failed(format!("save zone '{zone}'"), error)),
    }
}
