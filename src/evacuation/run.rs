//! Moving what was prepared: a rolling window of moves.

use tokio::sync::Semaphore;

use super::one::OneMove;
use super::prepare::{Prepared, Readiness};
use super::{Board, Engine, Event, Options, Reason};
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
                Readiness::Skipped(_) | Readiness::Failed(_) | Readiness::Unsettled => None,
            })
            .collect();
        // The longest first, so that none of them is left over at the end.
        ready.sort_by_key(|(task, ..)| {
            let memory = if task.arrival.kind == Kind::Live { task.arrival.manifest.zone.memory } else { 0 };
            std::cmp::Reverse(memory)
        });
        if ready.is_empty() {
            return self.cancel.reason();
        }
        self.watcher.event(&Event::Moving(ready.len()));
        let window = &Semaphore::new(options.jobs.max(1));
        let moves = ready.into_iter().map(|(task, peer, away)| async move {
            let a_move = OneMove::new(self, board, direction, (&task, &peer, away.as_deref()), window);
            a_move.run(options.retries).await;
        });
        futures::future::join_all(moves).await;
        self.cancel.reason()
    }
}
