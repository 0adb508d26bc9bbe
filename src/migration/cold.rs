//! The acts for a zone that does not run, on storage that both hosts see: only its configuration moves.

use super::attempt::Attempt;
use super::error::MoveError;
use super::insist::{SHORT, insist};
use super::task::Task;
use crate::host::HostError;
use crate::model::Step;

/// Defines the zone at the destination.
pub(super) async fn attach(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let attached = attempt.task.to.attach(attempt.task.request.manifest.clone()).await;
    // After any other error it may have been done all the same.
    attempt.is_attached = !matches!(attached, Err(HostError::Refused { .. }));
    attached.map_err(|error| MoveError::because(Step::Attach, &error))
}

/// Undefines the zone at the source.
pub(super) async fn detach(task: &Task) -> Result<(), MoveError> {
    let unknown = |reason: String| MoveError::unknown(Step::Detach, reason);
    let uuid = task.uuid();
    let Err(error) = insist(SHORT, || task.from.detach(task.name(), uuid, true)).await else { return Ok(()) };
    if error.is_no_answer() {
        // The request may yet be carried out, after the zone was seen there and undefined at the destination.
        return Err(unknown(error.to_string()));
    }
    // Whatever the answer: what counts is whether the zone is still there. If it is not, to undefine it at the
    // destination would lose it.
    let inventory = insist(SHORT, || task.from.inventory()).await;
    let inventory = inventory.map_err(|also| unknown(format!("{error}; {also}")))?;
    match inventory.zones.iter().any(|zone| zone.uuid == uuid) {
        true => Err(MoveError::because(Step::Detach, &error)),
        false => Ok(()),
    }
}

/// Undefines the zone at the destination. The source is known to have it.
pub(super) async fn undefine(attempt: &Attempt<'_>, cause: MoveError) -> MoveError {
    let (task, uuid) = (attempt.task, attempt.task.uuid());
    if !attempt.is_attached {
        return cause;
    }
    match insist(SHORT, || task.to.detach(task.name(), uuid, false)).await {
        Ok(()) => cause,
        Err(error) => MoveError::unknown(
            Step::Attach,
            format!(
                "{cause}; it stays on {}, but its configuration on {} could not be taken back: {error}",
                task.from.name(),
                task.to.name()
            ),
        ),
    }
}
