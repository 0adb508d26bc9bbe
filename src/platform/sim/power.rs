//! Shutting down, saving and booting zones on request. A shutdown takes a few virtual seconds; a zone with the
//! fault to ignore it runs on.

use std::time::Duration;

use uuid::Uuid;

use super::Sim;
use super::abilities::able;
use super::database::SimTransaction;
use super::faults::Effect;
use super::record::SimZone;
use crate::boot_lock;
use crate::model::{Aux, Ended, Millis, ZoneName, ZoneState};
use crate::platform::PlatformError;

/// The duration of an orderly shutdown, in virtual milliseconds.
const SHUTDOWN: u64 = 3_000;

impl Sim {
    /// Boots a zone, whoever asks.
    pub(super) fn switch_on(
        &self,
        session: &SimTransaction<'_>,
        mut record: SimZone,
    ) -> Result<(), PlatformError> {
        if let Some(what) = session.host()?.lacks(&record.config, &self.inner.paths) {
            return Err(record.refuse(what));
        }
        record.boot(session.now()?, session.fresh_id()?)?;
        session.save(&record)
    }

    fn known(&self, zone: &ZoneName, uuid: Uuid) -> Result<SimZone, PlatformError> {
        let found = self.read(|session| session.identified(uuid))?;
        found.ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))
    }

    pub(super) async fn shut_down(
        &self,
        zone: &ZoneName,
        uuid: Uuid,
        limit: Duration,
    ) -> Result<(), PlatformError> {
        let record = self.known(zone, uuid)?;
        if !record.zone().is_running() {
            return Ok(());
        }
        if let Some(aux) = record.aux {
            return Err(record.refuse(format!("it is {aux}")));
        }
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let deaf = self.fault(Some(zone), |effect| matches!(effect, Effect::IgnoreShutdown))?.is_some();
        if deaf || limit < SHUTDOWN {
            self.sleep_until(self.now()?.after(limit)).await?;
            return Err(PlatformError::not_down(zone, limit));
        }
        self.sleep_until(self.now()?.after(SHUTDOWN)).await?;
        self.change(|session| match session.identified(uuid)? {
            Some(mut record) if record.zone().is_running() => {
                record.halt(Ended::ShutDown)?;
                session.save(&record)
            }
            _ => Ok(()),
        })
    }

    pub(super) fn boot_again(&self, zone: &ZoneName, uuid: Uuid) -> Result<bool, PlatformError> {
        let record = self.known(zone, uuid)?;
        if record.zone().is_running() {
            return Ok(false);
        }
        self.not_held(zone, uuid)?;
        if !boot_lock::is_permitted(&self.inner.paths, uuid) {
            self.not_locked()?;
        }
        self.change(|session| {
            let found = session.identified(uuid)?;
            let mut record = found.ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))?;
            match record.aux {
                Some(Aux::Suspended) => {
                    record.restore(session.now()?, session.fresh_id()?);
                    session.save(&record)
                }
                _ => self.switch_on(session, record),
            }
        })?;
        if self.loses_definition(zone)? {
            self.change(|session| match session.identified(uuid)? {
                Some(record) => session.save(&SimZone { persistent: false, ..record }),
                None => Ok(()),
            })?;
        }
        Ok(true)
    }

    pub(super) async fn save_memory(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), PlatformError> {
        let record = self.known(zone, uuid)?;
        if !able(record.config.brand).suspend {
            return Err(record.refuse("the memory of a container cannot be saved"));
        }
        if (record.state, record.aux) != (ZoneState::Running, None) {
            return Err(record.refuse("only a zone that runs can be saved"));
        }
        let time = record.config.memory.saturating_mul(1000) / self.host()?.bandwidth.max(1);
        self.sleep_until(self.now()?.after(time)).await?;
        self.change(|session| {
            let mut record =
                session.identified(uuid)?.ok_or_else(|| PlatformError::NoSuchZone(zone.clone()))?;
            record.save(session.now()?)?;
            session.save(&record)
        })
    }
}

impl SimZone {
    /// Saves the memory to a file and ends the zone.
    fn save(&mut self, now: Millis) -> Result<(), PlatformError> {
        let counted = self.counter(now);
        self.halt(Ended::ShutDown)?;
        (self.aux, self.counted) = (Some(Aux::Suspended), counted);
        Ok(())
    }

    /// Resumes the zone from its saved memory.
    fn restore(&mut self, now: Millis, id: u32) {
        (self.state, self.aux, self.id, self.since) = (ZoneState::Running, None, Some(id), Some(now));
    }
}
