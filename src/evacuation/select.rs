//! Which zones a run is about, and how each would move. Pure.

use std::collections::BTreeMap;

use super::job::Job;
use super::job_state::JobState;
use super::operation::Operation;
use super::recover::Unsettled;
use super::request::{EvacuationError, Request};
use super::return_path::forget;
use crate::model::{
    Abilities, Brand, HostUri, Inventory, Message, RESUME, UnmanagedGuest, Zone, ZoneName, ZoneState,
};
use crate::plan::Action;
use crate::store::{TargetKey, ZoneRecord, targets_of};

/// The zones of a run, and the guests that it cannot move.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// One job for each zone that the run is about.
    pub list: Vec<Job>,
    /// Guests that should leave but cannot be handled.
    pub unmanaged: Vec<UnmanagedGuest>,
}

/// Why nothing is done with a zone whose last move is not settled.
fn undecided() -> Message {
    Message::from("an earlier move of it was interrupted").with_hint(RESUME)
}

fn unsettled(open: &Unsettled) -> Job {
    let why = open.why.clone().unwrap_or_else(undecided);
    let job = Job::kept(open.row.zone.clone(), open.row.brand, JobState::Unknown(why));
    Job { peer: open.row.location.clone(), ..job }
}

/// Every zone that was named must exist, or have left already.
pub fn known(
    inventory: &Inventory,
    away: &[ZoneRecord],
    open: &[Unsettled],
    request: &Request,
) -> Result<(), EvacuationError> {
    let is_known =
        |name: &ZoneName| open.iter().map(|open| &open.row).chain(away).any(|row| row.zone == *name);
    let unknown = |name: &&ZoneName| inventory.find(name).is_none() && !is_known(name);
    let unknown: Vec<_> = request.zones.iter().filter(unknown).collect();
    EvacuationError::not_zones(inventory, &unknown)
}

/// Zones that were named and have left already: nothing is to be done for them.
pub fn gone_already<'a>(
    inventory: &Inventory,
    away: &'a [ZoneRecord],
    open: &[Unsettled],
    request: &Request,
) -> Vec<&'a ZoneRecord> {
    let is_named =
        |row: &&ZoneRecord| request.zones.contains(&row.zone) && inventory.find(&row.zone).is_none();
    let is_open = |row: &&ZoneRecord| open.iter().any(|open| open.row.zone == row.zone);
    away.iter().filter(is_named).filter(|row| !is_open(row)).collect()
}

/// The zones that an evacuation is about. `away` are all records of zones that are on other hosts, `open` those
/// of them that could not be settled; `able` says what the platform can do with zones of a brand.
pub fn leaving(
    inventory: &Inventory,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    away: &[ZoneRecord],
    open: &[Unsettled],
    request: &Request,
    able: impl Fn(Brand) -> Abilities,
) -> Result<Candidates, EvacuationError> {
    known(inventory, away, open, request)?;
    let is_open = |name: &ZoneName| open.iter().any(|open| open.row.zone == *name);
    let named = !request.zones.is_empty();
    // Unsettled zones are included, so that the run does not count as complete.
    let half_gone = open
        .iter()
        .map(|open| (&open.row, open))
        .filter(|(row, _)| {
            inventory.find(&row.zone).is_none() && (!named || request.zones.contains(&row.zone))
        })
        .map(|(_, open)| unsettled(open));
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
                    && Operation::of(zone, able(zone.brand), action) != Ok(Operation::Keep))
                || is_open(&zone.name)
        }
    };
    let list = inventory.zones.iter().filter(wanted).map(|zone| {
        if let Some(open) = open.iter().find(|open| open.row.zone == zone.name) {
            return unsettled(open);
        }
        match operation(zone, able(zone.brand), targets, away, request) {
            Ok(operation) => Job::new(zone.name.clone(), zone.brand, operation),
            Err(reason) => Job::kept(zone.name.clone(), zone.brand, JobState::Skipped(reason)),
        }
    });
    let unmanaged = inventory.unhandled(request.all).filter(|_| !named);
    Ok(Candidates { list: list.chain(half_gone).collect(), unmanaged: unmanaged.cloned().collect() })
}

