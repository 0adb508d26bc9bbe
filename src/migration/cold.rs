//! A zone that does not run, on storage that both hosts see: its configuration goes over.

use super::{Log, MoveError, Moved, Task, insist, settle};
use crate::model::Step;

pub(super) async fn migrate(task: &Task, log: &dyn Log) -> Result<Moved, MoveError> {
    attach(task, log).await?;
    if let Err(error) = detach(task, log).await {
        return Err(undo(task, error).await);
    }
    settle(task, log).await?;
    Ok(Moved { bytes: task.arrival.manifest.config.len() as u64, downtime: None })
}

async fn attach(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Attach, reason);
    log.intent(Step::Attach).map_err(undone)?;
    match task.to.attach(task.arrival.manifest.clone()).await {
        Ok(()) => log.done(Step::Attach).map_err(undone),
        // It may have been taken there all the same: that is found out, and undone.
        Err(error) if error.is_no_answer() => Err(undo(task, MoveError::undone(Step::Attach, error)).await),
        Err(error) => Err(undone(error.to_string())),
    }
}

/// From here the zone belongs to the destination.
async fn detach(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Detach, reason);
    let uuid = task.arrival.manifest.zone.uuid;
    log.intent(Step::Detach).map_err(undone)?;
    insist(|| task.from.detach(task.zone(), uuid)).await.map_err(|error| {
        if error.is_no_answer() { MoveError::unknown(Step::Detach, error) } else { undone(error.to_string()) }
    })?;
    log.done(Step::Detach).map_err(|reason| MoveError::unknown(Step::Detach, reason))
}

/// Takes the configuration back from the destination.
async fn undo(task: &Task, cause: MoveError) -> MoveError {
    if matches!(cause, MoveError::Unknown { .. }) {
        return cause;
    }
    let uuid = task.arrival.manifest.zone.uuid;
    match insist(|| task.to.detach(task.zone(), uuid)).await {
        Ok(()) => cause,
        Err(error) => MoveError::unknown(
            Step::Attach,
            format!(
                "{cause}; it stays on {}, but its configuration there could not be taken back: {error}",
                task.from.name()
            ),
        ),
    }
}
