//! Moving what was prepared: a rolling window of moves.

use tokio::sync::Semaphore;

use super::one::OneMove;
use super::prepare::{Prepared, Readiness};
use super::{Board, Engine, Options, Reason};
use crate::migration::{LEASE, RENEWAL, Task};
use crate::model::Kind;
use crate::store::Direction;

impl Engine {
    /// Moves all that are ready, `jobs` at once. Gives why it was stopped before its end, if it was.
    pub(super) async fn move_all(
        &self,
        direction: Direction,
        prepared: Vec<Prepared>,
        options: &Options,
        board: &Board,
    ) -> Option<Reason> {
        let mut ready: Vec<_> = prepared
            .into_iter()
            .filter_map(|prepared| match prepared.readiness {
                Readiness::Ready(task) => Some((task, prepared.peer?, prepared.away)),
                _ => None,
            })
            .collect();
        // The longest first, so that none of them is left over at the end.
        ready.sort_by_key(|(task, ..)| {
            let memory = if task.arrival.kind == Kind::Live { task.arrival.manifest.zone.memory } else { 0 };
            std::cmp::Reverse(memory)
        });
        let window = &Semaphore::new(options.jobs.max(1));
        let bookings: Vec<_> = ready.iter().map(|(task, ..)| task.clone()).collect();
        let moves = ready.into_iter().map(|(task, peer, away)| async move {
            let a_move = OneMove::new(self, board, direction, (&task, &peer, away.as_deref()), window);
            a_move.run(options.retries).await;
        });
        tokio::select! {
            _ = futures::future::join_all(moves) => {}
            () = renew(&bookings) => {}
        }
        self.cancel.reason()
    }
}

/// Keeps the booked room of zones that wait or move. A zone that has arrived has given its own back, and gets it
/// no more. Never ends.
async fn renew(bookings: &[Box<Task>]) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        // A host that does not answer now is asked again, and at the latest at the moment of the move.
        futures::future::join_all(bookings.iter().map(|task| {
            let zone = &task.arrival.manifest.zone;
            task.to.renew(zone.name.clone(), zone.uuid, LEASE)
        }))
        .await;
    }
}
