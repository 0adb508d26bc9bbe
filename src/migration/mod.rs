//! Moves ONE zone from one host to another. Which of them is this host does not matter.
//!
//! A move ends in one of three ways, and says which: the zone has moved; it is as it was, where it was; or
//! nobody can tell (a host did not answer at the wrong moment), and nothing more is done until both can be
//! asked.

mod cold;
mod error;
pub mod live;
pub mod older;
pub mod recovery;
mod restart;
pub mod stall;
mod streams;
mod watch;

pub use error::MoveError;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;

use crate::backoff::{Backoff, Budget, retry};
use crate::host::{Host, HostError};
use crate::model::{Arrival, Kind, Manifest, Step, ZoneName};
use crate::model::{MoveLimits, Progress};

/// One move, decided: what, how, from where, to where.
#[derive(Clone)]
pub struct Task {
    /// How it moves, what it will be at its destination, and what that is asked.
    pub arrival: Arrival,
    /// What it is where it comes from.
    pub manifest: Manifest,
    /// Where it is.
    pub from: Arc<dyn Host>,
    /// Where it goes.
    pub to: Arc<dyn Host>,
}

impl Task {
    fn zone(&self) -> ZoneName {
        self.arrival.manifest.zone.name.clone()
    }
}

/// Who writes down what a move does. An `Err` stops the move before its next step.
pub trait Log: Send + Sync {
    /// The step is about to be done. Durable when this returns.
    fn intent(&self, step: Step) -> Result<(), String>;
    /// The step was done. From this on the move only goes forward if the step is `Switch`, `Boot` or `Detach`.
    fn done(&self, step: Step) -> Result<(), String>;
    /// How far the transfer is.
    fn progress(&self, progress: Progress);
    /// The destination has the same configuration of the zone already.
    fn finds_the_same(&self);
}

/// What a move came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes of memory that crossed.
    pub bytes: u64,
    /// Milliseconds during which the zone did not answer; none if it did not run.
    pub downtime: Option<u64>,
}

/// How long room stays booked if nobody renews the booking, in milliseconds: longer than a line is broken for a
/// while, and not for ever after the one who has booked is gone.
pub const LEASE: u64 = 300_000;

/// How often a booking is renewed while its zone waits or moves.
pub const RENEWAL: Duration = Duration::from_secs(60);

/// Moves a zone. `abort` becoming true gives the move up if that is still possible.
///
/// # Errors
/// [`MoveError`] says whether the zone is where it was.
pub async fn migrate(
    task: &Task,
    log: &dyn Log,
    policy: MoveLimits,
    abort: Receiver<bool>,
) -> Result<Moved, MoveError> {
    let reserved = unless(&abort, reserve(task, log)).await;
    let result = match (&reserved, task.arrival.kind) {
        (Err(error), _) => Err(error.clone()),
        (Ok(_), Kind::Live) => live::migrate(task, log, policy, abort).await,
        (Ok(_), Kind::Cold) => cold::migrate(task, log).await,
        (Ok(_), Kind::Restart) => restart::migrate(task, log, policy, abort).await,
    };
    // Booked room is given back in any case, also with the arrival: from then on the zone itself takes it. A
    // host that cannot be told forgets the booking when its lease ends.
    let (zone, uuid) = (task.zone(), task.arrival.manifest.zone.uuid);
    match (result, reserved) {
        (Err(error @ (MoveError::Unknown { .. } | MoveError::Leftover { .. })), _) => {
            // What the zone came over is needed until it is settled whether the zone has come.
            soon(task.to.renew(zone, uuid, 0)).await;
            Err(error)
        }
        (result, reserved) => {
            soon(task.to.release(zone, uuid)).await;
            match result {
                Err(error) if reserved == Ok(true) => Err(older::is_kept(task, error).await),
                result => result,
            }
        }
    }
}

