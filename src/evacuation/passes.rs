//! Pass after pass: a zone that finds no room now may find it when others have moved.
//!
//! ```text
//!   prepare all ─► move what fits ─► prepare those that wait ─► move what fits ─► ...
//!                                          │ nothing moved
//!                                          └─► pause, while others may give room back ─► fail
//! ```
//!
//! Within a run a move that fails gives its booking back, and one that arrives often takes less than was booked.
//! Beyond it, other runs take zones away from the destination, or leave it in favour of another one.

use super::cancel::{CancelReason, QUESTIONS, Stage};
use super::engine::Engine;
use super::events::Event;
use super::job::{Candidate, Intent, Prepared, Readiness, StopPlan};
use super::placement::PlanningView;
use super::preflight::check::Mode;
use super::request::Request;
use super::resting::StopInPlace;
use super::run_state::RunState;
use super::wait::Wait;
use crate::migration::backoff;
use crate::model::{ZoneName, chain};
use crate::store::{Away, AwayPhase, Direction, Move, MoveState, Rest};

/// How long is waited for room that only others can give back. Pure.
#[derive(Clone, Copy, Debug, Default)]
struct WaitBudget {
    /// Passes in a row in which nothing could move.
    idle: u32,
    /// The last of them in which nothing was under way at the destinations, either.
    quiet: u32,
}

impl WaitBudget {
    /// Their pauses are longer together than room stays booked for a host that is gone.
    const TRIES: u32 = 7;

    /// One more in which nothing could move. Gives whether another one makes sense.
    fn another(&mut self, may_free_up: bool, retries: u32) -> bool {
        self.idle += 1;
        self.quiet = if may_free_up { 0 } else { self.quiet + 1 };
        self.idle <= Self::TRIES && self.quiet <= retries
    }
}

impl Engine {
    /// Prepares all and moves what can be moved, again and again while that may bring more. Gives why it was stopped
    /// before its end, if it was.
    pub(super) async fn in_passes(
        &self,
        direction: Direction,
        candidates: Vec<Candidate>,
        view: PlanningView,
        request: &Request,
        run_state: &RunState,
    ) -> Option<CancelReason> {
        let (resting, mut stops) = (StopInPlace { engine: self, run_state }, Vec::new());
        let stopped = self.passes(direction, (candidates, view), request, &resting, &mut stops).await;
        // What stays is put to rest when the others have left, in its order among the candidates.
        resting.stop_all(&stops).await;
        self.cancel.reason().or(stopped)
    }

    async fn passes(
        &self,
        direction: Direction,
        (candidates, mut view): (Vec<Candidate>, PlanningView),
        request: &Request,
        resting: &StopInPlace<'_>,
        stops: &mut Vec<StopPlan>,
    ) -> Option<CancelReason> {
        let run_state = resting.run_state;
        let (mut left, mut budget) = (candidates, WaitBudget::default());
        let mut ahead = None;
        loop {
            let mut prepared =
                self.prepare_and_measure(&left, &mut view, request, Mode::Book, run_state).await;
            let moving = names_of_ready(&prepared);
            if moving.is_empty() && budget.idle == 0 {
                ahead = self.plan_relocations(direction, &prepared, request).await;
            }
            if let Some((_, advice)) = &ahead {
                advice.tell(&mut prepared);
            }
            let waiting: Vec<_> =
                prepared.iter().filter_map(|one| Some((one.zone.clone(), one.waits()?.clone()))).collect();
            let rests = split_stops(&prepared, stops);
            match moving.len() + rests.len() + stops.len() {
                0 => {}
                count => self.events.emit(&Event::Moving(count)),
            }
            // What was put to rest last, after all others had left, is back first.
            resting.boot_all(&rests).await;
            if !moving.is_empty() {
                budget = WaitBudget::default();
                self.tell(&waiting, &format!("next pass after {}", abbreviate(&moving)), run_state);
                let stopped = self.move_all(prepared, &view, request, run_state).await;
                if stopped.is_some() || waiting.is_empty() {
                    return self.give_up(&waiting, run_state);
                }
            } else if waiting.is_empty() || self.cancel.stage() != Stage::Running {
                return self.give_up(&waiting, run_state);
            } else if budget.idle == 0 && self.relocate(ahead.as_ref(), request, run_state).await {
                budget = WaitBudget::default();
            } else {
                let may_free_up = waiting.iter().any(|(_, wait)| wait.may_free_up());
                if !budget.another(may_free_up, request.retries)
                    || !self.pause(budget, &waiting, run_state).await
                {
                    return self.give_up(&waiting, run_state);
                }
            }
            left.retain(|candidate| waiting.iter().any(|(zone, _)| *zone == candidate.zone));
            self.renew_records(&mut left);
            // Much is otherwise now. What cannot be asked again is as it was.
            let again = self.cancel.bound(QUESTIONS, self.view(direction, request)).await;
            view = again.and_then(Result::ok).unwrap_or(view);
        }
    }

