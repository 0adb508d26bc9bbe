//! Giving a run up, in two stages.
//!
//! ```text
//!   Running ──(^C, --cancel)──► Finishing ──(again; SIGTERM, deadline: at once)──► Aborting
//!                           nothing new starts      moves in flight are given up, their zones stay
//! ```
//!
//! An aborted run ends within [`BOUND`], whatever hangs: a hypervisor, another host, this one. What is not known
//! then is left as a crash would leave it, and listed as UNKNOWN.

pub mod socket;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long questions that change nothing are waited for in an aborted run.
pub const QUESTIONS: Duration = Duration::from_secs(5);

/// How long moves have in an aborted run to be undone, or to end if it is too late for that. An abort takes a
/// fraction of a second; a host that has died is noticed after fifteen.
pub const MOVES: Duration = Duration::from_secs(60);

/// An aborted run has ended after this time: well before a service manager loses its patience (90 s) and kills it.
pub const BOUND: Duration = MOVES.saturating_add(QUESTIONS);

/// How far a run is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
pub enum CancelReason {
    /// The operator said so.
    Operator,
    /// Its time was up.
    Deadline,
}

impl Stage {
    /// What it comes to, for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Running => "the run continues",
            Self::Finishing => "no new moves start, moves in progress are completed",
            Self::Aborting => "moves in progress are aborted, their zones stay where they are",
        }
    }

    /// One stage further.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Running => Self::Finishing,
            Self::Finishing | Self::Aborting => Self::Aborting,
        }
    }
}

/// The switch; clones are the same one.
#[derive(Clone, Debug)]
pub struct Cancel {
    state: Arc<watch::Sender<CancelState>>,
}

#[derive(Clone, Copy, Debug)]
struct CancelState {
    stage: Stage,
    reason: Option<CancelReason>,
    /// When it came to [`Stage::Aborting`].
    aborted: Option<Instant>,
}

impl Default for Cancel {
    fn default() -> Self {
        let state = CancelState { stage: Stage::Running, reason: None, aborted: None };
        Self { state: Arc::new(watch::Sender::new(state)) }
    }
}

impl Cancel {
    /// One stage further, for the operator. Gives the new stage.
    pub fn escalate(&self) -> Stage {
        self.raise(self.stage().next(), CancelReason::Operator);
        self.stage()
    }

    /// At least to that stage. The first reason is kept.
    pub fn raise(&self, stage: Stage, reason: CancelReason) {
        self.state.send_modify(|state| {
            state.stage = state.stage.max(stage);
            state.reason.get_or_insert(reason);
            if state.stage == Stage::Aborting {
                state.aborted.get_or_insert_with(Instant::now);
            }
        });
    }

    /// How far it is given up.
    pub fn stage(&self) -> Stage {
        self.state.borrow().stage
    }

    /// Why, if it is.
    pub fn reason(&self) -> Option<CancelReason> {
        self.state.borrow().reason
    }

    /// Waits until it is given up, in whatever stage.
    pub async fn given_up(&self) {
        // The sender is this one's own, so it is there.
        let _ = self.state.subscribe().wait_for(|state| state.stage != Stage::Running).await;
    }

    /// What the work gives; none if it has not ended so long after the run was aborted.
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

    /// Becomes true with [`Stage::Aborting`]. The task that passes it on ends with the receiver.
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
