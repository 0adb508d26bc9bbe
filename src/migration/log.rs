//! Who writes down what a procedure does.

use crate::model::{Message, Progress, Step};

/// The journal of one procedure, and what watches it.
pub trait Log: Send + Sync {
    /// The step is about to be done. Durable when this returns.
    ///
    /// # Errors
    /// If it could not be written: the step is not begun then.
    fn intent(&self, step: Step) -> Result<(), Message>;
    /// The step was done.
    ///
    /// # Errors
    /// If it could not be written.
    fn done(&self, step: Step) -> Result<(), Message>;
    /// The step, or its undoing, has failed. For people: nothing is decided from it.
    fn failed(&self, step: Step, reason: &str);
    /// The step was undone. For people, too.
    fn undone(&self, step: Step);
    /// How far the transfer is.
    fn progress(&self, progress: Progress);
    /// The destination has the same configuration of the zone already.
    fn finds_the_same(&self);
}
