//! The acts for a zone that stays: it is stopped, suspended or booted here.
//!
//! Whatever the hypervisor answers, what counts is the state of the zone afterwards.

use uuid::Uuid;

use super::error::MoveError;
use super::recovery::Observed;
use super::runner::Acts;
use super::steps::Undo;
use crate::cancel::{Cancel, MOVES, QUESTIONS};
use crate::host::{HostError, LocalAdmin};
use crate::model::{Aux, Inventory, MoveLimits, Step, Zone, ZoneName};

/// A zone that is stopped, suspended or booted where it is.
pub struct InPlace<'a> {
    host: &'a dyn LocalAdmin,
    cancel: &'a Cancel,
    limits: MoveLimits,
    /// The zone.
    pub zone: &'a ZoneName,
    uuid: Uuid,
    /// The act has taken effect.
    pub is_done: bool,
    /// The run was cancelled before the end of the act was seen.
    pub is_cut_short: bool,
    /// Its memory was saved when it was to be booted.
    pub was_saved: bool,
    /// The zone after the act.
    pub found: Option<Zone>,
    /// The hypervisor's error.
    pub refusal: Option<String>,
}

impl<'a> InPlace<'a> {
    /// A zone before its act.
    pub const fn new(
        host: &'a dyn LocalAdmin,
        cancel: &'a Cancel,
        limits: MoveLimits,
        zone: &'a ZoneName,
        uuid: Uuid,
    ) -> Self {
        let (is_done, is_cut_short, was_saved) = (false, false, false);
        Self {
            host,
            cancel,
            limits,
            zone,
            uuid,
            is_done,
            is_cut_short,
            was_saved,
            found: None,
            refusal: None,
        }
    }

    /// The guests of the host, if that zone is among them.
    async fn look(&self) -> Option<Inventory> {
        let asked = self.cancel.bound(QUESTIONS, self.host.inventory()).await;
        asked.and_then(Result::ok).filter(|inventory| inventory.identified(self.uuid).is_ok())
    }

    fn find<'i>(&self, inventory: &'i Inventory) -> Option<&'i Zone> {
        inventory.identified(self.uuid).ok().flatten()
    }

    async fn ask(&self, step: Step) -> Result<(), HostError> {
        let (zone, uuid) = (self.zone, self.uuid);
        match step {
            Step::Boot => self.host.boot(zone.clone(), uuid).await.map(drop),
            Step::Save => self.host.suspend(zone, uuid).await,
            _ => {
                let limit = u64::try_from(self.limits.shutdown.as_millis()).unwrap_or(u64::MAX);
                self.host.stop(zone, uuid, limit).await
            }
        }
    }
}

#[async_trait::async_trait]
impl Acts for InPlace<'_> {
    async fn act(&mut self, step: Step) -> Result<(), MoveError> {
        let (wanted, not_known, otherwise) = match step {
            Step::Boot => {
                (Observed::Runs, "whether it runs is not known", "it was booted and has ended at once")
            }
            _ => (Observed::Installed, "whether it has ended is not known", "it still runs"),
        };
        let unknown = || MoveError::Unknown { step, reason: not_known.to_owned() };
        if step == Step::Boot {
            let before = self.look().await.ok_or_else(unknown)?;
            let saved = |zone: &Zone| zone.aux == Some(Aux::Suspended);
            self.was_saved |= self.find(&before).is_some_and(saved);
        }
        // A shutdown cannot be taken back: its end is awaited even if the run is cancelled.
        let answer = self.cancel.bound(MOVES, self.ask(step)).await;
        self.is_cut_short = answer.is_none();
        let inventory = self.look().await.filter(|_| answer.is_some()).ok_or_else(unknown)?;
        self.refusal = answer.and_then(Result::err).map(|error| error.to_string());
        self.found = self.find(&inventory).cloned();
        self.is_done = Observed::of(self.found.as_ref()) == wanted;
        match self.is_done {
            true => Ok(()),
            false => Err(MoveError::undone(step, self.refusal.as_deref().unwrap_or(otherwise))),
        }
    }

    /// Nothing to undo: the act has either taken effect, or the zone is as it was.
    async fn undo(&mut self, _: Undo, result: Result<(), MoveError>) -> Result<(), MoveError> {
        result
    }
}
