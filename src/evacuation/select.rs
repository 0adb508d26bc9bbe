//! Which zones a run is about, and how each would move. Pure.

use std::collections::BTreeMap;

use super::job::Job;
use super::job_state::JobState;
use super::operation::Operation;
use super::recover::Unsettled;
use super::request::{EvacuationError, Request};
use crate::model::{Abilities, Brand, HostUri, Inventory, UnmanagedGuest, Zone, ZoneName, ZoneState};
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
const UNSETTLED: &str = "where it is must be settled first: sysadm evacuate --resume";

fn unsettled(open: &Unsettled) -> Job {
    let why = open.why.clone().unwrap_or_else(|| UNSETTLED.to_owned());
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
) -> Result<Operation, String> {
    // Its record would replace that of the other zone.
    if let Some(other) = away.iter().find(|row| row.zone == zone.name && row.uuid != zone.uuid) {
        let at = other.other_host();
        return Err(format!("another zone of this name is away at {at}; return that one, or give it up"));
    }
    match Operation::of(zone, able, request.actions.of(&zone.name))? {
        Operation::Keep => Err("it does not run".to_owned()),
        Operation::Migrate { method, .. } => match (request.only, targets_of(targets, &zone.name).0) {
            (Some(only), _) if only != method => {
                Err(format!("its way to move is {method}, and only {only} was asked for"))
            }
            (_, []) => Err(format!("no target; set one: sysadm target set {} URI", zone.name)),
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

/// Zones that were stopped here already do not leave, and do not block the evacuation; one that is being saved does.
pub(super) fn keep_out(candidates: &mut Candidates, stopped: &[ZoneRecord], request: &Request) {
    candidates.list.retain_mut(|job| {
        match stopped.iter().find(|row| row.zone == job.zone) {
            None => return true,
            Some(stopped) if stopped.place.is_interim() => keep(job, JobState::Unknown(UNSETTLED.to_owned())),
            Some(_) if request.zones.contains(&job.zone) => {
                let reason =
                    "it rests here, and is booted again on return; 'sysadm evacuate --forget' gives that up";
                keep(job, JobState::Skipped(reason.to_owned()));
            }
            Some(_) => return false,
        }
        true
    });
}

/// Nothing is done with that zone.
fn keep(job: &mut Job, state: JobState) {
    *job = Job::kept(job.zone.clone(), job.brand, state);
}

/// A zone that has moved for good is configured here under its name: if another configured zone has that name,
/// the zone does not leave.
pub(super) fn keep_namesakes(candidates: &mut Candidates, records: &[ZoneRecord], inventory: &Inventory) {
    for job in &mut candidates.list {
        let uuid = inventory.find(&job.zone).map(|zone| zone.uuid);
        let is_other = |record: &&ZoneRecord| record.zone == job.zone && Some(record.uuid) != uuid;
        let configured = |record: &&ZoneRecord| record.is_configured() && !inventory.has(record.uuid);
        let other = records.iter().filter(configured).find(is_other);
        if let (Some(other), Operation::Migrate { .. }) = (other, &job.operation) {
            let reason = format!(
                "another zone of this name is configured here ({}); delete that one first: sysadm zone delete {}",
                other.uuid, other.zone
            );
            keep(job, JobState::Skipped(reason));
        }
    }
}

/// The zones to be booted on return, the last one first.
pub(super) fn to_boot(stopped: &[ZoneRecord], request: &Request) -> impl Iterator<Item = Job> {
    let wanted = |row: &&ZoneRecord| request.zones.is_empty() || request.zones.contains(&row.zone);
    stopped.iter().rev().filter(wanted).map(|row| match row.place.is_interim() {
        false => Job::new(row.zone.clone(), row.brand, Operation::Boot(Box::new(row.clone()))),
        true => Job::kept(row.zone.clone(), row.brand, JobState::Unknown(UNSETTLED.to_owned())),
    })
}

#[cfg(test)]
mod tests;
