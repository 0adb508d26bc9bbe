//! Carries out a procedure.
//!
//! ```text
//!   intent ─► act ─► done ─► intent ─► act ─► done ─► ...
//!              │ fails                              from a step that is not reversible: only forward
//!              └─► undo what was begun, backwards
//! ```
//!
//! The intent is durable before the act. After a failure before the point of no return every step that was begun
//! is undone, the last one first; a failure after it, or one that leaves unknown where the zone is, is left to
//! [`super::recovery`]. What was opened or reserved is given back in any case.

use tokio::sync::watch::Receiver;

use super::error::MoveError;
use super::log::Log;
use super::steps::{Procedure, Running, StepSpec, Undo};
use crate::model::Step;

/// The acts of a procedure.
#[async_trait::async_trait]
pub trait Acts: Send {
    /// Does a step.
    ///
    /// # Errors
    /// [`MoveError::Undone`] if the zone is as it was before this step.
    async fn act(&mut self, step: Step) -> Result<(), MoveError>;

    /// Undoes a step that was begun, or cleans up after it; returns the new result of the procedure.
    ///
    /// # Errors
    /// The given one, or that the step could not be undone.
    async fn undo(&mut self, undo: Undo, result: Result<(), MoveError>) -> Result<(), MoveError>;
}

/// Carries out all steps of a procedure, or undoes those that were begun. If `abort` becomes true it is given up,
/// while it can still be undone.
///
/// # Errors
/// [`MoveError`] says whether the zone is as it was.
pub async fn run(
    procedure: Procedure,
    acts: &mut dyn Acts,
    log: &dyn Log,
    abort: &Receiver<bool>,
) -> Result<(), MoveError> {
    let mut begun = Vec::new();
    let result = go_forward(procedure.steps(), &mut begun, acts, log, abort).await;
    let result = go_back(&begun, acts, log, result).await;
    if let Err(error) = &result {
        let last = begun.last().or(procedure.steps().first()).map(|spec| spec.step);
        if let Some(step) = error.step().or(last) {
            log.failed(step, &error.to_string());
        }
    }
    result
}

async fn go_forward(
    steps: &'static [StepSpec],
    begun: &mut Vec<StepSpec>,
    acts: &mut dyn Acts,
    log: &dyn Log,
    abort: &Receiver<bool>,
) -> Result<(), MoveError> {
    let mut is_committed = false;
    let mut unwritten = None;
    for (number, spec) in steps.iter().enumerate() {
        let failed = |is_committed, reason| match is_committed {
            true => MoveError::unknown(spec.step, reason),
            false => MoveError::undone(spec.step, reason),
        };
        let is_cleanup = spec.undo.is_some_and(Undo::is_cleanup);
        if is_cleanup {
            // Room may have been reserved before the procedure began.
            begun.push(*spec);
        }
        if !is_committed && *abort.borrow() {
            return Err(MoveError::Cancelled);
        }
        // A zone that is stopped must not wait for the journal. Nor does an entry that cannot be written (a full
        // disk) keep it stopped: there is no way back, and after a crash both hosts are asked.
        match log.intent(spec.step) {
            Err(reason) if spec.running_during != Running::Held => return Err(failed(is_committed, reason)),
            _ => {}
        }
        let acted = if is_cleanup {
            // The zone has not been touched yet.
            unless(abort, acts.act(spec.step)).await
        } else {
            begun.push(*spec);
            acts.act(spec.step).await
        };
        acted.map_err(|error| if is_committed { error.into_unknown(spec.step) } else { error })?;
        is_committed |= !spec.is_reversible;
        if steps.get(number + 1).is_some_and(|next| next.running_during == Running::Held) {
            unwritten = Some(spec.step);
            continue;
        }
        if let Some(step) = unwritten.take() {
            let _ = log.done(step);
        }
        log.done(spec.step).map_err(|reason| failed(is_committed, reason))?;
    }
    Ok(())
}

async fn go_back(
    begun: &[StepSpec],
    acts: &mut dyn Acts,
    log: &dyn Log,
    mut result: Result<(), MoveError>,
) -> Result<(), MoveError> {
    for spec in begun.iter().rev() {
        let Some(undo) = spec.undo else { continue };
        let is_undoing = |result: &Result<(), MoveError>| result.as_ref().is_err_and(MoveError::is_undoable);
        if undo.is_cleanup() || is_undoing(&result) {
            let was_undoing = is_undoing(&result);
            result = acts.undo(undo, result).await;
            if was_undoing && is_undoing(&result) {
                log.undone(spec.step);
            }
        }
    }
    result
}

/// Does work that may be abandoned at any moment.
pub(super) async fn unless(
    abort: &Receiver<bool>,
    work: impl Future<Output = Result<(), MoveError>>,
) -> Result<(), MoveError> {
    tokio::select! {
        biased;
        result = work => result,
        () = aborted(abort.clone()) => Err(MoveError::Cancelled),
    }
}

/// Waits until the procedure is to be given up.
pub(super) async fn aborted(mut abort: Receiver<bool>) {
    if abort.wait_for(|abort| *abort).await.is_err() {
        // The sender is gone, so this will never happen.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests;
