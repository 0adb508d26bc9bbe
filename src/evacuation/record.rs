//! What is recorded of one zone's move: in the record of the zone, and in the run.

use uuid::Uuid;

use super::engine::{Engine, Event};
use super::job::Job;
use super::job_state::{Ending, JobEvent};
use super::operation::Operation;
use super::run_state::RunState;
use crate::migration::{MoveError, Moved, Task};
use crate::model::{Ended, Hinted, Home, HostUri, Message, Method, Millis, RESUME, ZoneName};
use crate::store::{Direction, Place, ZoneRecord};

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

    /// Updates the record of the zone after a move. If the outcome is unknown, it stays for the next run.
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
            (_, Ok(_)) => {
                let started = self.run_state.job(self.zone()).and_then(|job| job.figures.started);
                store.update_zone(&ZoneRecord { place: Place::Away, ..self.begun(started.unwrap_or(now)) })
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

    fn not_written(&self, error: &dyn Hinted) {
        let why = Message::of(error).about(format!("{}: its record could not be written", self.zone()));
        self.engine.events.emit(&Event::Warning(why));
    }

    /// The record of a zone that was relocated to another location.
    fn relocated(&self, away: &ZoneRecord) -> ZoneRecord {
        ZoneRecord { location: Some(self.peer.clone()), down: None, ..away.clone() }
    }

    /// The report about a guest that has come home and ran when it left, but not any more.
    fn came_home_down(&self) -> Option<Message> {
        let Operation::Return(away) = &self.job.operation else { return None };
        let zone = &self.task.zone;
        let was_stopped = matches!(zone.ended, Some(Ended::ShutDown | Ended::Destroyed));
        let is_down = away.was_running && self.task.request.method == Method::Cold;
        if !is_down || (was_stopped && away.down.is_none()) {
            return None;
        }
        let why =
            if zone.ended == Some(Ended::Crashed) { "crashed there" } else { "was no longer running there" };
        let command = self.engine.local.boot_command(&zone.name, zone.uuid, zone.brand);
        let text = format!("was running when it left, {why}, and is back");
        Some(Message::from(text).with_hint(format!("boot it here: {command}")))
    }

    /// The event that ends the job.
    pub fn conclusion(&self, result: &Result<Moved, MoveError>) -> JobEvent {
        match (&self.job.operation, result) {
            // It still has to come home.
            (Operation::Relocate(away), Ok(_)) => JobEvent::Relocated(Box::new(self.relocated(away))),
            (_, Ok(moved)) => JobEvent::Finish(Ending::Moved(*moved), self.came_home_down()),
            (Operation::Relocate(_), Err(error @ (MoveError::Undone { .. } | MoveError::Cancelled))) => {
                JobEvent::RelocationFailed(Message::of(error))
            }
            (_, Err(error)) => ended_badly(error),
        }
    }
}

/// The event for a failed move.
fn ended_badly(error: &MoveError) -> JobEvent {
    match error {
        MoveError::Unknown { step, .. } => JobEvent::Lose(Some(*step), Message::of(error).with_hint(RESUME)),
        MoveError::Leftover { step, .. } => JobEvent::Fail(
            Some(*step),
            Message::of(error).with_hint("the next run, or 'sysadm evacuate --resume', removes what is left"),
        ),
        MoveError::Undone { step, .. } => JobEvent::Fail(Some(*step), Message::of(error)),
        MoveError::Cancelled => JobEvent::Fail(None, "cancelled; it was not moved".into()),
    }
}
