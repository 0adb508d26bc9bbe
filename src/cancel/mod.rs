//! Cancelling a run, in two stages.
//!
//! ```text
//!   Running ──(^C, --cancel)──► Finishing ──(again; SIGTERM, deadline: at once)──► Aborting
//!                           nothing new starts      moves in progress are aborted, their zones stay
//! ```
//!
//! An aborted run ends within [`BOUND`], whatever hangs: a hypervisor, another host, this one. Moves whose
//! outcome is not known by then are left as after a crash, and listed as UNKNOWN.

pub mod socket;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long an aborted run waits for requests that change nothing.
pub const QUESTIONS: Duration = Duration::from_secs(5);

/// How long an aborted run waits for its moves to be undone, or to end if it is too late for that. To abort a
/// migration takes a fraction of a second; that a host has died is noticed after fifteen.
pub const MOVES: Duration = Duration::from_secs(60);

/// Maximum time in which an aborted run ends: well before a service manager kills it (90 s).
pub const BOUND: Duration = MOVES.saturating_add(QUESTIONS);

/// How far a run is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It is not.
    Running,
    /// No move starts; those in progress are finished.
    Finishing,
    /// Moves in progress are aborted, too.
    Aborting,
}

/// Why a run was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// The operator asked for it.
    Operator,
    /// The deadline has passed.
    Deadline,
}

impl Stage {
    /// The reason, to be shown to people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Running => "the run continues",
            Self::Finishing => "no new moves start, moves in progress are completed",
            Self::Aborting => "moves in progress are aborted, their zones stay where they are",
        }
    }

    /// The next stage.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Running => Self::Finishing,
            Self::Finishing | Self::Aborting => Self::Aborting,
        }
    }
}

/// Cancels a run; clones share their state.
#[derive(Clone, Debug)]
pub struct Cancel {
    state: Arc<watch::Sender<CancelState>>,
}

#[derive(Clone, Copy, Debug)]
struct CancelState {
    stage: Stage,
    reason: Option<CancelReason>,
    /// When [`Stage::Aborting`] was reached.
    aborted: Option<Instant>,
}

impl Default for Cancel {
    fn default() -> Self {
        let state = CancelState { stage: Stage::Running, reason: None, aborted: None };
        Self { state: Arc::new(watch::Sender::new(state)) }
    }
}

impl Cancel {
    /// Goes to the next stage, for the operator, and returns it.
    pub fn escalate(&self) -> Stage {
        self.raise(self.stage().next(), CancelReason::Operator);
        self.stage()
    }

    /// Goes to that stage, unless a later one was reached. The first reason is kept.
    pub fn raise(&self, stage: Stage, reason: CancelReason) {
        self.state.send_modify(|state| {
            state.stage = state.stage.max(stage);
            state.reason.get_or_insert(reason);
            if state.stage == Stage::Aborting {
                state.aborted.get_or_insert_with(Instant::now);
            }
        });
    }

    pub fn stage(&self) -> Stage {
        self.state.borrow().stage
    }

    /// Why the run is cancelled, if it is.
    pub fn reason(&self) -> Option<CancelReason> {
        self.state.borrow().reason
    }

    /// Waits until the run is cancelled, in any stage.
    pub async fn given_up(&self) {
        // `self` has the sender, so this cannot fail.
        let _ = self.state.subscribe().wait_for(|state| state.stage != Stage::Running).await;
    }

    /// The result of the work; none if it has not ended so long after the run was aborted.
    pub async fn bound<T>(&self, budget: Duration, work: impl Future<Output = T>) -> Option<T> {
        let out_of_patience = async {
            let mut state = self.state.subscribe();
            let state = state.wait_for(|state| state.aborted.is_some()).await.map(|state| *state);
            match state.ok().and_then(|state| state.aborted) {
                Some(aborted) => tokio::time::sleep_until(aborted + budget).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            value = work => Some(value),
            () = out_of_patience => None,
        }
    }

    /// Becomes true with [`Stage::Aborting`]. The task that sends it ends with the receiver.
    pub fn aborting(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(self.stage() == Stage::Aborting);
        let mut state = self.state.subscribe();
        tokio::spawn(async move {
            tokio::select! {
                raised = state.wait_for(|state| state.stage == Stage::Aborting) => {
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
        cancel.raise(Stage::Finishing, CancelReason::Deadline);
        assert_eq!(cancel.stage(), Stage::Finishing);
        assert_eq!(cancel.escalate(), Stage::Aborting);
        assert!(*aborting.wait_for(|aborting| *aborting).await.unwrap());
        assert_eq!(cancel.reason(), Some(CancelReason::Deadline));
        cancel.raise(Stage::Finishing, CancelReason::Operator);
        assert_eq!(cancel.stage(), Stage::Aborting);
    }

    #[tokio::test(start_paused = true)]
    async fn patience_counts_from_the_abort_and_what_has_ended_counts() {
        let cancel = Cancel::default();
        assert_eq!(cancel.bound(MOVES, tokio::time::sleep(MOVES * 3)).await, Some(()));
        cancel.raise(Stage::Aborting, CancelReason::Operator);
        let begun = Instant::now();
        tokio::time::sleep(QUESTIONS).await;
        assert_eq!(cancel.bound(MOVES, std::future::pending::<()>()).await, None);
        assert_eq!(begun.elapsed(), MOVES);
        assert_eq!(cancel.bound(MOVES, async { 1 }).await, Some(1));
    }
}