/// What is done with a zone that is here, or why nothing is.
fn operation(
    zone: &Zone,
    able: Abilities,
    targets: &BTreeMap<TargetKey, Vec<HostUri>>,
    away: &[ZoneRecord],
    request: &Request,
) -> Result<Operation, Message> {
    // Its record would replace that of the other zone.
    if let Some(other) = away.iter().find(|row| row.zone == zone.name && row.uuid != zone.uuid) {
        let at = other.other_host();
        let text = format!("another zone of this name is away at {at}");
        return Err(Message::from(text).with_hint(forget(&other.zone)));
    }
    match Operation::of(zone, able, request.actions.of(&zone.name))? {
        Operation::Keep => Err("it is not running".into()),
        Operation::Migrate { method, .. } => match (request.only, targets_of(targets, &zone.name).0) {
            (Some(only), _) if only != method => {
                Err(format!("only a {method} migration is possible, but {only} was requested").into())
            }
            (_, []) => Err(Message::from("no target is set")
                .with_hint(format!("set one: sysadm target set {} URI", zone.name))),
            (_, targets) => Ok(Operation::Migrate { method, targets: targets.to_vec() }),
        },
        other => Ok(other),
    }
}

/// This host's own zones that are here.
pub fn at_home(inventory: &Inventory, records: &[ZoneRecord]) -> Vec<ZoneName> {
    let is_guest = |record: &&ZoneRecord| record.home.is_some();
    let own = |zone: &&Zone| records.iter().filter(is_guest).all(|guest| guest.uuid != zone.uuid);
    inventory.zones.iter().filter(own).map(|zone| zone.name.clone()).collect()
}

/// The zones that a return is about. Whether they still run at their locations is found out later. `open` are the
/// records that could not be settled, `stopped` the zones that were stopped here: these come first, in reverse
/// order. For those that are `home` nothing is to be done.
pub fn returning(
    away: Vec<ZoneRecord>,
    stopped: &[ZoneRecord],
    open: &[Unsettled],
    home: &[ZoneName],
    request: &Request,
) -> Result<Candidates, EvacuationError> {
    let unknown: Vec<_> = request
        .zones
        .iter()
        .filter(|name| !away.iter().any(|row| row.zone == **name))
        .filter(|name| !stopped.iter().any(|row| row.zone == **name) && !home.contains(name))
        .map(ToString::to_string)
        .collect();
    if !unknown.is_empty() {
        return Err(EvacuationError::NotAway(unknown));
    }
    let wanted = |row: &ZoneRecord| request.zones.is_empty() || request.zones.contains(&row.zone);
    let list =
        away.into_iter().filter(wanted).map(|row| match open.iter().find(|open| open.row.zone == row.zone) {
            Some(open) => unsettled(open),
            None => Job::new(row.zone.clone(), row.brand, Operation::Return(Box::new(row))),
        });
    Ok(Candidates { list: to_boot(stopped, request).chain(list).collect(), unmanaged: Vec::new() })
}

/// Looks at the records of the zones that would leave. One that was stopped here already does not leave, and does not
/// block the evacuation; one that is being stopped does. One that moves `for_good` is configured here under its name
/// then: it stays if another configured zone has that name.
pub(super) fn apply_records(
    candidates: &mut Candidates,
    records: &[ZoneRecord],
    inventory: &Inventory,
    request: &Request,
    for_good: bool,
) {
    candidates.list.retain_mut(|job| {
        let moves_for_good = for_good && matches!(job.operation, Operation::Migrate { .. });
        let is_other = |record: &&ZoneRecord| record.is_configured() && !inventory.has(record.uuid);
        let of_name = || records.iter().filter(|record| record.zone == job.zone);
        let stopped = of_name().find(|record| record.place.is_stop());
        let state = match (stopped, of_name().find(is_other)) {
            (Some(record), _) if record.place.is_interim() => JobState::Unknown(undecided()),
            (Some(_), _) if request.zones.contains(&job.zone) => {
                let reason = Message::from("already stopped here; it is booted on return");
                let hint = format!("if it is to stay down: sysadm evacuate --forget {}", job.zone);
                JobState::Skipped(reason.with_hint(hint))
            }
            (Some(_), _) => return false,
            (None, Some(other)) if moves_for_good => {
                let text = format!("another zone of this name is configured here ({})", other.uuid);
                let hint = format!("delete that one first: sysadm zone delete {}", other.zone);
                JobState::Skipped(Message::from(text).with_hint(hint))
            }
            (None, _) => return true,
        };
        *job = Job::kept(job.zone.clone(), job.brand, state);
        true
    });
}

/// The zones to be booted on return, the last one first.
pub(super) fn to_boot(stopped: &[ZoneRecord], request: &Request) -> impl Iterator<Item = Job> {
    let wanted = |row: &&ZoneRecord| request.zones.is_empty() || request.zones.contains(&row.zone);
    stopped.iter().rev().filter(wanted).map(|row| match row.place.is_interim() {
        false => Job::new(row.zone.clone(), row.brand, Operation::Boot(Box::new(row.clone()))),
        true => Job::kept(row.zone.clone(), row.brand, JobState::Unknown(undecided())),
    })
}

#[cfg(test)]
mod tests;
