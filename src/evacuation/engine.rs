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
use crate::model::{Home, HostUri, Manifest, Message, Method, Millis, MoveLimits, Step, ZoneName};
use crate::peers::Peers;
use crate::store::{Direction, Mark, Move, Place, StopMethod, Store, StoreError, ZoneRecord};

/// Everything that an evacuation or return needs.
pub struct Engine {
    /// The host whose zones are moved: this one.
    pub local: Arc<dyn LocalAdmin>,
    /// Its store.
    pub store: Arc<Store>,
    /// The other hosts.
    pub peers: Peers,
    /// Receives the events of the run.
    pub events: Arc<dyn EventSink>,
    /// Cancels the run.
    pub cancel: Cancel,
    /// When a single move is given up.
    pub policy: MoveLimits,
    /// Network names that differ at other hosts.
    pub maps: Maps,
}

impl Engine {
    pub(super) fn now() -> Millis {
        Millis::now()
    }

    /// An evacuation requires this host's maintenance, a return requires that it has ended.
    pub(super) fn check_lock_state(&self, direction: Direction) -> Result<(), EvacuationError> {
        let held = maintenance::describe(&self.store.holders()?);
        match (direction, held) {
            (Direction::Evacuate, None) => Err(EvacuationError::NotInMaintenance),
            (Direction::Return, Some(holders)) => Err(EvacuationError::InMaintenance(holders)),
            (Direction::Evacuate, Some(_)) | (Direction::Return, None) => Ok(()),
            // It only takes a zone away, and its destination checks its own maintenance.
            (Direction::Migrate, _) => Ok(()),
        }
    }

    /// If maintenance ends during an evacuation, no more zones leave.
    pub(super) fn must_still_be_held(&self) -> Result<(), Message> {
        match self.store.holders() {
            Ok(holders) if holders.is_empty() => {
                Err("this host is no longer in maintenance; the zone was not moved".into())
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

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

/// Something that happens during a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// So many zones are about to be checked.
    Preparing(usize),
    /// The check of this zone for this host begins.
    Checking(&'a ZoneName, &'a str),
    /// One more zone has been checked: it is ready, waits, or is skipped.
    Checked(&'a Job),
    /// So many zones are about to move.
    Moving(usize),
    /// The move of this zone to this host begins.
    Migrating(&'a ZoneName, &'a str),
    /// This zone is moved from its location to this host, because there is no room for it here yet.
    Relocating(&'a ZoneName, &'a str),
    /// This zone is being stopped or suspended here.
    Stopping(&'a ZoneName, StopMethod),
    /// This zone that was stopped here is being booted.
    Booting(&'a ZoneName),
    /// A zone's move failed and will be tried again; why, and when.
    Retrying(&'a ZoneName, &'a Message),
    /// A zone waits for room: how much, and for what.
    Waiting(&'a ZoneName, &'a Message),
    Step {
        zone: &'a ZoneName,
        method: Method,
        step: Step,
        mark: Mark,
    },
    /// Nothing is to be done for this zone: it is away already, at that host.
    AlreadyAway(&'a ZoneName, &'a HostUri),
    /// Nothing is to be done for this zone: it is home already.
    AlreadyHome(&'a ZoneName),
    /// The destination has the same configuration of this zone already.
    ReusingConfiguration(&'a ZoneName),
    /// The progress of a zone's move.
    Progress(&'a Move),
    /// A zone's move has ended, successfully or not.
    Ended(&'a Move),
    /// When the last move is expected to end; updated after each move.
    Estimate {
        end: Millis,
        /// By how many ms it may be later, with a probability of 95 %.
        margin: u64,
    },
    /// A warning for the operator.
    Warning(Message),
}

/// Receives events.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: &Event<'_>);
}
