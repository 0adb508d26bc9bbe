//! The acts for a zone that stays: it is stopped, suspended or booted here.
//!
//! Whatever the hypervisor answers, what counts is the state of the zone afterwards.

use uuid::Uuid;

use super::cancel::{MOVES, QUESTIONS};
use super::engine::Engine;
use super::rest::seen;
use crate::host::HostError;
use crate::migration::MoveError;
use crate::migration::recovery::Observed;
use crate::migration::runner::Acts;
use crate::migration::steps::Undo;
use crate::model::{Aux, Inventory, Step, Zone, ZoneName};

/// A zone that is stopped, suspended or booted here.
pub(super) struct InPlace<'a> {
    engine: &'a Engine,
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
    pub const fn new(engine: &'a Engine, zone: &'a ZoneName, uuid: Uuid) -> Self {
        let (is_done, is_cut_short, was_saved) = (false, false, false);
        Self { engine, zone, uuid, is_done, is_cut_short, was_saved, found: None, refusal: None }
    }

    /// The zones of this host, if that zone is among them.
    async fn look(&self) -> Option<Inventory> {
        let asked = self.engine.cancel.bound(QUESTIONS, self.engine.local.inventory()).await;
        asked.and_then(Result::ok).filter(|inventory| inventory.identified(self.uuid).is_ok())
    }

    async fn ask(&self, step: Step) -> Result<(), HostError> {
        let (local, zone, uuid) = (&self.engine.local, self.zone, self.uuid);
        match step {
            Step::Boot => local.boot(zone.clone(), uuid).await.map(drop),
            Step::Save => local.suspend(zone, uuid).await,
            _ => {
                let limit = u64::try_from(self.engine.policy.shutdown.as_millis()).unwrap_or(u64::MAX);
                local.stop(zone, uuid, limit).await
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
            self.was_saved = seen(&before, self.uuid).1.is_some_and(saved);
        }
        // A shutdown cannot be taken back: its end is awaited even if the run is cancelled.
        let answer = self.engine.cancel.bound(MOVES, self.ask(step)).await;
        self.is_cut_short = answer.is_none();
        let inventory = self.look().await.filter(|_| answer.is_some()).ok_or_else(unknown)?;
        self.refusal = answer.and_then(Result::err).map(|error| error.to_string());
        let (observed, zone) = seen(&inventory, self.uuid);
        self.found = zone.cloned();
        self.is_done = observed == wanted;
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
