//! The destination already has a configuration of this zone; it is reused if equal, replaced with -w. The
//! destination saves it when room is reserved, and has it as `configured` if the zone does not stay.

use super::error::MoveError;
use super::insist::{SHORT, insist};
use super::task::Task;
use crate::host::HostError;
use crate::model::Step;

/// Whether the destination has one, and accepts that it is replaced.
///
/// # Errors
/// If that could not be found out.
pub async fn is_there(task: &Task) -> Result<bool, HostError> {
    let uuid = task.zone.uuid;
    let inventory = insist(SHORT, || task.to.inventory()).await?;
    Ok(inventory.zones.iter().any(|zone| zone.uuid == uuid))
}

/// Adds to the error of a move that was undone where that configuration is now. The move is not tried again: the next
/// attempt would find no configuration there, and could not report it.
pub(super) async fn is_kept(task: &Task, cause: MoveError) -> MoveError {
    // It was not touched, or that is not known.
    if !matches!(is_there(task).await, Ok(false)) {
        return cause;
    }
    let (zone, there) = (task.name(), task.to.name());
    let kept = format!(
        "the configuration that {there} had of it is kept there as configured: 'sysadm zone attach {zone}' puts it back"
    );
    match cause {
        MoveError::Undone { step, reason, .. } => MoveError::undone(step, format!("{reason}; {kept}")),
        MoveError::Cancelled => {
            MoveError::undone(Step::Transfer, format!("cancelled; it stays where it was; {kept}"))
        }
        cause => cause,
    }
}
