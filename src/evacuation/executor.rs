//! Moves the zones that were checked: each move waits in a queue for its turn in the plan.

use std::sync::{Arc, Mutex, PoisonError};

use super::engine::Engine;
use super::job::Job;
use super::move_queue::{MoveQueue, Permit};
use super::operation::Operation;
use super::placement::PlanningView;
use super::record::MoveContext;
use super::request::Request;
use super::run_state::RunState;
use super::zone_move::ZoneMove;
use crate::migration::{LEASE, RENEWAL, Task};
use crate::model::ZoneName;

impl Engine {
    /// Moves all zones that are ready, `jobs` at the same time.
    pub(super) async fn move_all(&self, view: &PlanningView, request: &Request, run_state: &RunState) {
        let mut jobs = run_state.ready(Operation::is_move);
        let moving = |jobs: &[Job]| -> Vec<_> {
            jobs.iter().filter_map(|job| Some((job.zone.clone(), job.peer.clone()?))).collect()
        };
        let built = view.timed(&moving(&jobs));
        let starts = view.starts(&built, &moving(&jobs));
        jobs.sort_by_key(|job| starts.get(&job.zone).copied());
        let queue = MoveQueue::new(view.items(&moving(&jobs), request.jobs), view.slots(request.jobs));
        let (ended, begun) = (Mutex::new(Vec::new()), Self::now());
        let expect = |zone: Option<&ZoneName>| {
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.extend(zone.cloned());
            self.expect(&built, &ended, begun, run_state);
        };
        expect(None);
        self.run_moves(&jobs, &queue, request, run_state, |zone| expect(Some(zone))).await;
        self.learn(&built, run_state);
    }

    /// Runs these moves, each in its turn, and updates the estimate when one has ended.
    pub(super) async fn run_moves(
        &self,
        jobs: &[Job],
        queue: &MoveQueue,
        request: &Request,
        run_state: &RunState,
        ended: impl Fn(&ZoneName),
    ) {
        let (tasks, ended) = (jobs.iter().filter_map(|job| job.task.clone()).collect::<Vec<_>>(), &ended);
        let moves = jobs.iter().enumerate().map(|(number, job)| async move {
            let permit = Permit::new(queue, number);
            if let (Some(task), Some(peer)) = (&job.task, &job.peer) {
                let of = MoveContext { engine: self, run_state, job, task, peer };
                ZoneMove::new(of, permit).run(request.retries).await;
            }
            ended(&job.zone);
        });
        tokio::select! {
            _ = futures_util::future::join_all(moves) => {}
            () = renew(&tasks) => {}
        }
    }
}

/// Renews the reservations of zones that wait or move. The reservation of a zone that has arrived is released,
/// and cannot be renewed. Never ends.
async fn renew(reservations: &[Arc<Task>]) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        // A host that does not answer now is asked again, at the latest at the time of the move.
        futures_util::future::join_all(reservations.iter().map(|task| {
            let zone = &task.zone;
            task.to.renew(zone.name.clone(), zone.uuid, LEASE)
        }))
        .await;
    }
}
