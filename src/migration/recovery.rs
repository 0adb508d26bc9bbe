//! What to do with an interrupted move. Pure.
//!
//! [`decide`] is the whole table; `docs/recovery.md` shows it with the reasons. That a host could not be asked is
//! one of the observations, and never leads to a start.

use super::steps::{Procedure, StepSpec, Undo};
use crate::model::{Aux, Step, Zone, words};
use crate::store::Place;

words! {
    /// What one host says of a zone.
    Observed, "observation" {
        /// It runs there.
        Runs = "runs",
        /// Its image is arriving or leaving, according to the hypervisor.
        Moves = "moves",
        /// Its complete image is held there, and was never resumed.
        Held = "held",
        /// It is there and does not run.
        Installed = "installed",
        /// It is not there.
        Absent = "absent",
        /// It was there, and moved on to another host, which has it.
        GoneOn = "gone on",
        /// The host could not be asked.
        Silent = "silent",
    }
}

impl Observed {
    /// The observation for a host that lists its zone like this, or does not list it.
    pub fn of(zone: Option<&Zone>) -> Self {
        match zone {
            None => Self::Absent,
            Some(zone) if !zone.is_running() => Self::Installed,
            // A zone that its owner had paused before the move looks the same; it stays paused.
            Some(zone) if zone.aux == Some(Aux::Paused) => Self::Held,
            Some(zone) if zone.aux == Some(Aux::MigratingIn) => Self::Moves,
            Some(_) => Self::Runs,
        }
    }
}

words! {
    /// What to do with an interrupted move.
    Resolution, "resolution" {
        /// The zone is where it was; nothing is left at the other host.
        RolledBack = "rolled back",
        /// The zone is where it was; destroy the held image at the destination.
        DiscardImage = "discard image",
        /// The zone is where it was; undefine it at the destination, where it does not run.
        UndefineAtDestination = "undefine at destination",
        /// The zone has moved.
        Moved = "moved",
        /// The zone has moved; undefine it at the source, where it does not run.
        UndefineAtSource = "undefine at source",
        /// The zone was shut down in order to leave: boot it at the source, and remove it elsewhere.
        BootAtSource = "boot at source",
        /// The zone is on a third host; undefine it at these two, where it does not run.
        Follow = "follow",
        /// Its memory is complete at the destination and the source has ended: resume it there.
        ResumeAtDestination = "resume at destination",
        /// Wait until both hosts can be asked.
        Wait = "wait",
        /// The operator must decide.
        NeedsOperator = "needs operator",
    }
}

/// What may have begun if the last intent in the journal is that of a step, by any method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Begun {
    /// The memory may be at the destination.
    sent: bool,
    /// The memory or the configuration may be at the destination.
    brought: bool,
    /// The zone may have been shut down, and is not known to have been booted at the destination.
    shut_down: bool,
    /// The point of no return has been passed.
    forward: bool,
}

impl Begun {
    fn with(step: Step) -> Self {
        let undoes = |undo| {
            let of = |procedure: &Procedure| procedure.up_to(step).iter().any(|spec| spec.undo == Some(undo));
            Procedure::MOVES.iter().any(of)
        };
        let before = |specs: &[StepSpec]| {
            specs.split_last().is_some_and(|(_, before)| before.iter().any(|spec| !spec.is_reversible))
        };
        let forward = Procedure::MOVES.iter().any(|procedure| before(procedure.up_to(step)));
        let sent = undoes(Undo::DestroyImage);
        Self {
            sent,
            brought: sent || undoes(Undo::Undefine),
            shut_down: undoes(Undo::BootAtSource) && !forward,
            forward,
        }
    }
}

