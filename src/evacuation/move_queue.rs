//! The window of moves that are under way: each waits here until the plan says that it is its turn.
//!
//! Whatever changes the plan begins those whose turn it is then, and wakes them and no other.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

use crate::plan::dispatch::{Dispatch, QueuedMove, Slots};

/// A plan that is carried out.
pub(super) struct MoveQueue {
    plan: Mutex<Dispatch>,
    /// One for each move: its turn has come.
    turns: Vec<Notify>,
}

/// One move's turn: taken when the plan says so, given back when the move is over, or while it waits for its next
/// attempt.
pub(super) struct Permit<'a> {
    queue: &'a MoveQueue,
    /// Its number in the plan.
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

    /// Waits for it.
    pub async fn wait(&self) {
        self.queue.change(|plan| plan.queue(self.number));
        if let Some(turn) = self.queue.turns.get(self.number) {
            turn.notified().await;
        }
    }

    /// Gives it to others until the move is tried again.
    pub fn pause(&self) {
        self.queue.change(|plan| plan.pause(self.number));
    }

    /// The move is over: nobody waits for it any more.
    pub fn end(&self) {
        self.queue.change(|plan| plan.leave(self.number));
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
