//! Giving a run up, in two stages.
//!
//! ```text
//!   Running ──(^C, deadline soon)──► Finishing ──(^C again, deadline)──► Aborting
//!            nothing new starts        moves in flight are given up, their zones stay
//! ```

use std::sync::Arc;

use tokio::sync::watch;

/// How far a run is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// It is not.
    Running,
    /// Nothing new starts; what moves is finished.
    Finishing,
    /// What moves is aborted too.
    Aborting,
}

/// Why it was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The operator said so.
    Operator,
    /// Its time was up.
    Deadline,
}

/// The switch; clones are the same one.
#[derive(Clone, Debug)]
pub struct Cancel {
    state: Arc<watch::Sender<(Stage, Option<Reason>)>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { state: Arc::new(watch::Sender::new((Stage::Running, None))) }
    }
}

impl Cancel {
    /// One stage further, for the operator. Gives the new stage.
    pub fn press(&self) -> Stage {
        let next = match self.stage() {
            Stage::Running => Stage::Finishing,
            Stage::Finishing | Stage::Aborting => Stage::Aborting,
        };
        self.raise(next, Reason::Operator);
        next
    }

    /// At least to that stage. The first reason is kept.
    pub fn raise(&self, stage: Stage, reason: Reason) {
        self.state.send_modify(|(now, why)| {
            *now = (*now).max(stage);
            why.get_or_insert(reason);
        });
    }

    /// How far it is given up.
    pub fn stage(&self) -> Stage {
        self.state.borrow().0
    }

    /// Why, if it is.
    pub fn reason(&self) -> Option<Reason> {
        self.state.borrow().1
    }

    /// Becomes true with [`Stage::Aborting`]. The task that passes it on ends with the receiver.
    pub fn aborting(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(self.stage() == Stage::Aborting);
        let mut state = self.state.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                raised = state.wait_for(|(stage, _)| *stage == Stage::Aborting) => {
                    if raised.is_ok() {
                        sender.send_replace(true);
                    }
                }
                () = sender.closed() => {}
            }
        });
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_press_aborts_and_the_first_reason_is_kept() {
        let cancel = Cancel::default();
        let mut aborting = cancel.aborting();
        cancel.raise(Stage::Finishing, Reason::Deadline);
        assert_eq!(cancel.stage(), Stage::Finishing);
        assert_eq!(cancel.press(), Stage::Aborting);
        assert!(*aborting.wait_for(|aborting| *aborting).await.unwrap());
        assert_eq!(cancel.reason(), Some(Reason::Deadline));
        cancel.raise(Stage::Finishing, Reason::Operator);
        assert_eq!(cancel.stage(), Stage::Aborting);
    }
}
