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
use crate::exec::ExecError;
use crate::model::{Zone, ZoneName};
use crate::platform::{PlatformError, Suspend};

/// How long the memory of a zone may take to be written or read.
const IMAGE: Duration = Duration::from_secs(3600);

/// Until a zone is looked at again whose process has ended, or cannot be seen.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_millis(500)];

impl Libvirt {
    /// The zone and its driver.
    async fn known(&self, zone: &ZoneName, uuid: Uuid) -> Result<(Driver, Zone), PlatformError> {
        for (driver, listed) in self.lists().await? {
            if listed.iter().any(|domain| domain.uuid == uuid)
                && let Some(found) = Self::zone_by_uuid(driver, uuid).await?
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
            match Self::zone_by_uuid(driver, uuid).await? {
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

/// Asks it; a container that has only just been started as soon as it can be asked.
async fn ask_to_shut_down(driver: Driver, uuid: Uuid, deadline: Instant) -> Result<(), ExecError> {
    loop {
        let asked = driver.virsh().args(["shutdown", &uuid.to_string()]).run().await;
        match asked {
            Err(error) if is_too_early(error.stderr()) && Instant::now() + PAUSES[0] < deadline => {
                tokio::time::sleep_until(Instant::now() + PAUSES[0]).await;
            }
            asked => return asked.map(drop),
        }
    }
}

// error: Failed to shutdown domain '847926fa-6652-4b0e-8c85-347842aeff32'
// error: Requested operation is not valid: Init process ID is not yet known
/// Whether libvirt does not know the first process of a container yet: it hears of it some ms after the start.
fn is_too_early(said: &str) -> bool {
    said.contains("Init process ID is not yet known")
}

#[async_trait::async_trait]
impl Suspend for Libvirt {
    async fn save(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let save = Driver::Qemu.virsh().timeout(IMAGE).args(["managedsave", &uuid.to_string()]);
        match save.run().await {
            Err(error) if is_missing(&error) => Err(PlatformError::NoSuchZone(zone.clone())),
            result => result.map(drop).map_err(|error| failed(format!("save zone '{zone}'"), error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_has_just_been_started_is_told_from_one_that_cannot_be_shut_down() {
        let said = |what| {
            format!("error: Failed to shutdown domain 'x'\nerror: Requested operation is not valid: {what}")
        };
        assert!(is_too_early(&said("Init process ID is not yet known")));
        assert!(!is_too_early(&said("domain is not running")) && !is_too_early(""));
    }
}
