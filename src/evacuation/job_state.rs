//! The states of a job, and their transitions. Pure.
//!
//! ```text
//!                        ┌────────── Select ──────────┐
//!                        ▼                            │
//!   Selected ─ Check ─► Checking ─ Wait ─────────► Waiting ◄┐ Wait
//!      │                 │  ▲ └┐ Check, Refuse        │   └──┘
//!      │                 │  └──┘                      │
//!      └──── Accept ────►┴─ Accept ─► Ready ◄─ Relocate ─┘
//!                                       │
//!                                     Start        ┌┐ Step
//!                                       ▼          ▼│
//!   Selected ◄─ Relocated, ─────────── Running ── Retry ─► Retrying
//!               RelocationFailed        │   ▲                 │
//!                                     Finish └──── Start ─────┘
//!                                       ▼
//!                                      Done
//!
//!   Skip  before it has started     ─► Skipped      Found  at Selected: its record is another one
//!   Fail  until it has ended        ─► Failed
//!   Lose  while it runs             ─► Unknown
//! ```
//!
//! Done, Skipped, Failed and Unknown are final. [`JobState::next`] is the whole table; every other transition is
//! an error and changes nothing.

use std::sync::Arc;

use super::refusal::{HostRefusal, Wait, describe};
use crate::migration::{Moved, Task};
use crate::model::{Blocker, HostUri, Step};
use crate::store::{StopMethod, ZoneRecord};

/// The state of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It is still to be checked.
    Selected,
    /// A host is asked whether it accepts the zone.
    Checking,
    /// There are no blockers and room is reserved: it waits for its turn.
    Ready,
    /// A host would accept the zone if it had more room.
    Waiting(Wait),
    /// It is being done.
    Running,
    /// An attempt has failed (the reason); another one follows.
    Retrying(String),
    /// It is done; optionally with a remark.
    Done(Ending, Option<String>),
    /// It is not attempted (the reason).
    Skipped(String),
    /// It failed (the reason); the zone is where it was.
    Failed(String),
    /// It must be settled where the zone is; what is known of that.
    Unknown(String),
}

/// How a job was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The zone has moved.
    Moved(Moved),
    /// The zone was stopped or suspended here.
    Stopped(StopMethod),
    /// The zone was booted here.
    Booted,
}

/// An event of a job.
#[derive(Clone)]
pub enum JobEvent {
    /// It is to be checked again.
    Select,
    /// The zone is on another host than was recorded: its new record.
    Found(Box<ZoneRecord>),
    /// This host is asked.
    Check(HostUri),
    /// A host has refused the zone.
    Refuse(HostRefusal),
    /// It can be done: by this move, or here.
    Accept(Option<Arc<Task>>),
    /// It has to wait for room.
    Wait(Wait),
    /// While it waits, the zone is relocated to this host.
    Relocate(HostUri, Arc<Task>),
    Start,
    /// This step begins.
    Step(Step),
    /// An attempt has failed (the reason), and will be repeated.
    Retry(String),
    /// It is done; optionally with a remark.
    Finish(Ending, Option<String>),
    /// The zone was relocated: its new record.
    Relocated(Box<ZoneRecord>),
    /// The zone has stayed at its location (the reason).
    RelocationFailed(String),
    /// It is not attempted (the reason).
    Skip(String),
    /// It failed, at this step if one was begun (the reason).
    Fail(Option<Step>, String),
    /// It is not known where the zone is: at which step, and what is known.
    Lose(Option<Step>, String),
}

/// A transition that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {state} cannot {event}")]
pub struct IllegalTransition {
    pub state: &'static str,
    pub event: &'static str,
}

