//! After an interruption: both hosts are asked what is true, and each half-done move is finished or undone.
//!
//! [`decide`] is the whole table. `?` is a host that could not be asked: then nothing is started anywhere.
//!
//! | source says ↓, other says → | runs | held | installed | absent | ? |
//! |---|---|---|---|---|---|
//! | runs      | stuck          | discard there  | keep here      | keep here | wait |
//! | held      | wait           | wait           | wait           | wait      | wait |
//! | installed | forget here    | finish there   | forget here    | keep here | wait |
//! | absent    | it has moved   | finish there   | it has moved   | stuck     | wait |
//! | ?         | wait           | wait           | wait           | wait      | wait |
//!
//! "Held" is an image that arrived and was never let run. "Forget" takes a stopped configuration away; it is
//! whole on the other host then.

use super::{Engine, EvacuationError, Event};
use crate::host::{Host, HostError};
use crate::model::{Aux, Kind, ZoneName};
use crate::store::{Away, AwayPhase};

/// What one host says of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// It runs there.
    Runs,
    /// Its arrived image is held there.
    Held,
    /// It is there and does not run.
    Installed,
    /// It is not there.
    Absent,
    /// The host could not be asked.
    Silent,
}

/// What is to be done with a half-done move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The zone is where it was; nothing is left at the other host.
    Stayed,
    /// It is where it was; throw the held image at the destination away.
    Discard,
    /// It is where it was; a stopped configuration at the destination is taken away.
    TakeBack,
    /// It has moved.
    Moved,
    /// It has moved; take the stopped configuration at the source away.
    Forget,
    /// Its memory is whole at the destination and the source has ended: let it run there.
    LetRun,
    /// Not before both hosts can be asked.
    Wait,
    /// The operator must decide.
    Stuck,
}

/// What to do, from what both hosts say.
pub const fn decide(kind: Kind, source: View, destination: View) -> Action {
    match (source, destination) {
        (View::Silent, _) | (_, View::Silent) | (View::Held, _) => Action::Wait,
        (View::Runs, View::Runs) | (View::Absent, View::Absent) => Action::Stuck,
        (View::Runs, View::Held) => Action::Discard,
        (View::Runs, View::Installed) => Action::TakeBack,
        (View::Runs | View::Installed, View::Absent) => Action::Stayed,
        (View::Absent, View::Runs | View::Installed) => Action::Moved,
        (View::Absent | View::Installed, View::Held) => Action::LetRun,
        (View::Installed, View::Runs) => Action::Forget,
        // A cold move stopped between attach and detach: forward. A live one that never began: back.
        (View::Installed, View::Installed) => match kind {
            Kind::Cold => Action::Forget,
            Kind::Live => Action::TakeBack,
        },
    }
}

/// Settles every half-done move of earlier runs, as far as both of its hosts answer; also zones that are
/// recorded as away and are here again. Gives the records that are still open then: nothing may be done with
/// their zones.
pub async fn settle_interrupted(engine: &Engine) -> Result<Vec<Away>, EvacuationError> {
    let mut rows = engine.store.away()?;
    if rows.is_empty() {
        return Ok(rows);
    }
    let here = engine.local.inventory().await?;
    rows.retain(|row| row.phase != AwayPhase::Away || here.zones.iter().any(|zone| zone.uuid == row.uuid));
    let connected = engine.peers.connect(rows.iter().map(|row| row.refuge.clone())).await;
    let mut open = Vec::new();
    for row in rows {
        let (settled, text) = match connected.get(&row.refuge) {
            Some(Ok(peer)) => settle(engine, &row, peer.as_ref()).await?,
            Some(Err(reason)) => (false, format!("where it is cannot be told: {reason}")),
            None => (false, "where it is cannot be told".to_owned()),
        };
        engine.watcher.event(&Event::Warning(&format!("{}: {text}", row.zone)));
        if !settled {
            open.push(row);
        }
    }
    Ok(open)
}

async fn view(host: &dyn Host, row: &Away) -> View {
    let Ok(inventory) = host.inventory().await else { return View::Silent };
    match inventory.zones.iter().find(|zone| zone.uuid == row.uuid) {
        None => View::Absent,
        Some(zone) if !zone.is_running() => View::Installed,
        // One that its owner had paused before the move looks the same; it is let alone, not let run.
        Some(zone) if matches!(zone.aux, Some(Aux::Paused | Aux::MigratingIn)) => View::Held,
        Some(_) => View::Runs,
    }
}

