//! What movers do at the steps of a move: the lines in capitals.
//!
//! ```text
//!   live:     reserve, PREPARE ─► COPY, prepare ─► CATCH UP, FINISH, transfer ─► switch ─► settle
//!   cold:     reserve, PREPARE ─► COPY, attach ─► CATCH UP, FINISH, detach ─► settle
//!   restart:  reserve, PREPARE ─► COPY, attach ─► shutdown, CATCH UP, FINISH ─► boot ─► detach ─► settle
//! ```
//!
//! All of it comes before the point of no return. When a move is undone, or was interrupted and is settled where the zone
//! was, the movers abandon what they have begun.

use super::attempt::Attempt;
use super::data::{MOVERS, Route};
use super::error::MoveError;
use super::insist::{SHORT, insist};
use super::runner::unless;
use crate::host::HostError;
use crate::model::{Disk, Message, Method, Step, words};

words! {
    /// What movers do in a step.
    MoverPhase, "phase of a mover" {
        Prepare = "prepare",
        Copy = "copy",
        CatchUp = "catch up",
        Finish = "finish",
    }
}

/// What movers do before the act of a step.
pub(super) const fn before(method: Method, step: Step) -> &'static [MoverPhase] {
    match (method, step) {
        (Method::Live, Step::Prepare) | (_, Step::Attach) => &[MoverPhase::Copy],
        (Method::Live, Step::Transfer) | (Method::Cold, Step::Detach) => {
            &[MoverPhase::CatchUp, MoverPhase::Finish]
        }
        _ => &[],
    }
}

/// What movers do after the act of a step.
pub(super) const fn after(step: Step) -> &'static [MoverPhase] {
    match step {
        Step::Reserve => &[MoverPhase::Prepare],
        Step::Shutdown => &[MoverPhase::CatchUp, MoverPhase::Finish],
        _ => &[],
    }
}

/// Lets the movers do this, each phase for all pieces of storage before the next one.
pub(super) async fn carry(attempt: &Attempt<'_>, step: Step, phases: &[MoverPhase]) -> Result<(), MoveError> {
    let route = attempt.task.route();
    for phase in phases {
        for piece in &attempt.task.storage {
            let (mover, storage) = (piece.mover, &piece.storage);
            let work = async {
                let done = match phase {
                    MoverPhase::Prepare => mover.prepare(route, storage).await,
                    MoverPhase::Copy => mover.copy(route, storage).await,
                    MoverPhase::CatchUp => mover.catch_up(route, storage).await,
                    MoverPhase::Finish => mover.finish(route, storage).await,
                };
                done.map_err(|error| MoveError::because(step, &error).about(piece))
            };
            match phase {
                // It may take hours, and nothing has happened to the zone.
                MoverPhase::Copy => unless(&attempt.abort, work).await?,
                MoverPhase::Prepare | MoverPhase::CatchUp | MoverPhase::Finish => work.await?,
            }
        }
    }
    Ok(())
}

/// Removes what movers have made at the destination, if the move was undone and the zone is where it was.
pub(super) async fn abandon(attempt: &Attempt<'_>, result: Result<(), MoveError>) -> Result<(), MoveError> {
    let cause = match result {
        Err(cause @ (MoveError::Undone { .. } | MoveError::Cancelled)) => cause,
        result => return result,
    };
    let (route, task) = (attempt.task.route(), attempt.task);
    for piece in &task.storage {
        if let Err(error) = insist(SHORT, || piece.mover.abandon(route, &piece.storage)).await {
            let there = task.to.name();
            let step = cause.step().unwrap_or(Step::Reserve);
            let left = format!("what was copied of {piece} may be left on {there}");
            let reason = Message::from(cause).and(Message::from(error).about(left));
            return Err(MoveError::Leftover { step, reason });
        }
    }
    Err(cause)
}

/// The same after an interruption: who was to carry which piece is not known any more.
pub(super) async fn abandon_all(route: Route<'_>, disks: &[Disk]) -> Result<(), HostError> {
    for disk in disks {
        for mover in MOVERS {
            mover.abandon(route, &disk.source).await?;
        }
    }
    Ok(())
}
