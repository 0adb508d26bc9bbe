//! What a run tells while it goes on.

use super::job::Job;
use crate::model::{HostUri, Method, Millis, Step, ZoneName};
use crate::store::{Mark, Move, StopMethod};

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