impl JobState {
    /// The state after that event.
    ///
    /// # Errors
    /// If the event is not allowed in this state.
    pub fn next(&self, event: &JobEvent) -> Result<Self, IllegalTransition> {
        use JobEvent as E;
        let to_be_checked = matches!(self, Self::Selected | Self::Checking);
        let not_started = to_be_checked || matches!(self, Self::Waiting(_) | Self::Ready);
        let started = matches!(self, Self::Running | Self::Retrying(_));
        match (self, event) {
            (Self::Waiting(_), E::Select) => Ok(Self::Selected),
            (Self::Selected, E::Found(_)) => Ok(Self::Selected),
            (_, E::Check(_)) if to_be_checked => Ok(Self::Checking),
            (Self::Checking, E::Refuse(_)) => Ok(Self::Checking),
            (_, E::Accept(_)) if to_be_checked => Ok(Self::Ready),
            (Self::Selected | Self::Checking | Self::Waiting(_), E::Wait(wait)) => {
                Ok(Self::Waiting(wait.clone()))
            }
            (Self::Waiting(_), E::Relocate(..)) => Ok(Self::Ready),
            (Self::Ready | Self::Retrying(_), E::Start) => Ok(Self::Running),
            (Self::Running, E::Step(_)) => Ok(Self::Running),
            (Self::Running, E::Retry(why)) => Ok(Self::Retrying(why.clone())),
            (Self::Running, E::Finish(ending, note)) => Ok(Self::Done(*ending, note.clone())),
            (Self::Running, E::Relocated(_)) => Ok(Self::Selected),
            (_, E::RelocationFailed(_)) if started || *self == Self::Ready => Ok(Self::Selected),
            (_, E::Skip(why)) if not_started => Ok(Self::Skipped(why.clone())),
            (_, E::Fail(_, why)) if not_started || started => Ok(Self::Failed(why.clone())),
            (Self::Running, E::Lose(_, why)) => Ok(Self::Unknown(why.clone())),
            _ => Err(IllegalTransition { state: self.name(), event: event.name() }),
        }
    }

    /// One word for the state.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Selected => "selected",
            Self::Checking => "checking",
            Self::Ready => "ready",
            Self::Waiting(_) => "waiting",
            Self::Running => "running",
            Self::Retrying(_) => "retrying",
            Self::Done(..) => "done",
            Self::Skipped(_) => "skipped",
            Self::Failed(_) => "failed",
            Self::Unknown(_) => "unknown",
        }
    }

    /// Whether the run is done with the zone.
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Done(..) | Self::Skipped(_) | Self::Failed(_) | Self::Unknown(_) => true,
            Self::Selected | Self::Checking | Self::Ready => false,
            Self::Waiting(_) | Self::Running | Self::Retrying(_) => false,
        }
    }

    /// Why the state is what it is, if there is a reason.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Selected | Self::Checking | Self::Ready | Self::Running => None,
            Self::Waiting(wait) => Some(wait.to_string()),
            Self::Done(_, note) => note.clone(),
            Self::Retrying(why) | Self::Skipped(why) | Self::Failed(why) | Self::Unknown(why) => {
                Some(why.clone())
            }
        }
    }
}

impl JobEvent {
    /// The state after none of these hosts has accepted the zone: it waits if one of them only lacks room.
    pub(super) fn refused<'a>(
        answers: impl IntoIterator<Item = (&'a str, &'a [Blocker])>,
        reason: String,
    ) -> Self {
        Wait::of(answers, &reason).map_or(Self::Fail(None, reason), Self::Wait)
    }

    /// Likewise, after these blockers were found.
    pub(super) fn refused_by(findings: &[HostRefusal]) -> Self {
        let answers = findings.iter().map(|one| (one.target.host.as_str(), one.blockers.as_slice()));
        Self::refused(answers, describe(findings))
    }

    /// One word for the event.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Found(_) => "found",
            Self::Check(_) => "check",
            Self::Refuse(_) => "refuse",
            Self::Accept(_) => "accept",
            Self::Wait(_) => "wait",
            Self::Relocate(..) => "relocate",
            Self::Start => "start",
            Self::Step(_) => "step",
            Self::Retry(_) => "retry",
            Self::Finish(..) => "finish",
            Self::Relocated(_) => "relocated",
            Self::RelocationFailed(_) => "relocation-failed",
            Self::Skip(_) => "skip",
            Self::Fail(..) => "fail",
            Self::Lose(..) => "lose",
        }
    }
}

#[cfg(test)]
mod tests;
