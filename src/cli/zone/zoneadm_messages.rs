//! What is said of a migration: zoneadm(8)'s own sentences, each when what it says has begun.
//!
//! ```text
//!   live:     Importing · Attaching ─► Booting · Checking · Starting ─► Suspending · Waiting ─► successful · Halting
//!             prepare                  transfer                         (the transfer is done)  (so is the switch)
//!   cold:     Importing · Attaching ─► Detaching ─► successful
//!   restart:  Importing · Attaching ─► Shutting down ─► Booting ─► successful ─► Detaching
//! ```
//!
//! Those of a transfer come together: its hypervisors check and boot when they begin to send. That the zone is
//! suspended is said when it goes on over there, some ms later: it does not wait for a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cli::evacuate::progress::{Reporter, Verbosity};
use crate::cli::ui;
use crate::evacuation::{Event, EventSink, Finding};
use crate::model::{Kind, Step, ZoneName};
use crate::store::{Direction, Mark};

const IMPORTING: &[&str] = &["Importing zone configuration.", "Attaching zone."];

/// Said in place of the first of these where the destination has the same configuration already.
const FOUND: &str = "Using existing zone configuration on destination.";
const SUCCESSFUL: &str = "Migration successful.";

/// Said by a dry run that has found nothing.
pub const DRY_RUN: [&str; 4] =
    ["Importing zone configuration.", "Attaching zone.", "Dry-run migration successful.", "Cleaning up."];

/// What is to be said when a step begins, or is done.
const fn sentences(kind: Kind, step: Step, mark: Mark) -> &'static [&'static str] {
    match (kind, step, mark) {
        (Kind::Live, Step::Prepare, Mark::Intent)
        | (Kind::Cold | Kind::Restart, Step::Attach, Mark::Intent) => IMPORTING,
        (Kind::Live, Step::Transfer, Mark::Intent) => &[
            "Booting zone in 'migrating-in' mode.",
            "Checking migration compatibility.",
            "Starting migration.",
        ],
        (Kind::Live, Step::Transfer, Mark::Done) => {
            &["Suspending zone on source host.", "Waiting for migration to complete."]
        }
        (Kind::Live, Step::Switch, Mark::Done) => &[SUCCESSFUL, "Halting and detaching zone on source host."],
        (Kind::Restart, Step::Shutdown, Mark::Intent) => &["Shutting down zone on source host."],
        (Kind::Restart, Step::Boot, Mark::Intent) => &["Booting zone on destination host."],
        (Kind::Restart, Step::Boot, Mark::Done) | (Kind::Cold, Step::Detach, Mark::Done) => &[SUCCESSFUL],
        (Kind::Cold | Kind::Restart, Step::Detach, Mark::Intent) => &["Detaching zone on source host."],
        _ => &[],
    }
}

/// Says it, and keeps what was found.
pub struct ZoneadmMessages {
    zone: ZoneName,
    quiet: bool,
    bar: Reporter,
    found: Mutex<Vec<Finding>>,
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

    fn found(&self) -> MutexGuard<'_, Vec<Finding>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What its destination has against it.
    pub fn findings(&self) -> Vec<Finding> {
        self.found().clone()
    }

    /// The destination has the same configuration already.
    pub fn finds_the_same(&self) {
        self.is_there.store(true, Ordering::Relaxed);
    }

    /// Says it, unless nothing is to be said.
    pub fn say(&self, text: &str) {
        let text = if text == IMPORTING[0] && self.is_there.load(Ordering::Relaxed) { FOUND } else { text };
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Says it.
    pub fn complain(&self, text: &str) {
        self.bar.above(|| ui::complain(&format!("zone '{}': {text}", self.zone)));
    }

    /// Ends what moves on the screen.
    pub fn finish(&self) {
        self.bar.finish();
    }
}

impl EventSink for ZoneadmMessages {
    fn emit(&self, event: &Event<'_>) {
        match event {
            Event::Checked(job) => self.found().clone_from(&job.findings),
            Event::Step { kind, step, mark, .. } => {
                sentences(*kind, *step, *mark).iter().for_each(|text| self.say(text));
            }
            Event::ReusingConfiguration(_) => self.finds_the_same(),
            Event::Retrying(_, text) | Event::Waiting(_, text) => self.say(text),
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

    fn told(kind: Kind, steps: &[Step]) -> Vec<&'static str> {
        let marks = |step: &Step| [(*step, Mark::Intent), (*step, Mark::Done)];
        let steps = steps.iter().flat_map(marks);
        steps.flat_map(|(step, mark)| sentences(kind, step, mark)).copied().collect()
    }

    #[test]
    fn a_live_migration_is_told_in_zoneadms_sentences_and_their_order() {
        let steps = [Step::Reserve, Step::Prepare, Step::Transfer, Step::Switch, Step::Settle];
        assert_eq!(
            told(Kind::Live, &steps),
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
    fn nothing_is_said_of_a_cold_migration_that_only_a_live_one_does() {
        let steps = [Step::Reserve, Step::Attach, Step::Shutdown, Step::Boot, Step::Detach, Step::Settle];
        for kind in [Kind::Cold, Kind::Restart] {
            let told = told(kind, &steps);
            assert!(!told.iter().any(|text| text.contains("Suspending") || text.contains("migrating-in")));
            assert_eq!(told.iter().filter(|text| **text == SUCCESSFUL).count(), 1, "{told:?}");
        }
    }
}
