//! Which zones a run is about, and how each would move. Pure.

use std::collections::BTreeMap;

use super::actions::{Way, way};
use super::error::EvacuationError;
use super::job::{Candidate, Intent, StopPlan};
use super::recover::Open;
use super::request::Request;
use crate::model::{Abilities, Brand, HostUri, Inventory, UnmanagedGuest, Zone, ZoneName, ZoneState};
use crate::plan::Action;
use crate::store::{Away, Detached, Rest, RestPhase, TargetKey, ZoneRecord, targets_of};

/// Who could move, and who is in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// One for each zone that the run is about.
    pub list: Vec<Candidate>,
    /// Guests that would have to leave, and cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
}

fn unsettled(open: &Open) -> Intent {
    Intent::Unsettled(Some(open.row.refuge.clone()), open.why.clone())
}

/// Every zone that was named must be there, or have left already.
pub fn known(
    inventory: &Inventory,
    away: &[Away],
    open: &[Open],
    request: &Request,
) -> Result<(), EvacuationError> {
    let is_known =
        |name: &ZoneName| open.iter().map(|open| &open.row).chain(away).any(|row| row.zone == *name);
    let unknown = |name: &&ZoneName| inventory.find(name).is_none() && !is_known(name);
    let unknown: Vec<_> = request.zones.iter().filter(unknown).collect();
    EvacuationError::not_zones(inventory, &unknown)
}

/// Zones that were named and have left already: nothing is to be done with them.
pub fn gone_already<'a>(
    inventory: &Inventory,
    away: &'a [Away],
    open: &[Open],
    request: &Request,
) -> Vec<&'a Away> {
    let is_named = |row: &&Away| request.zones.contains(&row.zone) && inventory.find(&row.zone).is_none();
    let is_open = |row: &&Away| open.iter().any(|open| open.row.zone == row.zone);
    away.iter().filter(is_named).filter(|row| !is_open(row)).collect()
}

/// The zones that an evacuation is about. `away` are all records of zones that are elsewhere, `open` those of them
/// that could not be settled; `able` says what the platform can do with zones of a brand.
pub fn leaving(
    inventory: &Inventory,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    away: &[Away],
    open: &[Open],
    request: &Request,
    able: impl Fn(Brand) -> Abilities,
) -> Result<Candidates, EvacuationError> {
    known(inventory, away, open, request)?;
    let is_open = |name: &ZoneName| open.iter().any(|open| open.row.zone == *name);
    let named = !request.zones.is_empty();
    // Those that are half gone: nobody may believe that all is done.
    let half_gone = open
        .iter()
        .map(|open| (&open.row, open))
        .filter(|(row, _)| {
            inventory.find(&row.zone).is_none() && (!named || request.zones.contains(&row.zone))
        })
        .map(|(row, open)| Candidate { zone: row.zone.clone(), brand: row.brand, intent: unsettled(open) });
    let wanted = |zone: &&Zone| {
        let action = request.actions.of(&zone.name);
        if action == Action::Leave && !is_open(&zone.name) {
            false
        } else if named {
            request.zones.contains(&zone.name)
        } else {
            zone.is_running()
                || (request.all
                    && zone.state == ZoneState::Installed
                    && way(zone, able(zone.brand), action) != Ok(Way::Stay))
                || is_open(&zone.name)
        }
    };
    let list = inventory.zones.iter().filter(wanted).map(|zone| Candidate {
        zone: zone.name.clone(),
        brand: zone.brand,
        intent: match way(zone, able(zone.brand), request.actions.of(&zone.name)) {
            _ if let Some(open) = open.iter().find(|open| open.row.zone == zone.name) => unsettled(open),
            // Its record would take the other one's place.
            _ if let Some(other) = away.iter().find(|row| row.zone == zone.name && row.uuid != zone.uuid) => {
                Intent::Skip(format!(
                    "another zone of this name is away at {}; return that one, or give it up",
                    other.refuge
                ))
            }
            Err(reason) => Intent::Skip(reason),
            Ok(Way::Stay) => Intent::Skip("it does not run".to_owned()),
            Ok(Way::Rest(way)) => {
                Intent::Rest(StopPlan { zone: zone.name.clone(), uuid: zone.uuid, brand: zone.brand, way })
            }
            Ok(Way::Move(kind)) if let Some(only) = request.only.filter(|only| *only != kind) => {
                Intent::Skip(format!("its way to move is {kind}, and only {only} was asked for"))
            }
            Ok(Way::Move(kind)) => match targets_of(targets, &zone.name).0 {
                [] => Intent::Skip(format!("no target; set one: sysadm target set {} URI", zone.name)),
                targets => Intent::Leave { kind, targets: targets.to_vec() },
            },
        },
    });
    let unmanaged = inventory.unhandled(request.all).filter(|_| !named);
    Ok(Candidates { list: list.chain(half_gone).collect(), unmanaged: unmanaged.cloned().collect() })
}

