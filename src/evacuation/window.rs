//! The window of moves that are under way: each waits here until the plan says that it is its turn.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::plan::dispatch::{Dispatch, Item, Slots};

/// A plan that is carried out.
pub(super) struct Window {
    plan: Mutex<Dispatch>,
    changed: Notify,
}

/// A move's place in the window, until this is dropped or paused: then it is over, or waits for its next attempt.
pub(super) struct Place<'a> {
    window: &'a Window,
    number: usize,
    paused: bool,
}

impl Window {
    pub fn new(items: Vec<Item>, slots: Slots) -> Self {
        Self { plan: Mutex::new(Dispatch::new(items, slots)), changed: Notify::new() }
    }

    /// Waits until the move with this number in the plan may begin.
    pub async fn enter(&self, number: usize) -> Place<'_> {
        self.plan().queue(number);
        loop {
            let changed = self.changed.notified();
            if self.plan().begin(number) {
                return Place { window: self, number, paused: false };
            }
            changed.await;
        }
    }

    fn plan(&self) -> MutexGuard<'_, Dispatch> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Gives the place to others until the move is tried again.
    pub fn pause(mut self) {
        self.paused = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut plan = self.window.plan();
        if self.paused { plan.pause(self.number) } else { plan.leave(self.number) }
        drop(plan);
        self.window.changed.notify_waiters();
    }
}
