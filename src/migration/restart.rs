//! The acts for a zone that is shut down for its move: a container, or a virtual machine that is to be restarted.
//!
//! The destination is completely prepared before the zone is shut down, and the zone stays defined here until it
//! runs there. A shutdown cannot be taken back: if the move is given up meanwhile, it waits for the end of the
//! zone, and boots it here again. A zone that does not shut down is left running; it is never ended in any other
//! way.

use tokio::time::Instant;

use super::attempt::{Attempt, set_autostart_at_source};
use super::error::MoveError;
use super::insist::{LONG, SHORT, insist};
use super::task::Task;
use crate::host::HostError;
use crate::model::{Step, ZoneState};

/// Shuts the zone down at the source.
pub(super) async fn shut_down(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let because = |error: HostError| match error.is_no_answer() {
        true => MoveError::unknown(Step::Shutdown, format!("whether it is down is not known: {error}")),
        false => MoveError::because(Step::Shutdown, &error),
    };
    let task = attempt.task;
    attempt.shutdown = Some(Instant::now());
    set_autostart_at_source(task, false).await.map_err(because)?;
    let limit = u64::try_from(attempt.limits.shutdown.as_millis()).unwrap_or(u64::MAX);
    insist(LONG, || task.from.shutdown(task.name(), task.uuid(), limit)).await.map_err(because)
}

/// Boots the zone at the destination, and checks that it runs.
pub(super) async fn boot(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let (task, there) = (attempt.task, attempt.task.to.name());
    let unknown = |error: &HostError| {
        MoveError::unknown(Step::Boot, format!("whether it runs on {there} is not known: {error}"))
    };
    let uuid = task.uuid();
    let booted = insist(LONG, || task.to.boot(task.name(), uuid)).await;
    let cause = match booted {
        Err(error) if error.is_no_answer() => return Err(unknown(&error)),
        Err(error) => MoveError::because(Step::Boot, &error),
        Ok(_) => MoveError::undone(Step::Boot, format!("it was booted on {there} and has ended at once")),
    };
    // Whatever the answer: what counts is whether the zone runs.
    let inventory = insist(SHORT, || task.to.inventory()).await.map_err(|error| unknown(&error))?;
    match inventory.zones.iter().find(|zone| zone.uuid == uuid) {
        Some(zone) if zone.state == ZoneState::Running => {
            let downtime = attempt.shutdown.map(|asked| asked.elapsed().as_millis());
            attempt.moved.downtime = downtime.map(|downtime| u64::try_from(downtime).unwrap_or(u64::MAX));
            Ok(())
        }
        Some(zone) if zone.is_running() => {
            Err(MoveError::unknown(Step::Boot, format!("it was booted on {there} and is {} now", zone.state)))
        }
        _ => Err(cause),
    }
}

/// The zone runs at the destination: it must not be booted at the source any more.
pub(super) async fn detach(task: &Task) -> Result<(), MoveError> {
    let detached = insist(SHORT, || task.from.detach(task.name(), task.uuid(), true)).await;
    detached.map_err(|error| {
        let [here, there] = [&task.from, &task.to].map(|host| host.name());
        let text =
            format!("it runs on {there}, but its configuration on {here} could not be taken away: {error}");
        MoveError::unknown(Step::Detach, text)
    })
}

/// The zone does not run at the destination and will not: boot it at the source again.
pub(super) async fn boot_at_source(task: &Task, cause: MoveError) -> MoveError {
    let (uuid, here) = (task.uuid(), task.from.name());
    let unknown =
        |what: String| MoveError::unknown(cause.step().unwrap_or(Step::Shutdown), format!("{cause}; {what}"));
    let again = match insist(LONG, || task.from.boot(task.name(), uuid)).await {
        Ok(again) => again,
        Err(error) => return unknown(format!("it could not be booted again on {here}: {error}")),
    };
    if let Err(error) = set_autostart_at_source(task, true).await {
        return unknown(format!("it runs on {here}, but its autostart could not be set again: {error}"));
    }
    match cause {
        // Once is enough: the same run does not shut it down a second time.
        MoveError::Undone { step, reason, .. } if again => {
            MoveError::undone(step, format!("{reason}; it was booted again on {here}"))
        }
        cause => cause,
    }
}