/// Settles one. Gives whether that could be done, and what was found.
async fn settle(engine: &Engine, row: &Away, peer: &dyn Host) -> Result<(bool, String), EvacuationError> {
    let local = engine.local.as_ref();
    let (source, destination): (&dyn Host, &dyn Host) = match row.phase {
        AwayPhase::Returning => (peer, local),
        AwayPhase::Leaving | AwayPhase::Away => (local, peer),
    };
    if row.kind == Kind::Live && row.phase != AwayPhase::Away {
        // Its hypervisor may still be sending what nobody carries any more. Afterwards it says what is so.
        let _ = source.abort(row.zone.clone()).await;
    }
    let action = decide(row.kind, view(source, row).await, view(destination, row).await);
    let zone = row.zone.clone();
    if row.phase == AwayPhase::Away && action != Action::Stayed {
        // Nobody was moving it, so nothing is undone or finished.
        let text = format!(
            "it is recorded as away at {}, and a zone of this name is here, too; look at both, then 'sysadm evacuate --forget {zone}'",
            row.refuge
        );
        return Ok((false, text));
    }
    if let Some(why) = left_open(action, source, destination, &zone) {
        return Ok((false, why));
    }
    // One that cannot be settled now stops no other.
    let manifest = engine.store.manifest_of(&zone)?;
    let autostart = manifest.is_some_and(|manifest| manifest.zone.autostart && manifest.zone.persistent);
    let moved = match act(action, row, source, destination, autostart).await {
        Ok(moved) => moved,
        Err(error) => {
            return Ok((false, format!("its move was interrupted and cannot be settled yet: {error}")));
        }
    };
    if moved == (row.phase == AwayPhase::Leaving) {
        engine.store.update_away(&Away { phase: AwayPhase::Away, ..row.clone() })?;
    } else {
        engine.store.remove_away(&zone)?;
    }
    let place = if moved { destination.name() } else { source.name() };
    let what = if row.phase == AwayPhase::Away {
        "it was brought back by somebody else"
    } else {
        "its move was interrupted"
    };
    Ok((true, format!("{what}; it is on {place}")))
}

/// Why nothing is done, if so.
fn left_open(action: Action, source: &dyn Host, destination: &dyn Host, zone: &ZoneName) -> Option<String> {
    let (source, destination) = (source.name(), destination.name());
    match action {
        Action::Wait => {
            Some(format!("where it is cannot be told before both {source} and {destination} answer"))
        }
        Action::Stuck => Some(format!(
            "needs you: both or neither of {source} and {destination} say that they have it; look at both, then 'sysadm evacuate --forget {zone}'"
        )),
        _ => None,
    }
}

/// Finishes or undoes a move of a zone that boots with its host or does not; gives whether it has moved.
async fn act(
    action: Action,
    row: &Away,
    source: &dyn Host,
    destination: &dyn Host,
    autostart: bool,
) -> Result<bool, HostError> {
    let (zone, uuid) = (row.zone.clone(), row.uuid);
    match action {
        Action::Discard => destination.discard(zone.clone(), uuid).await?,
        Action::TakeBack => destination.detach(zone.clone(), uuid).await?,
        Action::LetRun => {
            destination.resume(zone.clone(), uuid).await?;
            source.detach(zone.clone(), uuid).await?;
        }
        Action::Forget => source.detach(zone.clone(), uuid).await?,
        Action::Stayed | Action::Moved | Action::Wait | Action::Stuck => {}
    }
    let moved = matches!(action, Action::Moved | Action::Forget | Action::LetRun);
    if moved && autostart {
        // The last step of a move; it may have been interrupted before it.
        destination.set_autostart(zone, true).await?;
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEWS: [View; 5] = [View::Runs, View::Held, View::Installed, View::Absent, View::Silent];

    #[test]
    fn nothing_is_started_while_a_host_is_silent_or_the_zone_runs() {
        for source in VIEWS {
            for destination in VIEWS {
                for kind in [Kind::Live, Kind::Cold] {
                    let action = decide(kind, source, destination);
                    if action == Action::LetRun {
                        assert_eq!(destination, View::Held);
                        assert!(matches!(source, View::Installed | View::Absent));
                    }
                    if source == View::Silent || destination == View::Silent {
                        assert_eq!(action, Action::Wait);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_taken_away_that_is_not_whole_elsewhere() {
        for source in VIEWS {
            for destination in VIEWS {
                for kind in [Kind::Live, Kind::Cold] {
                    match decide(kind, source, destination) {
                        Action::Discard | Action::TakeBack => {
                            assert!(matches!(source, View::Runs | View::Installed));
                            assert!(matches!(destination, View::Held | View::Installed));
                        }
                        Action::Forget => {
                            assert_eq!(source, View::Installed);
                            assert!(matches!(destination, View::Runs | View::Installed));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    #[test]
    fn two_that_run_and_none_at_all_need_the_operator() {
        for kind in [Kind::Live, Kind::Cold] {
            assert_eq!(decide(kind, View::Runs, View::Runs), Action::Stuck);
            assert_eq!(decide(kind, View::Absent, View::Absent), Action::Stuck);
        }
    }
}
