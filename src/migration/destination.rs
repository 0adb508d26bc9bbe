//! The acts at the destination that all methods share: reserving room, and settling.

use super::attempt::Attempt;
use super::error::MoveError;
use super::insist::{SHORT, insist, soon};
use super::previous_config;
use super::task::{LEASE, Task};
use crate::model::Step;

/// Reserves room. Everything is checked again now: much may have happened since the move was planned.
pub(super) async fn reserve(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let task = attempt.task;
    let because = |error| MoveError::because(Step::Reserve, &error);
    attempt.replaces_config = task.to.reserve(task.request.clone(), LEASE).await.map_err(because)?;
    if attempt.replaces_config && !task.request.overwrite {
        attempt.log.finds_the_same();
    }
    Ok(())
}

/// Gives the reserved room back in any case, even if the zone has arrived: from then on the zone itself takes it.
/// A host that cannot be reached drops the reservation when its lease ends.
pub(super) async fn release(attempt: &Attempt<'_>, result: Result<(), MoveError>) -> Result<(), MoveError> {
    let (task, zone, uuid) = (attempt.task, attempt.task.name(), attempt.task.uuid());
    match result {
        Err(MoveError::Unknown { .. } | MoveError::Leftover { .. }) => {
            // The configuration that the zone replaces is needed until it is certain whether the zone has arrived.
            soon(task.to.renew(zone, uuid, 0)).await;
            result
        }
        result => {
            soon(task.to.release(zone, uuid)).await;
            match result {
                Err(error) if attempt.replaces_config => Err(previous_config::is_kept(task, error).await),
                result => result,
            }
        }
    }
}

/// After the point of no return: an error is reported, and the zone has moved all the same. If the zone was
/// undefined at its destination while it was arriving, it runs there, but would vanish at its end: so it is
/// defined again.
pub(super) async fn settle(task: &Task) -> Result<(), MoveError> {
    let unknown = |reason: String| MoveError::unknown(Step::Settle, reason);
    let kept = insist(SHORT, || task.to.keep(task.request.manifest.clone())).await;
    kept.map_err(|error| {
        unknown(format!("it has moved, but whether it is kept there is not known: {error}"))
    })?;
    if task.zone.autostart && task.zone.persistent {
        let set = task.to.set_autostart(task.name(), true).await;
        set.map_err(|error| unknown(format!("it has moved, but its autostart could not be set: {error}")))?;
    }
    Ok(())
}
