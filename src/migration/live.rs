//! A zone that runs: its memory goes over while it goes on running.
//!
//! The zone is let run at the destination only when it is known to be stopped for good at the source; see
//! [`crate::platform::Platform::send`]. If the answer to that does not arrive, nothing is started anywhere.

use std::time::{Duration, Instant};

use tokio::sync::watch::Receiver;

use super::streams::Streams;
use super::watch::watch;
use super::{
    LONG, Log, MoveError, Moved, SHORT, Task, asked, insist, not_boot_at_source, settle, soon, unless,
};
use crate::host::HostError;
use crate::model::{Aux, MoveLimits, Step};
use crate::model::{Sent, Token};

/// How long the end of a transfer is waited for that was asked to end.
const END: Duration = Duration::from_secs(30);

pub(super) async fn migrate(
    task: &Task,
    log: &dyn Log,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<Moved, MoveError> {
    let token = Token::random();
    let result = match unless(&abort, prepare(task, log, &token)).await {
        Ok(streams) => sent_and_switched(task, log, &token, &streams, policy, abort).await,
        Err(error) => Err(error),
    };
    soon(task.to.close_incoming(token)).await;
    result
}

async fn sent_and_switched(
    task: &Task,
    log: &dyn Log,
    token: &Token,
    streams: &Streams,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<Moved, MoveError> {
    let error = match not_boot_at_source(task, true).await {
        Ok(()) => match transfer(task, log, token, streams, policy, abort).await {
            Ok((sent, at)) => return switch(task, log, streams, sent, at).await,
            Err(error) => error,
        },
        Err(error) => MoveError::because(Step::Prepare, &error),
    };
    if matches!(error, MoveError::Unknown { .. }) {
        return Err(error);
    }
    // It stays where it was, as it was.
    not_boot_at_source(task, false).await.map_err(|also| {
        let text =
            format!("{error}; it stays where it was, but its autostart could not be set again: {also}");
        MoveError::unknown(Step::Transfer, text)
    })?;
    Err(error)
}

async fn prepare(task: &Task, log: &dyn Log, token: &Token) -> Result<Streams, MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Prepare, reason);
    log.intent(Step::Prepare).map_err(undone)?;
    let open = task.to.open_incoming(task.arrival.manifest.clone(), token.clone());
    let (opened, streams) = futures_util::future::join(open, Streams::lay(task, token)).await;
    let because = |error: HostError| MoveError::because(Step::Prepare, &error);
    opened.map_err(because)?;
    let streams = streams.map_err(because)?;
    log.done(Step::Prepare).map_err(undone)?;
    Ok(streams)
}

/// Sends the memory. Gives what the source said at its end, and when it said so.
async fn transfer(
    task: &Task,
    log: &dyn Log,
    token: &Token,
    streams: &Streams,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<(Sent, Instant), MoveError> {
    log.intent(Step::Transfer).map_err(|reason| MoveError::undone(Step::Transfer, reason))?;
    let send =
        task.from.send(task.arrival.manifest.zone.clone(), token.clone(), task.arrival.mappings.clone());
    tokio::pin!(send);
    let ended = tokio::select! {
        result = &mut send => Ok(result),
        why = watch(task, log, streams, policy) => Err(why),
        () = asked(abort) => Err(MoveError::Cancelled),
    };
    let (result, why) = match ended {
        Ok(result) => (result, None),
        Err(why) => match give_up(task, send).await {
            Some(result) => (result, Some(why)),
            None => {
                return Err(MoveError::unknown(
                    Step::Transfer,
                    format!(
                        "{why}; {} does not say within {} s that it has ended",
                        task.from.name(),
                        END.as_secs()
                    ),
                ));
            }
        },
    };
    match result {
        Ok(sent) => Ok((sent, Instant::now())),
        Err(error) => {
            let cause = || MoveError::because(Step::Transfer, &streams.trouble().unwrap_or(error));
            let given_up = why.is_some();
            Err(undo(task, why.unwrap_or_else(cause), given_up).await)
        }
    }
}

/// Asks for an end of what is being sent, and waits for it. The answer to `send` says whether that was in time.
async fn give_up(
    task: &Task,
    send: impl Future<Output = Result<Sent, HostError>>,
) -> Option<Result<Sent, HostError>> {
    let asking = async {
        let _ = insist(SHORT, || task.from.abort(task.zone())).await;
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

/// After a transfer that failed: the zone must run at the source, and the image at the destination go.
async fn undo(task: &Task, cause: MoveError, given_up: bool) -> MoveError {
    let (zone, uuid) = (task.zone(), task.arrival.manifest.zone.uuid);
    let there = task.from.name();
    let unknown = |what: String| MoveError::unknown(Step::Transfer, format!("{cause}; {what}"));
    // While the source still sends, its zone runs and says nothing: the image there may yet become the zone.
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
    if found.aux == Some(Aux::Paused) && task.arrival.manifest.zone.aux != Some(Aux::Paused) {
        return unknown(format!("it is held on {there}"));
    }
    // It runs at the source, so an image at the destination is a copy that must never run.
    if let Err(error) = insist(SHORT, || task.to.destroy_incoming(zone.clone(), uuid)).await {
        let reason = format!(
            "{cause}; it goes on running on {there}; a held copy may be left at its destination, which never runs by itself: {error}"
        );
        return MoveError::Leftover { step: Step::Transfer, reason };
    }
    match cause {
        MoveError::Undone { step, reason, .. } if given_up => {
            MoveError::undone(step, format!("{reason}; it goes on running on {there}"))
        }
        cause => cause,
    }
}

/// Lets the zone run at its destination. It is stopped for good at the source; from here it only goes forward.
async fn switch(
    task: &Task,
    log: &dyn Log,
    streams: &Streams,
    sent: Sent,
    at: Instant,
) -> Result<Moved, MoveError> {
    let zone = &task.arrival.manifest.zone;
    let unknown = |reason: String| MoveError::unknown(Step::Switch, reason);
    // The zone stands still: that the transfer is done is written when it runs again. An entry that cannot be
    // written (a full disk) does not keep it standing: there is no way but forward, and after a crash both hosts
    // are asked.
    let _ = log.intent(Step::Switch);
    // One that its owner has paused stays so.
    if zone.aux != Some(Aux::Paused) {
        let resumed = insist(LONG, || task.to.resume(task.zone(), zone.uuid)).await;
        resumed.map_err(|error| unknown(format!("it is held on {}: {error}", task.to.name())))?;
    }
    let waited = u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX);
    let downtime = sent.stopped_for.saturating_add(waited);
    let _ = log.done(Step::Transfer);
    log.done(Step::Switch).map_err(unknown)?;
    if let Err(error) = task.from.wait_sent(task.zone()).await {
        // Its hypervisor complains, but the zone runs over there: what is left here must not be booted again.
        let detached = insist(SHORT, || task.from.detach(task.zone(), zone.uuid, true)).await;
        detached.map_err(|also| {
            MoveError::unknown(
                Step::Settle,
                format!("it has moved, but {} says: {error}; {also}", task.from.name()),
            )
        })?;
    }
    settle(task, log).await?;
    Ok(Moved { bytes: streams.bytes().max(sent.bytes), downtime: Some(downtime) })
}
