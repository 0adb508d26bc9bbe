//! A zone that does not run, on storage that both hosts see: its configuration goes over.

use super::{Log, MoveError, Moved, SHORT, Task, insist, settle};
use crate::host::HostError;
use crate::model::Step;

pub(super) async fn migrate(task: &Task, log: &dyn Log) -> Result<Moved, MoveError> {
    attach(task, log).await?;
    detach(task, log).await?;
    settle(task, log).await?;
    Ok(Moved { bytes: task.arrival.manifest.config.len() as u64, downtime: None })
}

pub(super) async fn attach(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Attach, reason);
    log.intent(Step::Attach).map_err(undone)?;
    match task.to.attach(task.arrival.manifest.clone()).await {
        Ok(()) => match log.done(Step::Attach) {
            Ok(()) => Ok(()),
            Err(reason) => Err(undo(task, undone(reason)).await),
        },
        Err(error @ HostError::Refused { .. }) => Err(MoveError::because(Step::Attach, &error)),
        // It may have been taken there all the same: then it is taken back. What it came over is kept there.
        Err(error) => Err(undo(task, MoveError::because(Step::Attach, &error)).await),
    }
}

/// From here the zone belongs to the destination.
async fn detach(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let unknown = |reason: String| MoveError::unknown(Step::Detach, reason);
    let uuid = task.arrival.manifest.zone.uuid;
    if let Err(reason) = log.intent(Step::Detach) {
        return Err(undo(task, MoveError::undone(Step::Detach, reason)).await);
    }
    if let Err(error) = insist(SHORT, || task.from.detach(task.zone(), uuid, true)).await {
        if error.is_no_answer() {
            // It may yet be carried out, after the zone was seen there and taken back from the destination.
            return Err(unknown(error.to_string()));
        }
        // Whatever it says: what counts is whether the zone is still there. Taking it back from the destination
        // when it is not would lose it.
        let inventory = insist(SHORT, || task.from.inventory()).await;
        let inventory = inventory.map_err(|also| unknown(format!("{error}; {also}")))?;
        if inventory.zones.iter().any(|zone| zone.uuid == uuid) {
            return Err(undo(task, MoveError::because(Step::Detach, &error)).await);
        }
    }
    log.done(Step::Detach).map_err(unknown)
}

/// Takes the configuration back from the destination. The source is known to have it.
pub(super) async fn undo(task: &Task, cause: MoveError) -> MoveError {
    let uuid = task.arrival.manifest.zone.uuid;
    match insist(SHORT, || task.to.detach(task.zone(), uuid, false)).await {
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
