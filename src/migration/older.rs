//! A zone that comes over an older configuration of itself, because it was told to. Its destination has kept that since
//! room was booked there, and has it as `configured` if the zone does not stay.

use super::{MoveError, SHORT, Task, insist};
use crate::host::HostError;
use crate::model::Step;

/// Whether there is one that it may overwrite.
pub(super) async fn is_there(task: &Task) -> Result<bool, HostError> {
    Ok(task.arrival.overwrite && has_the_zone(task).await?)
}

async fn has_the_zone(task: &Task) -> Result<bool, HostError> {
    let uuid = task.arrival.manifest.zone.uuid;
    let inventory = insist(SHORT, || task.to.inventory()).await?;
    Ok(inventory.zones.iter().any(|zone| zone.uuid == uuid))
}

/// A move that was undone, with where the older configuration is now. It is not tried again: the next attempt would find
/// nothing to overwrite, and say nothing of it.
pub(super) async fn is_kept(task: &Task, cause: MoveError) -> MoveError {
    // It was not touched, or nobody can tell.
    if !matches!(has_the_zone(task).await, Ok(false)) {
        return cause;
    }
    let (zone, there) = (task.zone(), task.to.name());
    let kept = format!(
        "its older configuration on {there} is kept there as configured: 'sysadm zone attach {zone}' there puts it back"
    );
    match cause {
        MoveError::Undone { step, reason, .. } => MoveError::undone(step, format!("{reason}; {kept}")),
        MoveError::Cancelled => {
            MoveError::undone(Step::Transfer, format!("cancelled; it stays where it was; {kept}"))
        }
        cause => cause,
    }
}
