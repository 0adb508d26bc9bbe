//! Zones that do not leave: stopped or suspended here, one after another, and booted again on return, the last one
//! first.
//!
//! ```text
//!   row: stopping ─► the zone is asked to end ─► row: resting … boot ─► no row
//! ```
//!
//! Their order is that of `bedtime`: what others depend on comes `after` them in the policy, so it is
//! stopped last and booted first.
//!
//! This is what the records say, and what is made of them after an interruption; `resting` does it. A zone that its
//! owner has booted or removed meanwhile is not touched; that is said.

use uuid::Uuid;

use super::engine::Engine;
use super::error::EvacuationError;
use super::events::Event;
use super::request::Request;
use crate::host::Host;
use crate::model::{Aux, Inventory, Step, Zone, ZoneName};
use crate::plan::Action;
use crate::store::{MoveState, Rest, RestPhase, RestWay};

/// What a zone that rests is listed as.
pub(super) const fn state_of(way: RestWay) -> MoveState {
    match way {
        RestWay::Stop => MoveState::Stopped,
        RestWay::Suspend => MoveState::Suspended,
    }
}

/// What is said of a zone by its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It runs.
    Runs,
    /// Its processors are held: its memory is being saved.
    Held,
    /// It does not run.
    Down,
    /// It is not here.
    Gone,
}

pub(super) fn seen(inventory: &Inventory, uuid: Uuid) -> (Seen, Option<&Zone>) {
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
        if let Err(unmanaged_guest) = inventory.identified(rest.uuid) {
            engine.events.emit(&Event::Warning(&unmanaged_guest.to_string()));
            continue;
        }
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
        engine.events.emit(&Event::Warning(&format!("{}: {text}", rest.zone)));
    }
    Ok(())
}

/// The record of a zone that is down. One whose memory was not saved was stopped.
pub(super) fn rests_now(rest: &Rest, zone: Option<&Zone>) -> Rest {
    let saved = zone.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
    let way = if saved { rest.way } else { RestWay::Stop };
    Rest { way, phase: RestPhase::Resting, ended: Some(Engine::now()), ..rest.clone() }
}

/// Which of them run on as they are, by wish: not one that this run is about.
pub(super) fn left_alone(running: Vec<ZoneName>, request: &Request) -> (Vec<ZoneName>, Vec<ZoneName>) {
    running.into_iter().partition(|zone| request.actions.of(zone) == Action::Leave)
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
