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

use super::ask::Mode;
use super::cancel::QUESTIONS;
use super::prepared::{Prepared, Readiness};
use super::rest::Bed;
use super::resting::Resting;
use super::scene::Scene;
use super::select::{Candidate, Intent};
use super::wait::Wait;
use super::{Board, Engine, Event, Options, Reason, Stage};
use crate::migration::backoff;
use crate::model::ZoneName;
use crate::store::{AwayPhase, Direction, Move, MoveState, Rest};

/// How long is waited for room that only others can give back. Pure.
#[derive(Clone, Copy, Debug, Default)]
struct Patience {
    /// Passes in a row in which nothing could move.
    idle: u32,
    /// The last of them in which nothing was under way at the destinations, either.
    quiet: u32,
}

impl Patience {
    /// Their pauses are longer together than room stays booked for a host that is gone.
    const TRIES: u32 = 7;

    /// One more in which nothing could move. Gives whether another one makes sense.
    fn another(&mut self, under_way: bool, retries: u32) -> bool {
        self.idle += 1;
        self.quiet = if under_way { 0 } else { self.quiet + 1 };
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
        scene: Scene,
        options: &Options,
        board: &Board,
    ) -> Option<Reason> {
        let (resting, mut beds) = (Resting { engine: self, board }, Vec::new());
        let stopped = self.passes(direction, (candidates, scene), options, &resting, &mut beds).await;
        // What stays is put to rest when the others have left, in its order among the candidates.
        resting.lay_down(&beds).await;
        self.cancel.reason().or(stopped)
    }

    async fn passes(
        &self,
        direction: Direction,
        (candidates, mut scene): (Vec<Candidate>, Scene),
        options: &Options,
        resting: &Resting<'_>,
        beds: &mut Vec<Bed>,
    ) -> Option<Reason> {
        let board = resting.board;
        let (mut left, mut patience) = (candidates, Patience::default());
        let mut ahead = None;
        loop {
            let mut prepared = self.prepare_and_measure(&left, &mut scene, options, Mode::Book, board).await;
            let moving = names_of_ready(&prepared);
            if moving.is_empty() && patience.idle == 0 {
                ahead = self.look_ahead(direction, &prepared, options).await;
            }
            if let Some((_, way_out)) = &ahead {
                way_out.tell(&mut prepared);
            }
            let waiting: Vec<_> =
                prepared.iter().filter_map(|one| Some((one.zone.clone(), one.waits()?.clone()))).collect();
            let rests = who_stays(&prepared, beds);
            match moving.len() + rests.len() + beds.len() {
                0 => {}
                count => self.watcher.event(&Event::Moving(count)),
            }
            // What was put to rest last, after all others had left, is back first.
            resting.wake(&rests).await;
            if !moving.is_empty() {
                patience = Patience::default();
                self.tell(&waiting, &format!("next pass after {}", few(&moving)), board);
                let stopped = self.move_all(prepared, &scene, options, board).await;
                if stopped.is_some() || waiting.is_empty() {
                    return self.give_up(&waiting, board);
                }
            } else if waiting.is_empty() || self.cancel.stage() != Stage::Running {
                return self.give_up(&waiting, board);
            } else if patience.idle == 0 && self.step_aside(ahead.as_ref(), options, board).await {
                patience = Patience::default();
            } else {
                let under_way = waiting.iter().any(|(_, wait)| wait.under_way());
                if !patience.another(under_way, options.retries)
                    || !self.pause(patience, &waiting, board).await
                {
                    return self.give_up(&waiting, board);
                }
            }
            left.retain(|candidate| waiting.iter().any(|(zone, _)| *zone == candidate.zone));
            self.renew_records(&mut left);
            // Much is otherwise now. What cannot be asked again is as it was.
            let again = self.cancel.bound(QUESTIONS, self.scene(direction, options)).await;
            scene = again.and_then(Result::ok).unwrap_or(scene);
        }
    }

