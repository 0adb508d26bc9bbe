//! Watches a transfer: its progress, and whether it must be given up.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::error::MoveError;
use super::log::Log;
use super::stall::{Sample, Stall};
use super::streams::Streams;
use super::task::Task;
use crate::model::Step;
use crate::model::{MoveLimits, Progress};
use crate::platform::converge;

/// How often progress is reported.
const REPORT: Duration = Duration::from_millis(500);

/// How often the hypervisor is asked. Relayed bytes are counted here; an answer of the hypervisor's costs a
/// process on its host, at the expense of the zones there.
const ASK: Duration = Duration::from_secs(2);

/// Reports progress until the move must be given up; returns why. It never delays the transfer: the hypervisor
/// may answer late when it ends the migration, or not at all.
pub(super) async fn watch(task: &Task, log: &dyn Log, streams: &Streams, policy: MoveLimits) -> MoveError {
    let (told, heard) = watch::channel(Progress::default());
    tokio::select! {
        why = judge(task, log, streams, policy, heard) => why,
        why = ask(task, told) => why,
    }
}

/// Asks the hypervisor again and again; never gives the move up.
async fn ask(task: &Task, told: watch::Sender<Progress>) -> MoveError {
    loop {
        tokio::time::sleep(ASK).await;
        if let Ok(Some(progress)) = task.from.progress(task.name()).await {
            told.send_replace(progress);
        }
    }
}

async fn judge(
    task: &Task,
    log: &dyn Log,
    streams: &Streams,
    policy: MoveLimits,
    heard: watch::Receiver<Progress>,
) -> MoveError {
    let begun = Instant::now();
    let mut stall = Stall::new(policy.stall);
    loop {
        tokio::time::sleep(REPORT).await;
        let last = *heard.borrow();
        report(task, log, streams, last);
        let seen = Sample { passed: streams.bytes(), sent: last.sent, remaining: last.remaining };
        if let Some(still) = stall.look(begun.elapsed(), seen) {
            return MoveError::undone(Step::Transfer, format!("made no progress for {} s", still.as_secs()));
        }
        if let Some(why) = converge::hopeless(policy.passes, &last, begun.elapsed()) {
            return MoveError::undone(Step::Transfer, why);
        }
    }
}

fn report(task: &Task, log: &dyn Log, streams: &Streams, last: Progress) {
    let sent = streams.bytes().max(last.sent);
    let total = last.total.max(task.zone.memory).max(sent);
    log.progress(Progress { sent, total, ..last });
}
