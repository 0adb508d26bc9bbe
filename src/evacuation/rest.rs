//! Zones that do not leave: stopped or suspended here, one after another, and booted again on return, the last one
//! first.
//!
//! ```text
//!   row: stopping ─► the zone is asked to end ─► row: resting … boot ─► no row
//! ```
//!
//! What was asked of the hypervisor may have been answered or not: what counts is what it says of the zone then. A
//! zone that its owner has booted or removed meanwhile is not touched; that is said.

use super::cancel::{MOVES, QUESTIONS};
use super::select::{Candidate, Candidates, Intent};
use super::{Board, Engine, EvacuationError, Event, Options, Stage};
use crate::host::Host;
use crate::model::{Aux, Brand, Inventory, Step, Zone, ZoneName};
use crate::plan::Action;
use crate::points::{Place, When};
use crate::store::{Entry, Mark, Move, MoveState, Rest, RestPhase, RestWay};
use uuid::Uuid;

/// One zone that is to be put to rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bed {
    /// The zone.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    /// How.
    pub way: RestWay,
}

/// What a zone that rests is listed as.
pub(super) const fn state_of(way: RestWay) -> MoveState {
    match way {
        RestWay::Stop => MoveState::Stopped,
        RestWay::Suspend => MoveState::Suspended,
    }
}

/// What is said of a zone by its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// It runs.
    Runs,
    /// Its processors are held: its memory is being saved.
    Held,
    /// It does not run.
    Down,
    /// It is not here.
    Gone,
}

fn seen(inventory: &Inventory, uuid: Uuid) -> (Seen, Option<&Zone>) {
    let zone = inventory.zones.iter().find(|zone| zone.uuid == uuid);
    let seen = match zone {
        None => Seen::Gone,
        Some(zone) if !zone.is_running() => Seen::Down,
        Some(zone) if zone.aux == Some(Aux::Paused) => Seen::Held,
        Some(_) => Seen::Runs,
    };
    (seen, zone)
}