    /// Waits before the next pass; false if the run was given up meanwhile.
    async fn pause(&self, patience: Patience, waiting: &[(ZoneName, Wait)], board: &Board) -> bool {
        let pause = backoff(Patience::TRIES).pause(patience.idle);
        self.tell(waiting, &format!("asked again in {} s", pause.as_secs()), board);
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.cancel.given_up() => false,
        }
    }

    /// Zones that have stepped aside are elsewhere now. Where one is that was to, and of which no end is known, must be
    /// settled first.
    fn renew_records(&self, candidates: &mut Vec<Candidate>) {
        let away = self.store.away().unwrap_or_default();
        candidates.retain_mut(|candidate| {
            let Intent::Return(known) = &mut candidate.intent else { return true };
            if let Some(row) = away.iter().find(|row| row.zone == candidate.zone) {
                **known = row.clone();
            }
            known.phase == AwayPhase::Away
        });
    }

    fn tell(&self, waiting: &[(ZoneName, Wait)], until: &str, board: &Board) {
        for (zone, wait) in waiting {
            let text = format!("{wait}; {until}");
            let _ = board.change(zone, |a_move| a_move.error = Some(text.clone()));
            self.watcher.event(&Event::Waiting(zone, &text));
        }
    }

    /// Those that wait are waited for no longer.
    fn give_up(&self, waiting: &[(ZoneName, Wait)], board: &Board) -> Option<Reason> {
        let stopped = self.cancel.reason();
        if stopped.is_some() && !waiting.is_empty() {
            board.cut_short();
        }
        for (zone, wait) in waiting {
            let end = |a_move: &mut Move| {
                (a_move.state, a_move.error) = match stopped {
                    Some(_) => (MoveState::Skipped, Some("cancelled before its turn".to_owned())),
                    None => (MoveState::Failed, Some(wait.in_vain())),
                };
            };
            if let Err(error) = board.change(zone, end) {
                self.watcher.event(&Event::Warning(&error.to_string()));
            }
        }
        stopped
    }
}

/// Those that are to be booted; those that are to be put to rest are added to `beds`.
fn who_stays(prepared: &[Prepared], beds: &mut Vec<Bed>) -> Vec<Rest> {
    let mut rests = Vec::new();
    for one in prepared {
        match &one.readiness {
            Readiness::Rest(bed) => beds.push(bed.clone()),
            Readiness::Wake(rest) => rests.push((**rest).clone()),
            _ => {}
        }
    }
    rests
}

fn names_of_ready(prepared: &[Prepared]) -> Vec<ZoneName> {
    let ready = prepared.iter().filter(|one| matches!(one.readiness, Readiness::Ready(_)));
    ready.map(|one| one.zone.clone()).collect()
}

/// Some names, and how many more there are.
fn few(names: &[ZoneName]) -> String {
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
        let tries = |under_way: &[bool], retries| {
            let mut patience = Patience::default();
            under_way.iter().take_while(|under_way| patience.another(**under_way, retries)).count()
        };
        assert_eq!(tries(&[false; 99], 0), 0);
        assert_eq!(tries(&[false; 99], 1), 1);
        assert_eq!(tries(&[false; 99], 10), 7);
        assert_eq!(tries(&[true; 99], 0), 7);
        // Between two moves of another run nothing is to be seen of it.
        assert_eq!(tries(&[true, true, false, true, false, false, false], 1), 5);
        let pauses: u64 =
            (1..=Patience::TRIES).map(|idle| backoff(Patience::TRIES).pause(idle).as_secs()).sum();
        assert!(pauses * 1000 > crate::migration::LEASE);
    }

    #[test]
    fn many_names_are_counted() {
        let names: Vec<ZoneName> = ["a", "b", "c", "d", "e"].map(|name| name.parse().unwrap()).into();
        assert_eq!(few(&names[..3]), "a, b, c");
        assert_eq!(few(&names), "a, b, c, 2 more");
    }
}