    /// Waits before the next pass; false if the run was given up meanwhile.
    async fn pause(&self, budget: WaitBudget, waiting: &[(ZoneName, Wait)], run_state: &RunState) -> bool {
        let pause = backoff(WaitBudget::TRIES).pause(budget.idle);
        self.tell(waiting, &format!("asked again in {} s", pause.as_secs()), run_state);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.cancel.given_up() => false,
        }
    }

    /// Zones that have stepped aside are elsewhere now. Where one is that was to, and of which no end is known, must be
    /// settled first.
    fn renew_records(&self, candidates: &mut Vec<Candidate>) {
        let away = self.store.away().map_err(|error| chain(&error));
        candidates.retain_mut(|candidate| renew_record(candidate, &away));
    }

    fn tell(&self, waiting: &[(ZoneName, Wait)], until: &str, run_state: &RunState) {
        for (zone, wait) in waiting {
            let text = format!("{wait}; {until}");
            let _ = run_state.change(zone, |a_move| a_move.error = Some(text.clone()));
            self.events.emit(&Event::Waiting(zone, &text));
        }
    }

    /// Those that wait are waited for no longer.
    fn give_up(&self, waiting: &[(ZoneName, Wait)], run_state: &RunState) -> Option<CancelReason> {
        let stopped = self.cancel.reason();
        if stopped.is_some() && !waiting.is_empty() {
            run_state.cut_short();
        }
        for (zone, wait) in waiting {
            let end = |a_move: &mut Move| {
                (a_move.state, a_move.error) = match stopped {
                    Some(_) => (MoveState::Skipped, Some("cancelled before its turn".to_owned())),
                    None => (MoveState::Failed, Some(wait.in_vain())),
                };
            };
            if let Err(error) = run_state.change(zone, end) {
                self.events.emit(&Event::Warning(&error.to_string()));
            }
        }
        stopped
    }
}

/// Those that are to be booted; those that are to be put to rest are added to `beds`.
fn split_stops(prepared: &[Prepared], stops: &mut Vec<StopPlan>) -> Vec<Rest> {
    let mut rests = Vec::new();
    for one in prepared {
        match &one.readiness {
            Readiness::Rest(plan) => stops.push(plan.clone()),
            Readiness::Wake(rest) => rests.push((**rest).clone()),
            _ => {}
        }
    }
    rests
}

/// Takes over what is recorded of a candidate now. Gives whether the run goes on with it: where a zone is that cannot be
/// read is not known.
fn renew_record(candidate: &mut Candidate, away: &Result<Vec<Away>, String>) -> bool {
    let Intent::Return(known) = &mut candidate.intent else { return true };
    match away {
        Ok(away) => {
            if let Some(row) = away.iter().find(|row| row.zone == candidate.zone) {
                **known = row.clone();
            }
            known.phase == AwayPhase::Away
        }
        Err(error) => {
            candidate.intent = Intent::Unsettled(Some(known.refuge.clone()), Some(error.clone()));
            true
        }
    }
}

fn names_of_ready(prepared: &[Prepared]) -> Vec<ZoneName> {
    let ready = prepared.iter().filter(|one| matches!(one.readiness, Readiness::Ready(_)));
    ready.map(|one| one.zone.clone()).collect()
}

/// Some names, and how many more there are.
fn abbreviate(names: &[ZoneName]) -> String {
    const FEW: usize = 3;
    let mut words: Vec<_> = names.iter().take(FEW).map(ToString::to_string).collect();
    if names.len() > FEW {
        words.push(format!("{} more", names.len() - FEW));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_soon_where_nothing_is_under_way_and_later_elsewhere() {
        let tries = |may_free_up: &[bool], retries| {
            let mut budget = WaitBudget::default();
            may_free_up.iter().take_while(|may_free_up| budget.another(**may_free_up, retries)).count()
        };
        assert_eq!(tries(&[false; 99], 0), 0);
        assert_eq!(tries(&[false; 99], 1), 1);
        assert_eq!(tries(&[false; 99], 10), 7);
        assert_eq!(tries(&[true; 99], 0), 7);
        // Between two moves of another run nothing is to be seen of it.
        assert_eq!(tries(&[true, true, false, true, false, false, false], 1), 5);
        let pauses: u64 =
            (1..=WaitBudget::TRIES).map(|idle| backoff(WaitBudget::TRIES).pause(idle).as_secs()).sum();
        assert!(pauses * 1000 > crate::migration::LEASE);
    }

    #[test]
    fn a_database_that_cannot_be_read_does_not_mean_that_a_zone_is_where_it_was() {
        use crate::store::tests::sample_away;
        let row = sample_away("web");
        let candidate = Candidate {
            zone: row.zone.clone(),
            brand: row.brand,
            intent: Intent::Return(Box::new(row.clone())),
        };
        let renewed = |away: Result<Vec<Away>, String>| {
            let mut candidate = candidate.clone();
            renew_record(&mut candidate, &away).then_some(candidate.intent)
        };
        assert_eq!(renewed(Ok(vec![row.clone()])), Some(Intent::Return(Box::new(row.clone()))));
        assert_eq!(renewed(Ok(vec![Away { phase: AwayPhase::Aside, ..row.clone() }])), None);
        let unsettled = Intent::Unsettled(Some(row.refuge), Some("it is damaged".to_owned()));
        assert_eq!(renewed(Err("it is damaged".to_owned())), Some(unsettled));
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<ZoneName> = ["a", "b", "c", "d", "e"].map(|name| name.parse().unwrap()).into();
        assert_eq!(abbreviate(&names[..3]), "a, b, c");
        assert_eq!(abbreviate(&names), "a, b, c, 2 more");
    }
}