/// What becomes of a record, and what is said.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is as it says.
    Keep,
    /// The zone rests.
    Rests(&'static str),
    /// There is nothing to be booted any more.
    Drop(&'static str),
    /// Not before it has ended.
    Wait(&'static str),
}

/// What to make of a record that an earlier run has left. `ours`: the last that was begun was to boot it.
const fn judge(phase: RestPhase, way: RestWay, seen: Seen, ours: bool) -> Verdict {
    match (phase, way, seen) {
        (_, _, Seen::Gone) => {
            Verdict::Drop("it rested here and was removed meanwhile; nothing is left to boot")
        }
        (RestPhase::Stopping, RestWay::Suspend, Seen::Held) => {
            Verdict::Wait("its memory is being saved; when that has ended: 'sysadm evacuate --resume'")
        }
        (RestPhase::Stopping, _, Seen::Down) => {
            Verdict::Rests("it was interrupted while it was stopped; it rests here now")
        }
        (RestPhase::Stopping, _, Seen::Runs | Seen::Held) => {
            Verdict::Drop("it was interrupted while it was stopped; it runs on here")
        }
        (RestPhase::Resting, _, Seen::Down) => Verdict::Keep,
        (RestPhase::Resting, _, Seen::Runs | Seen::Held) if ours => {
            Verdict::Drop("its return was interrupted; it runs here again")
        }
        (RestPhase::Resting, _, Seen::Runs | Seen::Held) => {
            Verdict::Drop("it rested here and was booted by somebody else; it is left as it is")
        }
    }
}

/// Puts the records of zones that rest here right, after an interruption and after what their owners have done.
pub(super) async fn settle(engine: &Engine) -> Result<(), EvacuationError> {
    let rests = engine.store.rests()?;
    if rests.is_empty() {
        return Ok(());
    }
    let inventory = engine.local.inventory().await?;
    for rest in rests {
        let ours = engine.store.last_step(&rest.zone)? == Some(Step::Boot);
        let (seen, zone) = seen(&inventory, rest.uuid);
        let text = match judge(rest.phase, rest.way, seen, ours) {
            Verdict::Keep => continue,
            Verdict::Wait(text) => text,
            Verdict::Rests(text) => {
                engine.store.update_rest(&rests_now(&rest, zone))?;
                text
            }
            Verdict::Drop(text) => {
                engine.store.remove_rest(&rest.zone)?;
                text
            }
        };
        engine.watcher.event(&Event::Warning(&format!("{}: {text}", rest.zone)));
    }
    Ok(())
}

/// The record of a zone that is down. One whose memory was not saved was stopped.
fn rests_now(rest: &Rest, zone: Option<&Zone>) -> Rest {
    let saved = zone.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
    let way = if saved { rest.way } else { RestWay::Stop };
    Rest { way, phase: RestPhase::Resting, ended: Some(Engine::now()), ..rest.clone() }
}

/// Zones that rest here already do not leave, and are not in the way; one that is being saved is waited for.
pub(super) fn keep_out(candidates: &mut Candidates, rests: &[Rest], options: &Options) {
    candidates.list.retain_mut(|candidate| {
        match rests.iter().find(|rest| rest.zone == candidate.zone) {
            None => return true,
            Some(rest) if rest.phase == RestPhase::Stopping => candidate.intent = Intent::Unsettled,
            Some(_) if options.zones.contains(&candidate.zone) => {
                let reason =
                    "it rests here, and is booted again on return; 'sysadm evacuate --forget' gives that up";
                candidate.intent = Intent::Skip(reason.to_owned());
            }
            Some(_) => return false,
        }
        true
    });
}

/// Those that are to be booted again on return, the last one first.
pub(super) fn wakers(rests: &[Rest], options: &Options) -> impl Iterator<Item = Candidate> {
    let wanted = |rest: &&Rest| options.zones.is_empty() || options.zones.contains(&rest.zone);
    rests.iter().rev().filter(wanted).map(|rest| Candidate {
        zone: rest.zone.clone(),
        brand: rest.brand,
        intent: match rest.phase {
            RestPhase::Resting => Intent::Wake(Box::new(rest.clone())),
            RestPhase::Stopping => Intent::Unsettled,
        },
    })
}

/// Which of them run on as they are, by wish: not one that this run is about.
pub(super) fn left_alone(running: Vec<ZoneName>, options: &Options) -> (Vec<ZoneName>, Vec<ZoneName>) {
    running.into_iter().partition(|zone| options.actions.of(zone) == Action::Leave)
}

/// The part of a run that is about zones that stay.
pub(super) struct Resting<'a> {
    pub engine: &'a Engine,
    pub board: &'a Board,
}

impl Resting<'_> {
    /// Puts them to rest in that order.
    pub async fn lay_down(&self, beds: &[Bed]) {
        for bed in beds {
            if self.its_turn(&bed.zone) {
                self.engine.watcher.event(&Event::Resting(&bed.zone, bed.way));
                let step = match bed.way {
                    RestWay::Stop => Step::Shutdown,
                    RestWay::Suspend => Step::Save,
                };
                let (state, error) = self.rest(bed, step).await;
                self.end(&bed.zone, state, error);
            }
        }
    }

    /// Boots them in that order.
    pub async fn wake(&self, rests: &[Rest]) {
        for rest in rests {
            if self.its_turn(&rest.zone) {
                self.engine.watcher.event(&Event::Waking(&rest.zone));
                let (state, error) = match self.begin(&rest.zone, Step::Boot) {
                    Ok(()) => self.boot(rest).await,
                    Err(reason) => (MoveState::Failed, Some(reason)),
                };
                self.end(&rest.zone, state, error);
            }
        }
    }

    fn its_turn(&self, zone: &ZoneName) -> bool {
        let runs = self.engine.cancel.stage() == Stage::Running;
        if !runs {
            self.end(zone, MoveState::Skipped, Some("cancelled before its turn".to_owned()));
        }
        runs
    }

    async fn rest(&self, bed: &Bed, step: Step) -> (MoveState, Option<String>) {
        let (engine, zone, uuid) = (self.engine, &bed.zone, bed.uuid);
        let row = Rest {
            zone: zone.clone(),
            uuid,
            brand: bed.brand,
            way: bed.way,
            phase: RestPhase::Stopping,
            started: Engine::now(),
            ended: None,
        };
        // Before all else: if the power fails in the middle of it, the zone is booted on return.
        if let Err(error) = engine.store.begin_rest(&row) {
            return (MoveState::Failed, Some(crate::host::chain(&error)));
        }
        if let Err(reason) = self.begin(zone, step) {
            self.forget(zone);
            return (MoveState::Failed, Some(reason));
        }
        let limit = u64::try_from(engine.policy.shutdown.as_millis()).unwrap_or(u64::MAX);
        let asking = async {
            match bed.way {
                RestWay::Stop => engine.local.shutdown(zone.clone(), uuid, limit).await,
                RestWay::Suspend => engine.local.save(zone, uuid).await,
            }
        };
        // A shutdown cannot be called back: the end of it is waited for, also when the run is given up.
        let answer = engine.cancel.bound(MOVES, asking).await;
        let Some(inventory) = self.look().await.filter(|_| answer.is_some()) else {
            let text = "whether it has ended is not known; 'sysadm evacuate --resume' finds out";
            return (MoveState::Unknown, Some(text.to_owned()));
        };
        let reason = match answer {
            Some(Err(error)) => error.to_string(),
            _ => "it still runs".to_owned(),
        };
        let (seen, found) = seen(&inventory, uuid);
        if seen == Seen::Down {
            let now = rests_now(&row, found);
            self.told(engine.store.update_rest(&now).map_err(|error| crate::host::chain(&error)), zone);
            self.told(self.done(zone, step), zone);
            let error = (now.way != bed.way).then(|| format!("its memory was not saved: {reason}"));
            return (state_of(now.way), error);
        }
        self.forget(zone);
        self.told(self.write(zone, step, Mark::Failed, Some(reason.clone())), zone);
        (MoveState::Failed, Some(reason))
    }

    async fn boot(&self, rest: &Rest) -> (MoveState, Option<String>) {
        let (engine, zone) = (self.engine, &rest.zone);
        let unknown = || {
            let text = "whether it runs is not known; 'sysadm evacuate --resume' finds out";
            (MoveState::Unknown, Some(text.to_owned()))
        };
        let Some(before) = self.look().await else { return unknown() };
        let saved = seen(&before, rest.uuid).1.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
        let answer = engine.cancel.bound(MOVES, engine.local.boot(zone.clone(), rest.uuid)).await;
        let Some(inventory) = self.look().await.filter(|_| answer.is_some()) else { return unknown() };
        if seen(&inventory, rest.uuid).0 != Seen::Runs {
            let reason = match answer {
                Some(Err(error)) => error.to_string(),
                _ => "it was booted and has ended at once".to_owned(),
            };
            self.told(self.write(zone, Step::Boot, Mark::Failed, Some(reason.clone())), zone);
            return (MoveState::Failed, Some(reason));
        }
        // In this order: if the power fails just now, it is booted once more.
        self.told(self.done(zone, Step::Boot), zone);
        self.forget(zone);
        if rest.way == RestWay::Suspend && !saved {
            self.told(Err("its saved memory was gone; it was booted afresh".to_owned()), zone);
        }
        (MoveState::Returned, None)
    }

    /// There is nothing to be booted any more.
    fn forget(&self, zone: &ZoneName) {
        let removed = self.engine.store.remove_rest(zone);
        self.told(removed.map(drop).map_err(|error| crate::host::chain(&error)), zone);
    }

    async fn look(&self) -> Option<Inventory> {
        let asked = self.engine.cancel.bound(QUESTIONS, self.engine.local.inventory()).await;
        asked.and_then(Result::ok)
    }

    /// The intent of its step is on the disk before anything is done with it.
    fn begin(&self, zone: &ZoneName, step: Step) -> Result<(), String> {
        self.write(zone, step, Mark::Intent, None)?;
        self.engine.local.points().reach(Place::Journal, When::Before, step)?;
        let begun = |a_move: &mut Move| {
            (a_move.state, a_move.step, a_move.started) =
                (MoveState::Migrating, Some(step), Some(Engine::now()));
        };
        self.board.change(zone, begun).map(drop).map_err(|error| crate::host::chain(&error))
    }

    fn done(&self, zone: &ZoneName, step: Step) -> Result<(), String> {
        self.write(zone, step, Mark::Done, None)?;
        self.engine.local.points().reach(Place::Journal, When::After, step)
    }

    fn end(&self, zone: &ZoneName, state: MoveState, error: Option<String>) {
        let change = |a_move: &mut Move| {
            (a_move.state, a_move.error, a_move.ended) = (state, error, Some(Engine::now()));
        };
        match self.board.change(zone, change) {
            Ok(a_move) => self.engine.watcher.event(&Event::Ended(&a_move)),
            Err(error) => self.engine.watcher.event(&Event::Warning(&error.to_string())),
        }
    }

    fn write(&self, zone: &ZoneName, step: Step, mark: Mark, detail: Option<String>) -> Result<(), String> {
        let Some(run) = self.board.run() else { return Ok(()) };
        let entry = Entry { zone: zone.clone(), step, mark, at: Engine::now(), detail };
        self.engine.store.log_step(run, &entry).map_err(|error| crate::host::chain(&error))
    }

    /// What was done is done; that it could not be written down is said.
    fn told(&self, written: Result<(), String>, zone: &ZoneName) {
        if let Err(reason) = written {
            self.engine.watcher.event(&Event::Warning(&format!("{zone}: {reason}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: [Seen; 4] = [Seen::Runs, Seen::Held, Seen::Down, Seen::Gone];

    fn each(mut check: impl FnMut(RestPhase, RestWay, Seen, Verdict)) {
        for &phase in RestPhase::ALL {
            for &way in RestWay::ALL {
                for seen in SEEN {
                    for ours in [true, false] {
                        check(phase, way, seen, judge(phase, way, seen, ours));
                    }
                }
            }
        }
    }

    #[test]
    fn a_zone_that_is_down_is_never_dropped_and_one_that_runs_is_never_kept() {
        each(|phase, way, seen, verdict| {
            let keeps = matches!(verdict, Verdict::Keep | Verdict::Rests(_));
            assert_eq!(keeps, seen == Seen::Down, "{phase} {way} {seen:?}: {verdict:?}");
        });
    }

    #[test]
    fn only_the_end_of_a_save_is_waited_for() {
        each(|phase, way, seen, verdict| {
            let saving = (phase, way, seen) == (RestPhase::Stopping, RestWay::Suspend, Seen::Held);
            assert_eq!(matches!(verdict, Verdict::Wait(_)), saving);
        });
    }

    #[test]
    fn a_zone_that_rests_is_told_from_one_that_was_booted_by_others() {
        let resting = |ours| judge(RestPhase::Resting, RestWay::Stop, Seen::Runs, ours);
        assert!(matches!(resting(false), Verdict::Drop(text) if text.contains("somebody else")));
        assert!(matches!(resting(true), Verdict::Drop(text) if text.contains("runs here again")));
    }
}
