//! What a run works with, and what it tells while it goes on.

use std::sync::Arc;

use uuid::Uuid;

use super::job::Job;
use super::request::EvacuationError;
use crate::cancel::Cancel;
use crate::config::Maps;
use crate::host::{Host, LocalAdmin};
use crate::maintenance;
use crate::model::document::Written;
use crate::model::{Home, HostUri, Manifest, Method, Millis, MoveLimits, Step, ZoneName, chain};
use crate::peers::Peers;
use crate::store::{Direction, Mark, Move, Place, StopMethod, Store, StoreError, ZoneRecord};

/// Everything that an evacuation or return works with.
pub struct Engine {
    /// The host whose zones are moved: this one.
    pub local: Arc<dyn LocalAdmin>,
    /// Its store.
    pub store: Arc<Store>,
    /// How other hosts are reached.
    pub peers: Peers,
    /// Where progress is told.
    pub events: Arc<dyn EventSink>,
    /// How it is given up.
    pub cancel: Cancel,
    /// When a single move is.
    pub policy: MoveLimits,
    /// What other hosts call otherwise.
    pub maps: Maps,
}

impl Engine {
    pub(super) fn now() -> Millis {
        Millis::now()
    }

    /// An evacuation needs this host's maintenance, a return needs it gone.
    pub(super) fn check_lock_state(&self, direction: Direction) -> Result<(), EvacuationError> {
        let held = maintenance::describe(&self.store.holders()?);
        match (direction, held) {
            (Direction::Evacuate, None) => Err(EvacuationError::NotInMaintenance),
            (Direction::Return, Some(holders)) => Err(EvacuationError::InMaintenance(holders)),
            (Direction::Evacuate, Some(_)) | (Direction::Return, None) => Ok(()),
            // It takes nothing but a zone away, and its destination's own lock counts.
            (Direction::Migrate, _) => Ok(()),
        }
    }

    /// Whoever has lifted the lock under an evacuation wants no more zones to leave.
    pub(super) fn must_still_be_held(&self) -> Result<(), String> {
        match self.store.holders() {
            Ok(holders) if holders.is_empty() => {
                Err("this host is not in maintenance any more; it stays here".to_owned())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(chain(&error)),
        }
    }

    /// This host, as one that zones belong to.
    pub(super) fn here(&self) -> Home {
        Home { name: self.local.name().to_owned(), id: Some(self.local.id()) }
    }

    /// The host that a zone which is here belongs to, if that is another one.
    pub(super) fn home_of(&self, uuid: Uuid) -> Result<Option<Home>, StoreError> {
        Ok(self.store.zone(uuid)?.and_then(|record| record.home))
    }

    /// A zone has gone to that host for good: it is `configured` here. One of another host leaves nothing behind but where
    /// it went, and not that if it went home.
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
        // Who has begun it the journal knows.
        let configured = ZoneRecord::configured(manifest, written, String::new());
        let location = row.location.clone();
        Ok(self
            .store
            .end_migration(&ZoneRecord { place: Place::Migrated, location, ..configured }, manifest)?)
    }
}

/// What happens, as it happens.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// So many zones are about to be prepared.
    Preparing(usize),
    /// This zone is prepared for this host.
    Checking(&'a ZoneName, &'a str),
    /// One more has been checked: it is ready, waits, or will not be done.
    Checked(&'a Job),
    /// So many zones are about to move.
    Moving(usize),
    /// This zone moves now.
    Migrating(&'a ZoneName, &'a str),
    /// This zone goes from its refuge to this other host now, because there is no room for it here yet.
    Relocating(&'a ZoneName, &'a str),
    /// This zone is stopped or suspended here now.
    Stopping(&'a ZoneName, StopMethod),
    /// This zone that rested here is booted now.
    Booting(&'a ZoneName),
    /// A zone's move failed and is tried again after a while; why, and when.
    Retrying(&'a ZoneName, &'a str),
    /// A zone waits for room; how much and for what.
    Waiting(&'a ZoneName, &'a str),
    /// A step of a zone's move is about to be done, or was done. That of a switch is told when it was done alone: the
    /// zone stands still for it.
    Step {
        /// The zone.
        zone: &'a ZoneName,
        /// How it moves.
        kind: Method,
        /// The step.
        step: Step,
        /// What is so with it.
        mark: Mark,
    },
    /// There is nothing to be done with this zone: it is away already, at that host.
    AlreadyAway(&'a ZoneName, &'a HostUri),
    /// There is nothing to be done with this zone: it is home already.
    AlreadyHome(&'a ZoneName),
    /// The destination of this zone has the same configuration of it already.
    ReusingConfiguration(&'a ZoneName),
    /// How far a zone is.
    Progress(&'a Move),
    /// A zone's move has ended, well or not.
    Ended(&'a Move),
    /// When all is expected to have moved, and by how many ms it may be later; told anew after each move.
    Estimate {
        /// The time.
        end: Millis,
        /// In 19 of 20 cases.
        margin: u64,
    },
    /// Something that the operator should know.
    Warning(&'a str),
}

/// Who is told what happens.
pub trait EventSink: Send + Sync {
    /// Something happened.
    fn emit(&self, event: &Event<'_>);
}
