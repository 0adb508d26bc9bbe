//! Receives what a procedure does.

use crate::model::{Progress, Step};

/// The journal of one procedure, and whoever follows it.
pub trait Log: Send + Sync {
    /// The step is about to begin. Durable when this returns.
    ///
    /// # Errors
    /// If it could not be written: then the step must not begin.
    fn intent(&self, step: Step) -> Result<(), String>;
    /// The step was done.
    fn done(&self, step: Step) -> Result<(), String>;
    /// The step, or its undoing, has failed. Only for people: nothing is decided by it.
    fn failed(&self, step: Step, reason: &str);
    /// The step was undone. Only for people, too.
    fn undone(&self, step: Step);
    /// The progress of the transfer.
    fn progress(&self, progress: Progress);
    /// The destination has the same configuration of the zone already.
    fn finds_the_same(&self);
}