/// What to do, from the last step with an intent in the journal, and what both hosts say.
///
/// Only what the journal says was begun is ours: an image or a configuration that was at the destination before
/// is never removed, and never started.
pub fn decide(step: Option<Step>, source: Observed, destination: Observed) -> Resolution {
    let Begun { sent, brought, shut_down, forward } = step.map(Begun::with).unwrap_or_default();
    match (source, destination) {
        (Observed::Silent | Observed::Moves | Observed::Held, _)
        | (_, Observed::Silent | Observed::Moves) => Resolution::Wait,
        (Observed::Absent | Observed::GoneOn, Observed::GoneOn) | (Observed::GoneOn, Observed::Absent) => {
            Resolution::Follow
        }
        (Observed::Installed, Observed::GoneOn) | (Observed::GoneOn, Observed::Installed) if brought => {
            Resolution::Follow
        }
        (Observed::GoneOn, _) | (_, Observed::GoneOn) => Resolution::NeedsOperator,
        (Observed::Runs, Observed::Runs) | (Observed::Absent, Observed::Absent) => Resolution::NeedsOperator,
        (Observed::Installed, Observed::Absent | Observed::Installed) if shut_down => {
            Resolution::BootAtSource
        }
        (Observed::Runs | Observed::Installed, Observed::Absent) => Resolution::RolledBack,
        (Observed::Runs, Observed::Held) if sent => Resolution::DiscardImage,
        (Observed::Installed | Observed::Absent, Observed::Held) if sent => Resolution::ResumeAtDestination,
        (Observed::Runs | Observed::Installed | Observed::Absent, Observed::Held) => {
            Resolution::NeedsOperator
        }
        (Observed::Runs, Observed::Installed) if brought => Resolution::UndefineAtDestination,
        (Observed::Runs, Observed::Installed) => Resolution::RolledBack,
        (Observed::Installed, Observed::Installed) if forward => Resolution::UndefineAtSource,
        (Observed::Installed, Observed::Installed) if brought => Resolution::UndefineAtDestination,
        (Observed::Installed, Observed::Installed) => Resolution::RolledBack,
        (Observed::Installed, Observed::Runs) if brought => Resolution::UndefineAtSource,
        (Observed::Absent, Observed::Runs | Observed::Installed) if brought => Resolution::Moved,
        // This move did not bring it there.
        (Observed::Installed | Observed::Absent, Observed::Runs)
        | (Observed::Absent, Observed::Installed) => Resolution::NeedsOperator,
    }
}

/// A zone that its owner has paused looks like a held image, and stays paused wherever it is.
pub const fn as_it_was(was_paused: bool, source: Observed, destination: Observed) -> (Observed, Observed) {
    match (was_paused, source, destination) {
        (true, Observed::Held, destination) => (Observed::Runs, destination),
        (true, Observed::Installed | Observed::Absent, Observed::Held) => (source, Observed::Runs),
        _ => (source, destination),
    }
}

/// What becomes of a record, and what is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordFate {
    /// It is correct.
    Keep,
    /// The zone is stopped.
    Rests(&'static str),
    /// There is nothing to be booted any more.
    Drop(&'static str),
    /// The zone has not ended yet.
    Wait(&'static str),
}

/// What to make of a record that an earlier run has left. `is_booting`: the last step that was begun was to
/// boot it.
pub const fn decide_in_place(place: Place, observed: Observed, is_booting: bool) -> RecordFate {
    match (place, observed) {
        (_, Observed::Silent) => RecordFate::Wait("its host does not answer"),
        (_, Observed::Absent | Observed::GoneOn) => {
            RecordFate::Drop("it rested here and was removed meanwhile; nothing is left to boot")
        }
        (Place::Suspending, Observed::Held) => {
            RecordFate::Wait("its memory is being saved; when that has ended: 'sysadm evacuate --resume'")
        }
        (Place::Stopping | Place::Suspending, Observed::Installed) => {
            RecordFate::Rests("it was interrupted while it was stopped; it rests here now")
        }
        (Place::Stopping | Place::Suspending, Observed::Runs | Observed::Moves | Observed::Held) => {
            RecordFate::Drop("it was interrupted while it was stopped; it runs on here")
        }
        (_, Observed::Installed) => RecordFate::Keep,
        (_, Observed::Runs | Observed::Moves | Observed::Held) if is_booting => {
            RecordFate::Drop("its return was interrupted; it runs here again")
        }
        (_, Observed::Runs | Observed::Moves | Observed::Held) => {
            RecordFate::Drop("it rested here and was booted by somebody else; it is left as it is")
        }
    }
}

#[cfg(test)]
mod tests;
