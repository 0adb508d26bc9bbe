//! Moving what was prepared: a rolling window of moves.

use std::sync::{Mutex, PoisonError};

use super::one::OneMove;
use super::prepared::{Prepared, Readiness};
use super::record::Subject;
use super::scene::Scene;
use super::window::{Turn, Window};
use super::{Board, Engine, Options, Reason};
use crate::migration::{LEASE, RENEWAL, Task};
use crate::model::{HostUri, Kind, ZoneName};
use crate::plan::dispatch::{Item, Slots};
use crate::store::{Away, Direction};

impl Engine {
    /// Moves all that are ready, `jobs` at once. Gives why it was stopped before its end, if it was.
    pub(super) async fn move_all(
        &self,
        direction: Direction,
        prepared: Vec<Prepared>,
        scene: Option<&Scene>,
        options: &Options,
        board: &Board,
    ) -> Option<Reason> {
        let mut ready: Vec<Ready> = prepared
            .into_iter()
            .filter_map(|prepared| match prepared.readiness {
                Readiness::Ready(task) => Some((task, prepared.peer?, prepared.away)),
                _ => None,
            })
            .collect();
        let moving = |ready: &[Ready]| -> Vec<_> {
            ready
                .iter()
                .map(|(task, peer, _)| (task.arrival.manifest.zone.name.clone(), peer.clone()))
                .collect()
        };
        let made = scene.map(|scene| scene.timed(&moving(&ready)));
        let (items, slots) = match scene.zip(made.as_ref()) {
            Some((scene, made)) => {
                let starts = scene.starts(made, &moving(&ready));
                ready.sort_by_key(|(task, ..)| starts.get(&task.arrival.manifest.zone.name).copied());
                (scene.items(&moving(&ready)), scene.slots(options.jobs))
            }
            None => {
                // The longest first, so that none of them is left over at the end.
                ready.sort_by_key(|(task, ..)| std::cmp::Reverse(to_send(task)));
                let all = Slots { jobs: options.jobs, outbound: options.jobs, inbound: options.jobs };
                (vec![Item::default(); ready.len()], all)
            }
        };
        let window = &Window::new(items, slots);
        let bookings: Vec<_> = ready.iter().map(|(task, ..)| task.clone()).collect();
        let (ended, begun) = (&Mutex::new(Vec::new()), Self::now());
        let expect = |zone: Option<ZoneName>| {
            let mut ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
            ended.extend(zone);
            if let Some(made) = &made {
                self.expect(made, &ended, begun, board);
            }
        };
        expect(None);
        let expect = &expect;
        let moves = ready.into_iter().enumerate().map(|(number, (task, peer, away))| async move {
            let turn = Turn::new(window, number);
            let (task, peer, away) = (&task, &peer, away.as_deref());
            let of = Subject { engine: self, board, direction, task, peer, away };
            OneMove::new(of, turn).run(options.retries).await;
            expect(Some(task.arrival.manifest.zone.name.clone()));
        });
        tokio::select! {
            _ = futures::future::join_all(moves) => {}
            () = renew(&bookings) => {}
        }
        if let Some(made) = &made {
            self.learn(made, board);
        }
        self.cancel.reason()
    }
}

/// A zone that can move: what is to be done, with whom, and its record if it is away.
type Ready = (Box<Task>, HostUri, Option<Box<Away>>);

/// Bytes of memory that a move sends.
const fn to_send(task: &Task) -> u64 {
    match task.arrival.kind {
        Kind::Live => task.arrival.manifest.zone.memory,
        Kind::Cold | Kind::Restart => 0,
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
