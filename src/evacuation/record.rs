//! What is recorded of one zone's move: in the away list, and in the run.

use uuid::Uuid;

use super::engine::Engine;
use super::error::EvacuationError;
use super::events::Event;
use super::job::Job;
use super::job_state::{Ending, JobEvent};
use super::operation::Operation;
use super::run_state::RunState;
use crate::host::Host;
use crate::migration::{MoveError, Moved, Task};
use crate::model::document::Written;
use crate::model::{Home, HostUri, Manifest, Millis, ZoneName};
use crate::store::{Direction, Place, StoreError, ZoneRecord};

/// The context of one zone's move.
pub(super) struct MoveContext<'a> {
    pub engine: &'a Engine,
    pub run_state: &'a RunState,
    pub job: &'a Job,
    pub task: &'a Task,
    /// The other host.
    pub peer: &'a HostUri,
}

impl MoveContext<'_> {
    pub fn zone(&self) -> &ZoneName {
        &self.task.zone.name
    }

    fn uuid(&self) -> Uuid {
        self.task.zone.uuid
    }

    /// The zone's record while it moves.
    pub fn begun(&self, started: Millis) -> ZoneRecord {
        let zone = &self.task.zone;
        match &self.job.operation {
            Operation::Return(away) => ZoneRecord { place: Place::Returning, ..(**away).clone() },
            Operation::Relocate(away) => ZoneRecord {
                place: Place::Relocating,
                relocating_to: Some(self.peer.clone()),
                ..(**away).clone()
            },
            _ => ZoneRecord {
                place: if self.is_for_good() { Place::Migrating } else { Place::Leaving },
                location: Some(self.peer.clone()),
                home: self.home(),
                was_running: zone.is_running(),
                kind: Some(self.task.request.kind),
                since: started,
                ..ZoneRecord::of(zone)
            },
        }
    }

    /// Whether it leaves this host for good: that was requested, or it belongs to another host.
    pub fn is_for_good(&self) -> bool {
        let (local, home) = (&self.engine.local, self.task.request.home.as_ref());
        self.run_state.direction() == Direction::Migrate
            || home.is_some_and(|home| !home.is(local.name(), local.id()))
    }

    /// The host to which it belongs until it has moved, if that is another one.
    fn home(&self) -> Option<Home> {
        let home = self.task.request.home.clone();
        home.filter(|home| !home.is(self.engine.local.name(), self.engine.local.id()))
    }

    /// Updates the away list after a move. If the outcome is unknown, the record stays for the next run.
    pub fn record(&self, result: &Result<Moved, MoveError>, now: Millis) {
        let store = &self.engine.store;
        let stayed = matches!(result, Err(MoveError::Undone { .. } | MoveError::Cancelled));
        let written = match (&self.job.operation, result) {
            (Operation::Return(_), Ok(_)) => store.zone_is_here(self.uuid()).map(drop),
            (Operation::Relocate(away), Ok(_)) => store.update_zone(&self.relocated(away)),
            (Operation::Return(away) | Operation::Relocate(away), Err(_)) if stayed => {
                store.update_zone(away)
            }
            (_, Ok(_)) if self.is_for_good() => return self.gone(now),
            (_, Ok(moved)) => {
                let figures = self.run_state.job(self.zone()).map(|job| job.figures).unwrap_or_default();
                store.update_zone(&ZoneRecord {
                    place: Place::Away,
                    ended: Some(now),
                    bytes: moved.bytes,
                    downtime: moved.downtime,
                    expected: figures.expected,
                    ..self.begun(figures.started.unwrap_or(now))
                })
            }
            (_, Err(_)) if stayed => store.zone_is_here(self.uuid()).map(drop),
            // The outcome is unknown, or something is left behind: the next run settles it.
            (_, Err(_)) => Ok(()),
        };
        if let Err(error) = written {
            self.not_written(&error);
        }
    }

    /// The zone has left this host for good. If that cannot be recorded, the next run finds it out.
    fn gone(&self, now: Millis) {
        let (record, to) = (&self.task.record, self.task.to.as_ref());
        if let Err(error) = self.engine.gone(&self.begun(now), record, to, now) {
            self.not_written(&error);
        }
    }

    fn not_written(&self, error: &dyn std::error::Error) {
        let text = format!("{}: its record could not be written: {error}", self.zone());
        self.engine.events.emit(&Event::Warning(&text));
    }

    /// The record of a zone that was relocated to another refuge.
    fn relocated(&self, away: &ZoneRecord) -> ZoneRecord {
        ZoneRecord { location: Some(self.peer.clone()), down: None, ..away.clone() }
    }

    /// The event that ends the job.
    pub fn conclusion(&self, result: &Result<Moved, MoveError>) -> JobEvent {
        match (&self.job.operation, result) {
            // It still has to come home.
            (Operation::Relocate(away), Ok(_)) => JobEvent::Relocated(Box::new(self.relocated(away))),
            (_, Ok(moved)) => JobEvent::Finish(Ending::Moved(*moved), self.came_home_down()),
            (Operation::Relocate(_), Err(error @ (MoveError::Undone { .. } | MoveError::Cancelled))) => {
                JobEvent::RelocationFailed(error.to_string())
            }
            (_, Err(error)) => ended_badly(error),
        }
    }
}

impl Engine {
    /// This host, as the home of zones.
    pub(super) fn here(&self) -> Home {
        Home { name: self.local.name().to_owned(), id: Some(self.local.id()) }
    }

    /// The host to which a zone that is here belongs, if that is another one.
    pub(super) fn home_of(&self, uuid: Uuid) -> Result<Option<Home>, StoreError> {
        Ok(self.store.zone(uuid)?.and_then(|record| record.home))
    }

    /// A zone has moved to that host for good: it is `configured` here. Of a zone of another host only its new
    /// location is kept, and not even that if it went home.
    pub(super) fn gone(
        &self,
        row: &ZoneRecord,
        manifest: &Manifest,
        to: &dyn Host,
        now: Millis,
    ) -> Result<(), EvacuationError> {
        if let Some(home) = self.home_of(row.uuid)? {
            let is_home = home.is(to.name(), to.id());
            return Ok(self.store.passed_on(row.uuid, row.location.as_ref().filter(|_| !is_home))?);
        }
        let written = Written::by(self.local.name(), now);
        // The journal knows the user who began it.
        let configured = ZoneRecord::configured(manifest, written, String::new());
        let location = row.location.clone();
        Ok(self
            .store
            .end_migration(&ZoneRecord { place: Place::Migrated, location, ..configured }, manifest)?)
    }
}

/// The event for a failed move.
fn ended_badly(error: &MoveError) -> JobEvent {
    match error {
        MoveError::Unknown { step, .. } => JobEvent::Lose(
            Some(*step),
            format!("{error}; 'sysadm evacuate --resume' settles it when both hosts answer"),
        ),
        MoveError::Leftover { step, .. } => JobEvent::Fail(
            Some(*step),
            format!("{error}; the next run, or 'sysadm evacuate --resume', takes it away"),
        ),
        MoveError::Undone { step, .. } => JobEvent::Fail(Some(*step), error.to_string()),
        MoveError::Cancelled => JobEvent::Fail(None, "cancelled; it stays where it was".to_owned()),
    }
}
