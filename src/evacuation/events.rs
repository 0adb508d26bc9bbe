//! The events of a run.

use super::job::Job;
use crate::model::{HostUri, Method, Millis, Step, ZoneName};
use crate::store::{Mark, Move, StopMethod};

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
    /// This zone is moved from its refuge to this host, because there is no room for it here yet.
    Relocating(&'a ZoneName, &'a str),
    /// This zone is being stopped or suspended here.
    Stopping(&'a ZoneName, StopMethod),
    /// This zone that was stopped here is being booted.
    Booting(&'a ZoneName),
    /// A zone's move failed and will be tried again; why, and when.
    Retrying(&'a ZoneName, &'a str),
    /// A zone waits for room: how much, and for what.
    Waiting(&'a ZoneName, &'a str),
    Step {
        zone: &'a ZoneName,
        kind: Method,
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
    Warning(&'a str),
}

/// Receives events.
pub trait EventSink: Send + Sync {
    fn emit(&self, event: &Event<'_>);
}
