//! The window of moves that are under way: each waits here until the plan says that it is its turn.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::plan::dispatch::{Dispatch, Item, Slots};

/// A plan that is carried out.
pub(super) struct MoveQueue {
    plan: Mutex<Dispatch>,
    changed: Notify,
}

/// One move's turn: taken when the plan says so, given back when the move is over, or while it waits for its next
/// attempt.
pub(super) struct Permit<'a> {
    queue: &'a MoveQueue,
    /// Its number in the plan.
    number: usize,
}

impl MoveQueue {
    pub fn new(items: Vec<Item>, slots: Slots) -> Self {
        Self { plan: Mutex::new(Dispatch::new(items, slots)), changed: Notify::new() }
    }

    fn change(&self, change: impl FnOnce(&mut Dispatch)) {
        change(&mut self.plan());
        self.changed.notify_waiters();
    }

    fn plan(&self) -> MutexGuard<'_, Dispatch> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> Permit<'a> {
    pub const fn new(queue: &'a MoveQueue, number: usize) -> Self {
        Self { queue, number }
    }

    /// Waits for it.
    pub async fn wait(&self) {
        self.queue.change(|plan| plan.queue(self.number));
        loop {
            let changed = self.queue.changed.notified();
            if self.queue.plan().begin(self.number) {
                return;
            }
            changed.await;
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
