//! The messages of a migration: zoneadm(8)'s own sentences, each printed when what it names begins.
//!
//! ```text
//!   live:     Importing · Attaching ─► Booting · Checking · Starting ─► Suspending · Waiting ─► successful · Halting
//!             prepare                  transfer                         (the transfer is done)  (so is the switch)
//!   cold:     Importing · Attaching ─► Detaching ─► successful
//!   restart:  Importing · Attaching ─► Shutting down ─► Booting ─► successful ─► Detaching
//! ```
//!
//! Those of a transfer are printed together: the hypervisors check and boot when they begin to send. That the zone is
//! suspended is printed when it runs on at the destination, some ms later, so that it does not wait for a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cli::evacuate::progress::{Reporter, Verbosity};
use crate::cli::ui;
use crate::evacuation::{Event, EventSink, HostRefusal};
use crate::migration::steps::Procedure;
use crate::model::{Message, Step, ZoneName};
use crate::store::{Direction, Mark};

const IMPORTING: &[&str] = &["Importing zone configuration.", "Attaching zone."];

/// Printed instead of the first of these if the destination has the same configuration already.
const FOUND: &str = "Using existing zone configuration on destination.";
const SUCCESSFUL: &str = "Migration successful.";

/// Printed by a dry run without blockers.
pub const DRY_RUN: [&str; 4] =
    ["Importing zone configuration.", "Attaching zone.", "Dry-run migration successful.", "Cleaning up."];

/// The messages at the beginning or end of a step.
const fn messages(procedure: Procedure, step: Step, mark: Mark) -> &'static [&'static str] {
    match (procedure, step, mark) {
        (Procedure::Live, Step::Prepare, Mark::Intent)
        | (Procedure::Cold | Procedure::Restart, Step::Attach, Mark::Intent) => IMPORTING,
        (Procedure::Live, Step::Transfer, Mark::Intent) => &[
            "Booting zone in 'migrating-in' mode.",
            "Checking migration compatibility.",
            "Starting migration.",
        ],
        (Procedure::Live, Step::Transfer, Mark::Done) => {
            &["Suspending zone on source host.", "Waiting for migration to complete."]
        }
        (Procedure::Live, Step::Switch, Mark::Done) => {
            &[SUCCESSFUL, "Halting and detaching zone on source host."]
        }
        (Procedure::Restart, Step::Shutdown, Mark::Intent) => &["Shutting down zone on source host."],
        (Procedure::Restart, Step::Boot, Mark::Intent) => &["Booting zone on destination host."],
        (Procedure::Restart, Step::Boot, Mark::Done) | (Procedure::Cold, Step::Detach, Mark::Done) => {
            &[SUCCESSFUL]
        }
        (Procedure::Cold | Procedure::Restart, Step::Detach, Mark::Intent) => {
            &["Detaching zone on source host."]
        }
        _ => &[],
    }
}

/// Prints messages, and keeps the blockers.
pub struct ZoneadmMessages {
    zone: ZoneName,
    quiet: bool,
    bar: Reporter,
    found: Mutex<Vec<HostRefusal>>,
    /// The destination has the same configuration already.
    is_there: AtomicBool,
}

impl ZoneadmMessages {
    /// For that zone.
    pub fn new(zone: ZoneName, quiet: bool) -> Self {
        let verbosity = if quiet { Verbosity::Quiet } else { Verbosity::Normal };
        let bar = Reporter::new(Direction::Migrate, verbosity);
        Self { zone, quiet, bar, found: Mutex::default(), is_there: AtomicBool::new(false) }
    }

    fn found(&self) -> MutexGuard<'_, Vec<HostRefusal>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The blockers of its destination.
    pub fn findings(&self) -> Vec<HostRefusal> {
        self.found().clone()
    }

    /// The destination has the same configuration already.
    pub fn finds_the_same(&self) {
        self.is_there.store(true, Ordering::Relaxed);
    }

    /// Prints a sentence, if there is one.
    pub fn say(&self, text: &str) {
        let text = if text == IMPORTING[0] && self.is_there.load(Ordering::Relaxed) { FOUND } else { text };
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Prints an error.
    pub fn complain(&self, message: impl Into<Message>) {
        let message = message.into().about(format!("zone '{}'", self.zone));
        self.bar.above(|| ui::complain(message));
    }

    /// Removes what is updated on the screen.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl EventSink for ZoneadmMessages {
    fn emit(&self, event: &Event<'_>) {
        match event {
            Event::Checked(job) => self.found().clone_from(&job.findings),
            Event::Step { method, step, mark, .. } => {
                messages(Procedure::from(*method), *step, *mark).iter().for_each(|text| self.say(text));
            }
            Event::ReusingConfiguration(_) => self.finds_the_same(),
            Event::Retrying(_, why) | Event::Waiting(_, why) => {
                if !self.quiet {
                    self.complain(*why);
                }
            }
            Event::Warning(text) => self.bar.above(|| ui::complain(text)),
            Event::Progress(_) | Event::Ended(_) => self.bar.emit(event),
            Event::Preparing(_)
            | Event::Checking(..)
            | Event::Moving(_)
            | Event::Migrating(..)
            | Event::Relocating(..)
            | Event::Stopping(..)
            | Event::Booting(_)
            | Event::AlreadyAway(..)
            | Event::AlreadyHome(_)
            | Event::Estimate { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(procedure: Procedure) -> Vec<(Step, Mark, &'static str)> {
        let marks = |step| [(step, Mark::Intent), (step, Mark::Done)];
        let steps = procedure.steps().iter().flat_map(|spec| marks(spec.step));
        let said = |(step, mark)| messages(procedure, step, mark).iter().map(move |text| (step, mark, *text));
        steps.flat_map(said).collect()
    }

    #[test]
    fn a_live_migration_is_told_in_zoneadms_sentences_and_their_order() {
        let texts: Vec<_> = all(Procedure::Live).into_iter().map(|(.., text)| text).collect();
        assert_eq!(
            texts,
            [
                "Importing zone configuration.",
                "Attaching zone.",
                "Booting zone in 'migrating-in' mode.",
                "Checking migration compatibility.",
                "Starting migration.",
                "Suspending zone on source host.",
                "Waiting for migration to complete.",
                "Migration successful.",
                "Halting and detaching zone on source host.",
            ]
        );
    }

    #[test]
    fn a_migration_is_successful_once_and_not_before_its_point_of_no_return() {
        for procedure in Procedure::MOVES {
            let said: Vec<_> = all(procedure).into_iter().filter(|(.., text)| *text == SUCCESSFUL).collect();
            assert_eq!(said.len(), 1, "{procedure}");
            let (step, mark, _) = said[0];
            let is_final = procedure.up_to(step).iter().any(|spec| !spec.is_reversible);
            assert!(is_final && mark == Mark::Done, "{procedure} {step}");
            let arrives = procedure.steps().iter().find(|spec| procedure.arrives_with(spec.step));
            assert!(arrives.is_none_or(|spec| spec.step == step), "{procedure} {step}");
        }
    }

    #[test]
    fn nothing_is_said_of_steps_that_a_procedure_does_not_have() {
        for &procedure in Procedure::ALL {
            for &step in Step::ALL {
                let has = procedure.steps().iter().any(|spec| spec.step == step);
                let said = [Mark::Intent, Mark::Done].map(|mark| messages(procedure, step, mark));
                assert!(has || said.concat().is_empty(), "{procedure} {step}");
            }
            let moves = Procedure::MOVES.contains(&procedure);
            assert_eq!(all(procedure).is_empty(), !moves, "{procedure}");
        }
    }
}
