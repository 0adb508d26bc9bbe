//! Outages of a whole simulated host: its power fails, or its hypervisor's daemon is restarted.

use super::record::SimZone;
use super::{Sim, locked};
use crate::platform::PlatformError;

impl Sim {
    /// The power fails and returns: nothing runs, and incomplete images are gone. Only migrations of this process
    /// are ended; other processes with the same paths must have ended.
    pub fn lose_power(&self) -> Result<(), PlatformError> {
        self.forget_moves();
        self.change(|session| {
            for record in session.zones()? {
                let uuid = record.config.uuid;
                match record.lose_power() {
                    Some(record) => session.save(&record)?,
                    None => session.delete(uuid)?,
                }
            }
            Ok(())
        })
    }

    /// The host boots, with its zones that have autostart, unless maintenance forbids it.
    pub fn boot_host(&self) -> Result<(), PlatformError> {
        if self.not_locked().is_err() {
            return Ok(());
        }
        self.change(|session| {
            for mut record in session.zones()?.into_iter().filter(|record| record.autostart) {
                let (now, id) = (session.now()?, session.fresh_id()?);
                if record.boot(now, id).is_ok() {
                    session.save(&record)?;
                }
            }
            Ok(())
        })
    }

    /// The daemon is restarted: zones run on, and migrations fail. A held zone stays held.
    pub fn restart_daemon(&self) -> Result<(), PlatformError> {
        self.forget_moves();
        self.change(|session| {
            let now = session.now()?;
            for mut record in session.zones()?.into_iter().filter(SimZone::moves) {
                let uuid = record.config.uuid;
                record.go_on(now);
                let rest = if record.moves() { record.vanish() } else { Some(record) };
                match rest {
                    Some(record) => session.save(&record)?,
                    None => session.delete(uuid)?,
                }
            }
            Ok(())
        })
    }

    fn forget_moves(&self) {
        locked(&self.inner.outgoing).drain().for_each(|(_, departure)| departure.vanish());
        locked(&self.inner.incoming).drain().for_each(|(_, expectation)| expectation.vanish());
    }
}
