//! Moves ONE zone from one host to another. Either of them may be this host.
//!
//! A move ends in one of three ways, and says which: the zone has moved; it is as it was, where it was; or it is
//! not known where it is (a host did not answer at the wrong moment), and nothing more is done until both hosts
//! can be asked.
//!
//! The steps are data: [`steps`]. The [`runner`] carries them out. After an interruption [`recovery`] decides
//! what to do, and [`settle`] does it.
//!
//! # The layers
//!
//! Each file uses only files on lines below its own.
//!
//! ```text
//! live, cold, restart      the acts of each method
//! in_place                 the acts for a zone that stays
//! settle                   completes or undoes an interrupted move
//! destination              acts that all methods share
//! carry                    what movers do at each step
//! previous_config          a configuration that the zone replaces
//! attempt                  the state that the acts of one attempt share
//! watch                    the progress of a transfer, and whether it is given up
//! streams                  the streams of a live migration
//! runner                   carries out a procedure, and undoes it
//! task, insist             one move; how often a host is asked
//! recovery                 what to do after an interruption, as a table
//! steps                    the steps of every procedure, as data
//! data                     who carries each piece of the storage
//! log, error, stall        receives what is done; why a move failed; whether it stalls
//! ```

mod attempt;
mod carry;
mod cold;
pub mod data;
mod destination;
mod error;
mod in_place;
mod insist;
pub mod live;
mod log;
pub mod previous_config;
pub mod recovery;
mod restart;
pub mod runner;
pub mod settle;
pub mod stall;
pub mod steps;
mod streams;
mod task;
mod watch;

pub use attempt::Attempt;
pub use error::MoveError;
pub use in_place::InPlace;
pub use insist::backoff;
pub use log::Log;
pub use task::{LEASE, Moved, RENEWAL, Task};

use tokio::sync::watch::Receiver;

use runner::Acts;
use steps::{Procedure, Undo};

use crate::model::{Method, MoveLimits, Step};

/// Moves a zone. If `abort` becomes true the move is given up, if that is still possible.
///
/// # Errors
/// [`MoveError`] says whether the zone is where it was.
pub async fn migrate(
    task: &Task,
    log: &dyn Log,
    limits: MoveLimits,
    abort: Receiver<bool>,
) -> Result<Moved, MoveError> {
    let mut attempt = Attempt::new(task, log, limits, abort.clone());
    runner::run(Procedure::from(task.request.method), &mut attempt, log, &abort).await?;
    Ok(attempt.moved)
}

#[async_trait::async_trait]
impl Acts for Attempt<'_> {
    async fn act(&mut self, step: Step) -> Result<(), MoveError> {
        let kind = self.task.request.method;
        carry::carry(self, step, carry::before(kind, step)).await?;
        match (step, kind) {
            (Step::Reserve, _) => destination::reserve(self).await,
            (Step::Prepare, _) => live::prepare(self).await,
            (Step::Transfer, _) => live::transfer(self).await,
            (Step::Switch, _) => live::switch(self).await,
            (Step::Attach, _) => cold::attach(self).await,
            (Step::Shutdown, _) => restart::shut_down(self).await,
            (Step::Boot, _) => restart::boot(self).await,
            (Step::Detach, Method::Restart) => restart::detach(self.task).await,
            (Step::Detach, _) => cold::detach(self.task).await,
            (Step::Settle, Method::Live) => live::settle(self.task).await,
            (Step::Settle, _) => destination::settle(self.task).await,
            (Step::Save, _) => Err(MoveError::undone(step, "a zone that moves is not saved")),
        }?;
        carry::carry(self, step, carry::after(step)).await
    }

    async fn undo(&mut self, undo: Undo, result: Result<(), MoveError>) -> Result<(), MoveError> {
        match (undo, result) {
            (Undo::Release, result) => {
                let result = carry::abandon(self, result).await;
                destination::release(self, result).await
            }
            (Undo::CloseIncoming, result) => {
                live::close(self).await;
                result
            }
            (_, Ok(())) => Ok(()),
            (Undo::DestroyImage, Err(cause)) => Err(live::stay(self, cause).await),
            (Undo::Undefine, Err(cause)) => Err(cold::undefine(self, cause).await),
            (Undo::BootAtSource, Err(cause)) => Err(restart::boot_at_source(self.task, cause).await),
        }
    }
}
