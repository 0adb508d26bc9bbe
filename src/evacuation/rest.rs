//! Zones that do not leave: stopped or suspended here, one after another, and booted again on return in the
//! reverse order.
//!
//! ```text
//!   record: stopping ─► the zone is asked to end ─► record: stopped … boot ─► no record
//! ```
//!
//! Their order is that of `stop_order`: what others depend on comes `after` them in the policy, so it is
//! stopped last and booted first.
//!
//! This file has the records, and what is made of them after an interruption; `resting` acts. A zone that its
//! owner has booted or removed meanwhile is not touched, which is reported.

use uuid::Uuid;

use super::engine::Engine;
use super::error::EvacuationError;
use super::events::Event;
use super::request::Request;
use crate::migration::recovery::Observed;
use crate::model::{Aux, Inventory, Step, Zone, ZoneName};
use crate::plan::Action;
use crate::store::{Place, ZoneRecord};

/// What this host says of a zone.
pub(super) fn seen(inventory: &Inventory, uuid: Uuid) -> (Observed, Option<&Zone>) {
    let zone = inventory.zones.iter().find(|zone| zone.uuid == uuid);
    (Observed::of(zone), zone)
}

/// What becomes of a record, and what is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RecordFate {
    /// It is correct.
    Keep,
    /// The zone is stopped.
    Rests(&'static str),
    /// There is nothing to be booted any more.
    Drop(&'static str),
    /// The zone has not ended yet.
    Wait(&'static str),
}

/// What to make of a record that an earlier run has left. `ours`: the last step that was begun was to boot the zone.
const fn judge(place: Place, seen: Observed, ours: bool) -> RecordFate {
    match (place, seen) {
        (_, Observed::Silent) => RecordFate::Wait("its host does not answer"),
        (_, Observed::Absent | Observed::GoneOn) => {
            RecordFate::Drop("it rested here and was removed meanwhile; nothing is left to boot")
        }
        (Place::Suspending, Observed::Held) => {
            RecordFate::Wait("its memory is being saved; when that has ended: 'sysadm evacuate --resume'")
        }
        (Place::Stopping | Place::Suspending, Observed::Installed) => {
            RecordFate::Rests("it was interrupted while it was stopped; it rests here now")
        }
        (Place::Stopping | Place::Suspending, Observed::Runs | Observed::Moves | Observed::Held) => {
            RecordFate::Drop("it was interrupted while it was stopped; it runs on here")
        }
        (_, Observed::Installed) => RecordFate::Keep,
        (_, Observed::Runs | Observed::Moves | Observed::Held) if ours => {
            RecordFate::Drop("its return was interrupted; it runs here again")
        }
        (_, Observed::Runs | Observed::Moves | Observed::Held) => {
            RecordFate::Drop("it rested here and was booted by somebody else; it is left as it is")
        }
    }
}

/// Corrects the records of zones that were stopped here, after an interruption or acts of their owners.
pub(super) async fn settle(engine: &Engine) -> Result<(), EvacuationError> {
    let stopped = engine.store.stopped()?;
    if stopped.is_empty() {
        return Ok(());
    }
    let inventory = engine.local.inventory().await?;
    for rest in stopped {
        if let Err(unmanaged_guest) = inventory.identified(rest.uuid) {
            engine.events.emit(&Event::Warning(&unmanaged_guest.to_string()));
            continue;
        }
        let ours = engine.store.last_step(&rest.zone)? == Some(Step::Boot);
        let (seen, zone) = seen(&inventory, rest.uuid);
        let text = match judge(rest.place, seen, ours) {
            RecordFate::Keep => continue,
            RecordFate::Wait(text) => text,
            RecordFate::Rests(text) => {
                engine.store.update_zone(&rests_now(&rest, zone))?;
                text
            }
            RecordFate::Drop(text) => {
                engine.store.zone_is_here(rest.uuid)?;
                text
            }
        };
        engine.events.emit(&Event::Warning(&format!("{}: {text}", rest.zone)));
    }
    Ok(())
}

/// The record of a zone that does not run. If its memory was not saved, it was stopped.
pub(super) fn rests_now(rest: &ZoneRecord, zone: Option<&Zone>) -> ZoneRecord {
    let saved = zone.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
    let place = match rest.place {
        Place::Suspending | Place::Suspended if saved => Place::Suspended,
        _ => Place::Stopped,
    };
    ZoneRecord { place, ended: Some(Engine::now()), ..rest.clone() }
}

/// Which of these zones the policy leaves running, and which not; zones that the run is about are not left.
pub(super) fn left_alone(running: Vec<ZoneName>, request: &Request) -> (Vec<ZoneName>, Vec<ZoneName>) {
    running.into_iter().partition(|zone| request.actions.of(zone) == Action::Leave)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 4] = [Place::Stopping, Place::Stopped, Place::Suspending, Place::Suspended];

    fn each(mut check: impl FnMut(Place, Observed, RecordFate)) {
        for place in PLACES {
            for &seen in Observed::ALL {
                for ours in [true, false] {
                    check(place, seen, judge(place, seen, ours));
                }
            }
        }
    }

    #[test]
    fn a_zone_that_is_down_is_never_dropped_and_one_that_runs_is_never_kept() {
        each(|place, seen, verdict| {
            let keeps = matches!(verdict, RecordFate::Keep | RecordFate::Rests(_));
            assert_eq!(keeps, seen == Observed::Installed, "{place} {seen:?}: {verdict:?}");
        });
    }

    #[test]
    fn only_the_end_of_a_save_and_a_host_that_is_silent_are_waited_for() {
        each(|place, seen, verdict| {
            let saving = (place, seen) == (Place::Suspending, Observed::Held);
            let silent = seen == Observed::Silent;
            assert_eq!(matches!(verdict, RecordFate::Wait(_)), saving || silent);
        });
    }

    #[test]
    fn a_zone_that_rests_is_told_from_one_that_was_booted_by_others() {
        let stopped = |ours| judge(Place::Stopped, Observed::Runs, ours);
        assert!(matches!(stopped(false), RecordFate::Drop(text) if text.contains("somebody else")));
        assert!(matches!(stopped(true), RecordFate::Drop(text) if text.contains("runs here again")));
    }
}
