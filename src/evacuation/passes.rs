//! Pass after pass: a zone that finds no room now may find some when others have moved.
//!
//! ```text
//!   check all   ─► move what fits ─► check those that wait   ─► move what fits ─► ...
//!                                          │ nothing moved
//!                                          └─► pause, while others may give room back ─► fail
//! ```
//!
//! A move of this run that fails gives its reservation back, and one that arrives often takes less room than was
//! reserved. Other runs, too, move zones away from the destination, or choose another destination.

use std::time::Duration;

use super::engine::{Engine, Event};
use super::job::Job;
use super::job_state::JobEvent;
use super::operation::Operation;
use super::placement::PlanningView;
use super::preflight::check::Mode;
use super::refusal::Wait;
use super::request::Request;
use super::run_state::RunState;
use super::stop_in_place::StopInPlace;
use crate::cancel::{QUESTIONS, Stage};
use crate::migration::backoff;
use crate::model::ZoneName;

/// How long to wait for room that only others can give back. Pure.
#[derive(Clone, Copy, Debug, Default)]
struct WaitBudget {
    /// Consecutive passes in which nothing could move.
    idle: u32,
    /// The last of them in which nothing was in progress at the destinations, either.
    quiet: u32,
}

impl WaitBudget {
    /// All pauses together are longer than the lease of a reservation whose host is gone.
    const TRIES: u32 = 7;

    /// After a pass in which nothing could move: the pause before another one, if that may help.
    fn another(&mut self, may_free_up: bool, retries: u32) -> Option<Duration> {
        self.idle += 1;
        self.quiet = if may_free_up { 0 } else { self.quiet + 1 };
        backoff(Self::TRIES).next(self.idle, Duration::ZERO).filter(|_| self.quiet <= retries)
    }
}

impl Engine {
    /// Checks all zones and moves those that can be moved, as long as another pass may help. Zones that stay here
    /// are stopped when the others have left, in the order of the jobs.
    pub(super) async fn in_passes(&self, view: PlanningView, request: &Request, run_state: &RunState) {
        self.passes(view, request, run_state).await;
        let stops = run_state.ready(|operation| matches!(operation, Operation::Stop { .. }));
        StopInPlace { engine: self, run_state }.stop_all(&stops).await;
    }

    async fn passes(&self, mut view: PlanningView, request: &Request, run_state: &RunState) {
        let (mut jobs, mut budget, mut ahead) = (run_state.jobs(), WaitBudget::default(), None);
        loop {
            self.preflight(&jobs, &mut view, request, Mode::Reserve, run_state).await;
            let moving = run_state.ready(Operation::is_move);
            if moving.is_empty() && budget.idle == 0 {
                ahead = self.plan_relocations(request, run_state).await;
            }
            if let Some((_, advice)) = &ahead {
                advice.tell(run_state);
            }
            let waiting = run_state.waiting();
            match run_state.ready(|_| true).len() {
                0 => {}
                count => self.events.emit(&Event::Moving(count)),
            }
            // What was stopped last, after all others had left, is booted first.
            let boots = run_state.ready(|operation| matches!(operation, Operation::Boot(_)));
            StopInPlace { engine: self, run_state }.boot_all(&boots).await;
            if !moving.is_empty() {
                budget = WaitBudget::default();
                tell(&waiting, &format!("next pass after {}", abbreviate(&moving)), run_state);
                self.move_all(&view, request, run_state).await;
                if self.cancel.reason().is_some() || waiting.is_empty() {
                    return self.give_up(&waiting, run_state);
                }
            } else if waiting.is_empty() || self.cancel.stage() != Stage::Running {
                return self.give_up(&waiting, run_state);
            } else if budget.idle == 0 && self.relocate(ahead.as_ref(), request, run_state).await {
                budget = WaitBudget::default();
            } else {
                let may_free_up = waiting.iter().any(|(_, wait)| wait.may_free_up());
                let pause = budget.another(may_free_up, request.retries);
                if !self.has_waited(pause, &waiting, run_state).await {
                    return self.give_up(&waiting, run_state);
                }
            }
            jobs = run_state.select_again();
            // Much has changed. If it cannot be asked again, the old view is used.
            let again = self.cancel.bound(QUESTIONS, self.view(run_state.direction(), request)).await;
            view = again.and_then(Result::ok).unwrap_or(view);
        }
    }

    /// Waits before the next pass; false if there is none, or the run was cancelled meanwhile.
    async fn has_waited(
        &self,
        pause: Option<Duration>,
        waiting: &[(ZoneName, Wait)],
        run_state: &RunState,
    ) -> bool {
        let Some(pause) = pause else { return false };
        tell(waiting, &format!("asked again in {} s", pause.as_secs()), run_state);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.cancel.given_up() => false,
        }
    }

    /// Gives up waiting for room.
    fn give_up(&self, waiting: &[(ZoneName, Wait)], run_state: &RunState) {
        let cancelled = self.cancel.reason().is_some();
        if cancelled && !waiting.is_empty() {
            run_state.cut_short();
        }
        let is_open = |zone: &ZoneName| run_state.job(zone).is_some_and(|job| !job.state.is_final());
        for (zone, wait) in waiting.iter().filter(|(zone, _)| is_open(zone)) {
            let event = match cancelled {
                true => JobEvent::Skip("cancelled before its turn".into()),
                false => JobEvent::Fail(None, wait.given_up()),
            };
            run_state.report(zone, event);
        }
    }
}

/// Reports what zones wait for, and until when.
fn tell(waiting: &[(ZoneName, Wait)], until: &str, run_state: &RunState) {
    for (zone, wait) in waiting {
        run_state.report(zone, JobEvent::Wait(wait.clone().until(until)));
    }
}

/// Some names, and how many more there are.
fn abbreviate(jobs: &[Job]) -> String {
    const FEW: usize = 3;
    let mut words: Vec<_> = jobs.iter().take(FEW).map(|job| job.zone.to_string()).collect();
    if jobs.len() > FEW {
        words.push(format!("{} more", jobs.len() - FEW));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Brand;

    #[test]
    fn patience_ends_soon_where_nothing_is_under_way_and_later_elsewhere() {
        let tries = |may_free_up: &[bool], retries| {
            let mut budget = WaitBudget::default();
            may_free_up
                .iter()
                .take_while(|may_free_up| budget.another(**may_free_up, retries).is_some())
                .count()
        };
        assert_eq!(tries(&[false; 99], 0), 0);
        assert_eq!(tries(&[false; 99], 1), 1);
        assert_eq!(tries(&[false; 99], 10), 7);
        assert_eq!(tries(&[true; 99], 0), 7);
        // Between two moves of another run nothing is visible of it.
        assert_eq!(tries(&[true, true, false, true, false, false, false], 1), 5);
        let pauses: u64 =
            (1..=WaitBudget::TRIES).map(|idle| backoff(WaitBudget::TRIES).pause(idle).as_secs()).sum();
        assert!(pauses * 1000 > crate::migration::LEASE);
    }

    #[test]
    fn many_names_are_counted() {
        let job = |name: &str| Job::new(name.parse().unwrap(), Brand::KVM, Operation::Keep);
        let names = ["a", "b", "c", "d", "e"].map(job);
        assert_eq!(abbreviate(&names[..3]), "a, b, c");
        assert_eq!(abbreviate(&names), "a, b, c, 2 more");
    }
}
