//! The acts for a zone that keeps running while its memory is sent.
//!
//! The zone is resumed at the destination only when it is known to have stopped for good at the source; see
//! [`crate::platform::LiveMigration::send`]. If that answer does not arrive, the zone is started nowhere.

use std::time::{Duration, Instant};

use super::attempt::{Attempt, set_autostart_at_source};
use super::destination;
use super::error::MoveError;
use super::insist::{LONG, SHORT, insist, soon};
use super::runner::aborted;
use super::streams::Streams;
use super::task::Task;
use super::watch::watch;
use crate::host::HostError;
use crate::model::{Aux, Sent, Step};

/// How long to wait for the end of a transfer that was cancelled.
const END: Duration = Duration::from_secs(30);

/// Prepares the destination, and sets up the streams.
pub(super) async fn prepare(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let task = attempt.task;
    let open = task.to.open_incoming(task.request.manifest.clone(), attempt.token.clone());
    let (opened, streams) = futures_util::future::join(open, Streams::lay(task, &attempt.token)).await;
    let because = |error: HostError| MoveError::because(Step::Prepare, &error);
    opened.map_err(because)?;
    attempt.streams = Some(streams.map_err(because)?);
    Ok(())
}

/// Closes the sockets at the destination.
pub(super) async fn close(attempt: &Attempt<'_>) {
    soon(attempt.task.to.close_incoming(attempt.token.clone())).await;
}

/// Sends the memory.
pub(super) async fn transfer(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let task = attempt.task;
    let because = |error: &HostError| MoveError::because(Step::Transfer, error);
    let Some(streams) = &attempt.streams else {
        return Err(MoveError::undone(Step::Transfer, "its streams are not laid"));
    };
    set_autostart_at_source(task, false).await.map_err(|error| because(&error))?;
    attempt.is_sent = true;
    let (zone, mappings) = (task.zone.clone(), task.request.mappings.clone());
    let send = task.from.send(zone, attempt.token.clone(), mappings);
    tokio::pin!(send);
    let ended = tokio::select! {
        result = &mut send => Ok(result),
        why = watch(task, attempt.log, streams, attempt.limits) => Err(why),
        () = aborted(attempt.abort.clone()) => Err(MoveError::Cancelled),
    };
    let (result, why) = match ended {
        Ok(result) => (result, None),
        Err(why) => match give_up(task, send).await {
            Some(result) => (result, Some(why)),
            None => {
                let (host, limit) = (task.from.name(), END.as_secs());
                let text = format!("{why}; {host} does not say within {limit} s that it has ended");
                return Err(MoveError::unknown(Step::Transfer, text));
            }
        },
    };
    match result {
        Ok(sent) => {
            attempt.sent = Some((sent, Instant::now()));
            Ok(())
        }
        Err(error) => {
            attempt.is_given_up = why.is_some();
            Err(why.unwrap_or_else(|| because(&streams.trouble().unwrap_or(error))))
        }
    }
}

/// Cancels the transfer, and waits for its end. The answer to `send` says whether that was in time.
async fn give_up(
    task: &Task,
    send: impl Future<Output = Result<Sent, HostError>>,
) -> Option<Result<Sent, HostError>> {
    let asking = async {
        let _ = insist(SHORT, || task.from.abort(task.name())).await;
        std::future::pending().await
    };
    let ended = async {
        tokio::select! {
            result = send => result,
            never = asking => never,
        }
    };
    tokio::time::timeout(END, ended).await.ok()
}

/// After a failed transfer: the zone must run at the source, and the image at the destination must go.
async fn destroy_image(task: &Task, cause: MoveError, is_given_up: bool) -> MoveError {
    let (zone, uuid) = (task.name(), task.uuid());
    let there = task.from.name();
    let unknown = |what: String| MoveError::unknown(Step::Transfer, format!("{cause}; {what}"));
    // While the source still sends, the zone runs there, which proves nothing: the image may yet become the zone.
    match insist(SHORT, || task.from.wait_sent(zone.clone())).await {
        Err(error) if error.is_no_answer() => {
            return unknown(format!("whether it still leaves {there} is not known: {error}"));
        }
        _ => {}
    }
    let inventory = match insist(SHORT, || task.from.inventory()).await {
        Ok(inventory) => inventory,
        Err(error) => return unknown(format!("whether it runs on {there} is not known: {error}")),
    };
    let Some(found) = inventory.find(&zone).filter(|zone| zone.uuid == uuid && zone.is_running()) else {
        return unknown(format!("it does not run on {there} any more"));
    };
    if found.aux == Some(Aux::Paused) && task.zone.aux != Some(Aux::Paused) {
        return unknown(format!("it is held on {there}"));
    }
    // The zone runs at the source, so an image at the destination is a copy that must never run.
    if let Err(error) = insist(SHORT, || task.to.destroy_incoming(zone.clone(), uuid)).await {
        let reason = format!(
            "{cause}; it goes on running on {there}; a held copy may be left at its destination, which never runs by itself: {error}"
        );
        return MoveError::Leftover { step: Step::Transfer, reason };
    }
    match cause {
        MoveError::Undone { step, reason, .. } if is_given_up => {
            MoveError::undone(step, format!("{reason}; it goes on running on {there}"))
        }
        cause => cause,
    }
}

/// The zone stays where it was, as it was.
pub(super) async fn stay(attempt: &Attempt<'_>, cause: MoveError) -> MoveError {
    let error = match attempt.is_sent {
        true => destroy_image(attempt.task, cause, attempt.is_given_up).await,
        false => cause,
    };
    if matches!(error, MoveError::Unknown { .. }) {
        return error;
    }
    match set_autostart_at_source(attempt.task, true).await {
        Ok(()) => error,
        Err(also) => {
            let text =
                format!("{error}; it stays where it was, but its autostart could not be set again: {also}");
            MoveError::unknown(Step::Transfer, text)
        }
    }
}

/// Resumes the zone at its destination. It is stopped for good at the source; from here it only goes forward.
pub(super) async fn switch(attempt: &mut Attempt<'_>) -> Result<(), MoveError> {
    let task = attempt.task;
    let zone = &task.zone;
    let unknown = |reason: String| MoveError::unknown(Step::Switch, reason);
    // A zone that its owner has paused stays paused.
    if zone.aux != Some(Aux::Paused) {
        let resumed = insist(LONG, || task.to.resume(task.name(), zone.uuid)).await;
        resumed.map_err(|error| unknown(format!("it is held on {}: {error}", task.to.name())))?;
    }
    let crossed = attempt.streams.as_ref().map_or(0, Streams::bytes);
    if let Some((sent, at)) = attempt.sent {
        let waited = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
        attempt.moved.downtime = Some(sent.stopped_for.saturating_add(waited));
        attempt.moved.bytes = crossed.max(sent.bytes);
    }
    Ok(())
}

/// The source cleans up what is left of the zone, and the destination defines it.
pub(super) async fn settle(task: &Task) -> Result<(), MoveError> {
    if let Err(error) = task.from.wait_sent(task.name()).await {
        // The hypervisor reports an error, but the zone runs at the destination: it must not be booted here again.
        let detached = insist(SHORT, || task.from.detach(task.name(), task.uuid(), true)).await;
        detached.map_err(|also| {
            let text = format!("it has moved, but {} says: {error}; {also}", task.from.name());
            MoveError::unknown(Step::Settle, text)
        })?;
    }
    destination::settle(task).await
}
