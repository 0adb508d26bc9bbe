//! Moving what was prepared: each move waits in a queue until the plan says that it is its turn.

use std::sync::{Mutex, PoisonError};

use super::cancel::CancelReason;
use super::engine::Engine;
use super::job::{Prepared, Readiness};
use super::move_queue::{MoveQueue, Permit};
use super::placement::PlanningView;
use super::record::{MoveContext, Purpose};
use super::request::Request;
use super::run_state::RunState;
use super::zone_move::ZoneMove;
use crate::migration::{LEASE, RENEWAL, Task};
use crate::model::{HostUri, ZoneName};
use crate::store::{Away, Direction};

impl Engine {
    /// Moves all that are ready, `jobs` at once. Gives why it was stopped before its end, if it was.
    pub(super) async fn move_all(
        &self,
        prepared: Vec<Prepared>,
        view: &PlanningView,
        request: &Request,
        run_state: &RunState,
    ) -> Option<CancelReason> {
        let mut ready: Vec<Ready> = prepared
            .into_iter()
            .filter_map(|prepared| match prepared.readiness {
                Readiness::Ready(task) => Some((task, prepared.peer?, prepared.away)),
                _ => None,
            })
            .collect();
        let name = |task: &Task| task.arrival.manifest.zone.name.clone();
        let moving = |ready: &[Ready]| -> Vec<_> {
            ready.iter().map(|(task, peer, _)| (name(task), peer.clone())).collect()
        };
        let made = view.timed(&moving(&ready));
        let starts = view.starts(&made, &moving(&ready));
        ready.sort_by_key(|(task, ..)| starts.get(&name(task)).copied());
        let items = view.items(&moving(&ready), request.jobs);
        let queue = &MoveQueue::new(items, view.slots(request.jobs));
        let bookings: Vec<_> = ready.iter().map(|(task, ..)| task.clone()).collect();
        let (ended, begun) = (&Mutex::new(Vec::new()), Self::now());
        let expect = |zone: Option<ZoneName>| {
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.extend(zone);
            self.expect(&made, &ended, begun, run_state);
        };
        expect(None);
        let expect = &expect;
        let moves = ready.into_iter().enumerate().map(|(number, (task, peer, away))| async move {
            let permit = Permit::new(queue, number);
            let leaves = match view.direction {
                Direction::Migrate => Purpose::Migrate,
                Direction::Evacuate | Direction::Return if self.is_of_another_host(&task) => Purpose::PassOn,
                Direction::Evacuate | Direction::Return => Purpose::Leave,
            };
            let purpose = away.as_deref().map_or(leaves, Purpose::Return);
            let of = MoveContext { engine: self, run_state, purpose, task: &task, peer: &peer };
            ZoneMove::new(of, permit).run(request.retries).await;
            expect(Some(name(&task)));
        });
        tokio::select! {
            _ = futures_util::future::join_all(moves) => {}
            () = renew(&bookings) => {}
        }
        self.learn(&made, run_state);
        self.cancel.reason()
    }
}

impl Engine {
    /// Whether the zone is here as a guest.
    fn is_of_another_host(&self, task: &Task) -> bool {
        task.arrival.home.as_ref().is_some_and(|home| !home.is(self.local.name(), self.local.id()))
    }
}

/// A zone that can move: what is to be done, with whom, and its record if it is away.
type Ready = (Box<Task>, HostUri, Option<Box<Away>>);

/// Keeps the booked room of zones that wait or move. A zone that has arrived has given its own back, and gets it
/// no more. Never ends.
pub(super) async fn renew(bookings: &[Box<Task>]) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        // A host that does not answer now is asked again, and at the latest at the moment of the move.
        futures_util::future::join_all(bookings.iter().map(|task| {
            let zone = &task.arrival.manifest.zone;
            task.to.renew(zone.name.clone(), zone.uuid, LEASE)
        }))
        .await;
    }
}
