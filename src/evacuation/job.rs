//! One zone of a run: what is intended with it, and what its preparation came to.

use uuid::Uuid;

use super::wait::Wait;
use crate::migration::Task;
use crate::model::{Blocker, Brand, HostUri, Kind, ZoneName};
use crate::store::{Away, Move, MoveState, Rest, RestWay};

/// One zone of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The zone.
    pub zone: ZoneName,
    /// Its brand.
    pub brand: Brand,
    /// What is intended.
    pub intent: Intent,
}

/// What is intended with a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// To one of these hosts, the first that takes it.
    Leave {
        /// How.
        kind: Kind,
        /// Where to, in order.
        targets: Vec<HostUri>,
    },
    /// Back from its refuge.
    Return(Box<Away>),
    /// It stays here, and is stopped or suspended.
    Rest(StopPlan),
    /// It rests here, and is booted again.
    Wake(Box<Rest>),
    /// Not at all, and why.
    Skip(String),
    /// Where it is must be settled first: where it was last, and what is known of that.
    Unsettled(Option<HostUri>, Option<String>),
}

/// One zone that is to be put to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopPlan {
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    /// How.
    pub way: RestWay,
}

/// What one target had against a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The target.
    pub target: HostUri,
    /// All that it had against it.
    pub blockers: Vec<Blocker>,
}

/// A zone after its preparation.
#[derive(Clone)]
pub struct Prepared {
    /// The zone.
    pub zone: ZoneName,
    /// Its brand.
    pub brand: Brand,
    /// The other host: its destination, or the last that was tried; for a return, its refuge.
    pub peer: Option<HostUri>,
    /// What it came to.
    pub readiness: Readiness,
    /// What was found at the targets that did not take it.
    pub findings: Vec<Finding>,
    /// For a return: its record.
    pub away: Option<Box<Away>>,
}

/// What a preparation came to.
#[derive(Clone)]
pub enum Readiness {
    /// It can move.
    Ready(Box<Task>),
    /// It can be put to rest here.
    Rest(StopPlan),
    /// It can be booted here again.
    Wake(Box<Rest>),
    /// No attempt will be made.
    Skipped(String),
    /// A destination would take it if it had more room.
    Waits(Wait),
    /// No destination takes it, or it could not even be asked for.
    Failed(String),
    /// Where it is must be settled first; what is known of that.
    Unsettled(String),
}

/// Why nothing is done with a zone whose last move is open.
pub const UNSETTLED: &str = "where it is must be settled first: sysadm evacuate --resume";

impl Prepared {
    /// What it waits for, if so.
    pub(super) const fn waits(&self) -> Option<&Wait> {
        match &self.readiness {
            Readiness::Waits(wait) => Some(wait),
            Readiness::Ready(_) | Readiness::Rest(_) | Readiness::Wake(_) => None,
            Readiness::Skipped(_) | Readiness::Failed(_) | Readiness::Unsettled(_) => None,
        }
    }
}

impl std::fmt::Debug for Readiness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready(task) => write!(f, "Ready({})", task.arrival.kind),
            Self::Rest(plan) => write!(f, "Rest({})", plan.way),
            Self::Wake(_) => f.write_str("Wake"),
            Self::Skipped(reason) => write!(f, "Skipped({reason:?})"),
            Self::Waits(wait) => write!(f, "Waits({wait})"),
            Self::Failed(reason) => write!(f, "Failed({reason:?})"),
            Self::Unsettled(reason) => write!(f, "Unsettled({reason:?})"),
        }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {:?} {:?}", self.zone, self.readiness, self.findings)
    }
}

pub(super) fn unprepared(candidate: &Candidate, readiness: Readiness) -> Prepared {
    Prepared {
        zone: candidate.zone.clone(),
        brand: candidate.brand,
        peer: None,
        readiness,
        findings: Vec::new(),
        away: None,
    }
}

/// Writes a preparation's result into the zone's row.
pub(super) fn note(a_move: &mut Move, prepared: &Prepared) {
    a_move.dest.clone_from(&prepared.peer);
    match &prepared.readiness {
        Readiness::Ready(task) => {
            a_move.state = MoveState::Ready;
            a_move.error = None;
            a_move.kind = Some(task.arrival.kind);
            a_move.total = task.arrival.manifest.zone.memory;
        }
        Readiness::Waits(wait) => {
            a_move.state = MoveState::Ready;
            a_move.error = Some(wait.to_string());
        }
        Readiness::Rest(_) | Readiness::Wake(_) => a_move.state = MoveState::Ready,
        Readiness::Skipped(reason) => {
            a_move.state = MoveState::Skipped;
            a_move.error = Some(reason.clone());
        }
        Readiness::Failed(reason) => {
            a_move.state = MoveState::Failed;
            a_move.error = Some(reason.clone());
        }
        Readiness::Unsettled(reason) => {
            a_move.state = MoveState::Unknown;
            a_move.error = Some(reason.clone());
        }
    }
}