/// Does work that has not touched the zone yet, and may be left at any moment for that reason.
async fn unless<T>(
    abort: &Receiver<bool>,
    work: impl Future<Output = Result<T, MoveError>>,
) -> Result<T, MoveError> {
    tokio::select! {
        biased;
        result = work => result,
        () = asked(abort.clone()) => Err(MoveError::Cancelled),
    }
}

/// Waits until the move is to be given up.
async fn asked(mut abort: Receiver<bool>) {
    if abort.wait_for(|abort| *abort).await.is_err() {
        // Nobody is left who could ask for it.
        std::future::pending().await
    }
}

/// Does what puts things in order and changes nothing about the outcome: it is not waited for without end.
async fn soon(work: impl Future<Output = Result<(), HostError>>) {
    let _ = tokio::time::timeout(SHORT, work).await;
}

/// A zone that boots with its host is told not to while it leaves. If the source lost its power when the zone has
/// just been let run at its destination, it would boot it a second time.
async fn not_boot_at_source(task: &Task, leaves: bool) -> Result<(), HostError> {
    let zone = &task.arrival.manifest.zone;
    if !zone.autostart || !zone.persistent {
        return Ok(());
    }
    insist(SHORT, || task.from.set_autostart(task.zone(), !leaves)).await
}

/// Everything is asked again at the moment of the move: much may have happened since it was planned. Gives whether the
/// zone will come over a configuration of itself.
async fn reserve(task: &Task, log: &dyn Log) -> Result<bool, MoveError> {
    let undone = |reason: String| MoveError::undone(Step::Reserve, reason);
    log.intent(Step::Reserve).map_err(undone)?;
    let reserved = task.to.reserve(task.arrival.clone(), LEASE).await;
    let over = reserved.map_err(|error| MoveError::because(Step::Reserve, &error))?;
    log.done(Step::Reserve).map_err(undone)?;
    if over && !task.arrival.overwrite {
        log.finds_the_same();
    }
    Ok(over)
}

/// The last step, after the point of no return: a failure here leaves the zone moved, and is reported. Somebody may have
/// undefined the zone at its destination while it was on its way: it runs, and would be gone with its end.
async fn settle(task: &Task, log: &dyn Log) -> Result<(), MoveError> {
    let unknown = |reason: String| MoveError::unknown(Step::Settle, reason);
    log.intent(Step::Settle).map_err(unknown)?;
    let kept = insist(SHORT, || task.to.keep(task.arrival.manifest.clone())).await;
    kept.map_err(|error| {
        unknown(format!("it has moved, but whether it is kept there is not known: {error}"))
    })?;
    if task.arrival.manifest.zone.autostart && task.arrival.manifest.zone.persistent {
        let set = task.to.set_autostart(task.zone(), true).await;
        set.map_err(|error| unknown(format!("it has moved, but its autostart could not be set: {error}")))?;
    }
    log.done(Step::Settle).map_err(unknown)
}

/// How long an answer is insisted on that decides only what is said at the end.
const SHORT: Duration = Duration::from_secs(10);

/// How long an answer is insisted on while a zone stands still.
const LONG: Duration = Duration::from_secs(120);

/// The pauses between the attempts of a move, which is tried again so often at most: a line that broke is given up after
/// fifteen seconds, so it has had some time already.
pub const fn backoff(retries: u32) -> Backoff {
    Backoff {
        first: Duration::from_secs(5),
        factor: 2,
        max: Duration::from_secs(120),
        budget: Budget::Retries(retries),
    }
}

/// Asks again while no answer arrives, for so long: for what may be asked twice.
async fn insist<T, F>(limit: Duration, ask: impl FnMut() -> F) -> Result<T, HostError>
where
    F: Future<Output = Result<T, HostError>>,
{
    let backoff = Backoff {
        first: Duration::from_millis(100),
        factor: 2,
        max: Duration::from_secs(5),
        budget: Budget::Time(limit),
    };
    retry(backoff, HostError::is_no_answer, ask).await
}