/// The zones of this host itself that are here.
pub fn at_home(inventory: &Inventory, records: &[ZoneRecord]) -> Vec<ZoneName> {
    let is_guest = |record: &&ZoneRecord| record.home.is_some();
    let own = |zone: &&Zone| records.iter().filter(is_guest).all(|guest| guest.uuid != zone.uuid);
    inventory.zones.iter().filter(own).map(|zone| zone.name.clone()).collect()
}

/// The zones that a return is about. Whether they still run at their refuges is found out later. `open` are the
/// records that could not be settled, `rests` the zones that rest here: they come first, the last one first. With those
/// that are `home` nothing is to be done.
pub fn returning(
    away: Vec<Away>,
    rests: &[Rest],
    open: &[Open],
    home: &[ZoneName],
    request: &Request,
) -> Result<Candidates, EvacuationError> {
    let unknown: Vec<_> = request
        .zones
        .iter()
        .filter(|name| !away.iter().any(|row| row.zone == **name))
        .filter(|name| !rests.iter().any(|rest| rest.zone == **name) && !home.contains(name))
        .map(ToString::to_string)
        .collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NotAway(unknown));
    }
    let wanted = |row: &Away| request.zones.is_empty() || request.zones.contains(&row.zone);
    let list = away.into_iter().filter(wanted).map(|row| Candidate {
        zone: row.zone.clone(),
        brand: row.brand,
        intent: match open.iter().find(|open| open.row.zone == row.zone) {
            Some(open) => unsettled(open),
            None => Intent::Return(Box::new(row)),
        },
    });
    Ok(Candidates { list: to_boot(rests, request).chain(list).collect(), unmanaged: Vec::new() })
}

/// Zones that rest here already do not leave, and are not in the way; one that is being saved is waited for.
pub(super) fn keep_out(candidates: &mut Candidates, rests: &[Rest], request: &Request) {
    candidates.list.retain_mut(|candidate| {
        match rests.iter().find(|rest| rest.zone == candidate.zone) {
            None => return true,
            Some(rest) if rest.phase == RestPhase::Stopping => {
                candidate.intent = Intent::Unsettled(None, None)
            }
            Some(_) if request.zones.contains(&candidate.zone) => {
                let reason =
                    "it rests here, and is booted again on return; 'sysadm evacuate --forget' gives that up";
                candidate.intent = Intent::Skip(reason.to_owned());
            }
            Some(_) => return false,
        }
        true
    });
}

/// A zone that has gone for good is configured here, under its name: one whose name another configured zone has does not
/// go.
pub(super) fn keep_namesakes(candidates: &mut Candidates, configured: &[Detached], inventory: &Inventory) {
    for candidate in &mut candidates.list {
        let uuid = inventory.find(&candidate.zone).map(|zone| zone.uuid);
        let other = configured.iter().find(|row| row.zone == candidate.zone && Some(row.uuid) != uuid);
        if let (Some(other), Intent::Leave { .. }) = (other, &candidate.intent) {
            candidate.intent = Intent::Skip(format!(
                "another zone of this name is configured here ({}); delete that one first: sysadm zone delete {}",
                other.uuid, other.zone
            ));
        }
    }
}

/// Those that are to be booted again on return, the last one first.
pub(super) fn to_boot(rests: &[Rest], request: &Request) -> impl Iterator<Item = Candidate> {
    let wanted = |rest: &&Rest| request.zones.is_empty() || request.zones.contains(&rest.zone);
    rests.iter().rev().filter(wanted).map(|rest| Candidate {
        zone: rest.zone.clone(),
        brand: rest.brand,
        intent: match rest.phase {
            RestPhase::Resting => Intent::Wake(Box::new(rest.clone())),
            RestPhase::Stopping => Intent::Unsettled(None, None),
        },
    })
}

#[cfg(test)]
mod tests;
