//! The acts of a zone that does not run, on storage that both hosts see: its configuration goes over.

use super::attempt::Attempt;
use super::error::MoveError;
use super::insist::{SHORT, insist};
use super::task::Task;
use crate::host::HostError;
use crate::model::Step;

/// Gives the configuration to the destination.
pub(super) async fn attach(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let attached = attempt.task.to.attach(attempt.task.request.manifest.clone()).await;
    // What failed otherwise may have been done all the same.
    attempt.is_attached = !matches!(attached, Err(HostError::Refused { .. }));
    attached.map_err(|error| MoveError::because(Step::Attach, &error))
}

/// Takes the configuration from the source.
pub(super) async fn detach(task: &Task) -> Result<(), MoveError> {
    let unknown = |reason: String| MoveError::unknown(Step::Detach, reason);
    let uuid = task.uuid();
    let Err(error) = insist(SHORT, || task.from.detach(task.name(), uuid, true)).await else { return Ok(()) };
    if error.is_no_answer() {
        // It may yet be carried out, after the zone was seen there and taken back from the destination.
        return Err(unknown(error.to_string()));
    }
    // Whatever it says: what counts is whether the zone is still there. Taking it back from the destination
    // when it is not would lose it.
    let inventory = insist(SHORT, || task.from.inventory()).await;
    let inventory = inventory.map_err(|also| unknown(format!("{error}; {also}")))?;
    match inventory.zones.iter().any(|zone| zone.uuid == uuid) {
        true => Err(MoveError::because(Step::Detach, &error)),
        false => Ok(()),
    }
}

/// Takes the configuration back from the destination. The source is known to have it.
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
