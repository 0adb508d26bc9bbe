//! The queue of moves: each waits here for its turn in the plan.
//!
//! When the plan advances, it starts the moves whose turn has come, and wakes only those.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::plan::dispatch::{Dispatch, QueuedMove, Slots};

/// A plan that is being carried out.
pub(super) struct MoveQueue {
    plan: Mutex<Dispatch>,
    /// For each move: notified when its turn has come.
    turns: Vec<Notify>,
}

/// One move's permit: granted by the plan, given back when the move has ended, or while it waits for another attempt.
pub(super) struct Permit<'a> {
    queue: &'a MoveQueue,
    /// The number of the move in the plan.
    number: usize,
}

impl MoveQueue {
    pub fn new(items: Vec<QueuedMove>, slots: Slots) -> Self {
        let turns = items.iter().map(|_| Notify::new()).collect();
        Self { plan: Mutex::new(Dispatch::new(items, slots)), turns }
    }

    fn change(&self, change: impl FnOnce(&mut Dispatch)) {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut plan);
        plan.start().into_iter().filter_map(|number| self.turns.get(number)).for_each(Notify::notify_one);
    }
}

impl<'a> Permit<'a> {
    pub const fn new(queue: &'a MoveQueue, number: usize) -> Self {
        Self { queue, number }
    }

    /// Waits for the move's turn.
    pub async fn wait(&self) {
        self.queue.change(|plan| plan.queue(self.number));
        if let Some(turn) = self.queue.turns.get(self.number) {
            turn.notified().await;
        }
    }

    /// Gives the permit back until the move is tried again.
    pub fn pause(&self) {
        self.queue.change(|plan| plan.pause(self.number));
    }

    /// The move has ended: others need not wait for it any more.
    pub fn end(&self) {
        self.queue.change(|plan| plan.leave(self.number));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
