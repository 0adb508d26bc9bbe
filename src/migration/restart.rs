//! A zone that runs and is shut down for its move: a container, or a virtual machine that is to be restarted.
//!
//! ```text
//!   attach there ─► shut down here ─► boot there ─► detach here ─► settle
//!                          └── it cannot be booted there: boot here again, take back there
//! ```
//!
//! All is ready over there before the zone is shut down, and it stays here, whole, until it runs over there. A
//! shutdown cannot be called back: a move that is given up meanwhile waits for its end, and boots the zone here
//! again. A zone that does not heed is left running; nothing here ever ends a zone otherwise.

use tokio::sync::watch::Receiver;
use tokio::time::Instant;

use super::{LONG, Log, MoveError, Moved, SHORT, Task, cold, insist, not_boot_at_source, settle};
use crate::host::HostError;
use crate::model::{MoveLimits, Step, ZoneState};

pub(super) async fn migrate(
    task: &Task,
    log: &dyn Log,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<Moved, MoveError> {
    cold::attach(task, log).await?;
    let asked = Instant::now();
    if let Err(error) = shut_down(task, log, policy, abort).await {
        return Err(stay(task, error).await);
    }
    if let Err(error) = boot(task, log).await {
        return Err(stay(task, error).await);
    }
    let downtime = u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX);
    // It runs there: from here it only goes forward.
    log.done(Step::Boot).map_err(|reason| MoveError::unknown(Step::Boot, reason))?;
    detach(task, log).await?;
    settle(task, log).await?;
    Ok(Moved { bytes: task.arrival.manifest.config.len() as u64, downtime: Some(downtime) })
}

async fn shut_down(
    task: &Task,
    log: &dyn Log,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<(), MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Shutdown, reason);
    let because = |error: HostError| match error.is_no_answer() {
        true => MoveError::unknown(Step::Shutdown, format!("whether it is down is not known: {error}")),
        false => MoveError::because(Step::Shutdown, &error),
    };
    if *abort.borrow() {
        return Err(MoveError::Cancelled);
    }
    log.intent(Step::Shutdown).map_err(undone)?;
    not_boot_at_source(task, true).await.map_err(because)?;
    let (uuid, limit) = (task.arrival.manifest.zone.uuid, policy.shutdown);
    let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    insist(LONG, || task.from.shutdown(task.zone(), uuid, limit)).await.map_err(because)?;
    log.done(Step::Shutdown).map_err(undone)?;
    if *abort.borrow() { Err(MoveError::Cancelled) } else { Ok(()) }
}

/// Boots it over there, and looks whether it runs.
async fn boot(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let there = task.to.name();
    let unknown = |error: &HostError| {
        MoveError::unknown(Step::Boot, format!("whether it runs on {there} is not known: {error}"))
    };
    let uuid = task.arrival.manifest.zone.uuid;
    log.intent(Step::Boot).map_err(|reason| MoveError::undone(Step::Boot, reason))?;
    let booted = insist(LONG, || task.to.boot(task.zone(), uuid)).await;
    let cause = match booted {
        Err(error) if error.is_no_answer() => return Err(unknown(&error)),
        Err(error) => MoveError::because(Step::Boot, &error),
        Ok(_) => MoveError::undone(Step::Boot, format!("it was booted on {there} and has ended at once")),
    };
    // Whatever the answer was: what counts is whether it runs.
    let inventory = insist(SHORT, || task.to.inventory()).await.map_err(|error| unknown(&error))?;
    match inventory.zones.iter().find(|zone| zone.uuid == uuid) {
        Some(zone) if zone.state == ZoneState::Running => Ok(()),
        Some(zone) if zone.is_running() => {
            Err(MoveError::unknown(Step::Boot, format!("it was booted on {there} and is {} now", zone.state)))
        }
        _ => Err(cause),
    }
}

/// It runs over there: what is left here must not be booted any more.
async fn detach(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let unknown = |reason: String| {
        let [here, there] = [&task.from, &task.to].map(|host| host.name());
        MoveError::unknown(
            Step::Detach,
            format!("it runs on {there}, but its configuration on {here} could not be taken away: {reason}"),
        )
    };
    let uuid = task.arrival.manifest.zone.uuid;
    log.intent(Step::Detach).map_err(unknown)?;
    let detached = insist(SHORT, || task.from.detach(task.zone(), uuid, true)).await;
    detached.map_err(|error| unknown(error.to_string()))?;
    log.done(Step::Detach).map_err(unknown)
}

/// The zone does not run over there and will not: it runs here again, and what was brought there is taken back.
async fn stay(task: &Task, cause: MoveError) -> MoveError {
    if matches!(cause, MoveError::Unknown { .. }) {
        return cause;
    }
    let (uuid, here) = (task.arrival.manifest.zone.uuid, task.from.name());
    let unknown =
        |what: String| MoveError::unknown(cause.step().unwrap_or(Step::Shutdown), format!("{cause}; {what}"));
    let again = match insist(LONG, || task.from.boot(task.zone(), uuid)).await {
        Ok(again) => again,
        Err(error) => return unknown(format!("it could not be booted again on {here}: {error}")),
    };
    if let Err(error) = not_boot_at_source(task, false).await {
        return unknown(format!("it runs on {here}, but its autostart could not be set again: {error}"));
    }
    let cause = match cause {
        // Once is enough: it is not shut down a second time by the same run.
        MoveError::Undone { step, reason, .. } if again => {
            MoveError::undone(step, format!("{reason}; it was booted again on {here}"))
        }
        cause => cause,
    };
    cold::undo(task, cause).await
}
