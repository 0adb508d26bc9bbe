//! What in the database needs attention, and what to do about it. [`check`] is a pure function.
//!
//! | what is found | needs |
//! |---|---|
//! | the file is damaged, or contains what no version writes | a backup |
//! | two records of a zone cannot both be true | a backup |
//! | a zone is being moved or stopped, and no run is in progress | the operator: `--resume` |
//! | a run is over, did not record how its last step with a zone ended, and nothing else tells | the operator |
//! | the lock marker and the maintenance table disagree | the operator |
//! | a run is over and left a zone unfinished, which was settled since | nobody |
//! | a reservation has expired | nobody |
//!
//! Only the newest run of a zone counts: before it began, everything was settled. What a run in progress works on
//! is not judged.

use std::collections::{BTreeMap, BTreeSet};

use super::contradiction::contradictions;
use super::{
    Contents, Entry, Finding, FindingKind, Mark, Move, MoveState, Place, Store, StoreError, ZoneRecord,
    backup,
};
use crate::model::{Millis, ZoneName};

/// What the database itself does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckContext {
    /// An evacuation or a return is in progress.
    pub running: bool,
    /// Whether the lock marker exists; none if it was created or removed just now.
    pub marker: Option<bool>,
    pub now: Millis,
}

/// The findings in a database that is whole.
pub fn check(contents: &Contents, around: &CheckContext) -> Vec<Finding> {
    let mut findings = contradictions(contents);
    if !around.running {
        findings.extend(contents.zones.iter().filter_map(|(record, _)| interrupted(record)));
    }
    findings.extend(left_by_runs(contents, around));
    findings.extend(marker(contents, around));
    let expired = contents.reservations.iter().filter(|reservation| reservation.expires <= around.now);
    findings.extend(expired.map(|reservation| {
        let text =
            format!("its reservation by {} has expired; the next reservation removes it", reservation.source);
        Finding::about(FindingKind::Expired, &reservation.zone, text)
    }));
    findings
}

fn interrupted(record: &ZoneRecord) -> Option<Finding> {
    let moved = |what: &str| {
        let other = record.other_host();
        format!("{what} {other} was interrupted; 'sysadm evacuate --resume' resolves it")
    };
    let text = match record.place {
        Place::Leaving | Place::Migrating => moved("its move to"),
        Place::Returning => moved("its return from"),
        Place::Relocating => moved("its relocation from"),
        Place::Stopping | Place::Suspending => {
            "its shutdown was interrupted; 'sysadm evacuate --resume' resolves it".to_owned()
        }
        Place::Here
        | Place::Away
        | Place::Stopped
        | Place::Suspended
        | Place::Configured
        | Place::Migrated => return None,
    };
    Some(Finding::about(FindingKind::Interrupted, &record.zone, text))
}

/// What the newest run of each zone has left behind.
fn left_by_runs(contents: &Contents, around: &CheckContext) -> Vec<Finding> {
    let mut left: BTreeMap<&ZoneName, (i64, Option<&Move>, Option<&Entry>)> = BTreeMap::new();
    for (run, a_move) in &contents.moves {
        left.insert(&a_move.zone, (*run, Some(a_move), None));
    }
    for (run, entry) in &contents.journal {
        let known = left.entry(&entry.zone).or_insert((*run, None, None));
        match run.cmp(&known.0) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => known.2 = Some(entry),
            std::cmp::Ordering::Greater => *known = (*run, None, Some(entry)),
        }
    }
    let living = contents.runs.last().filter(|run| around.running && run.ended.is_none()).map(|run| run.id);
    // These are interrupted, and reported as such.
    let half_way = contents.zones.iter().filter(|(record, _)| record.place.is_interim());
    let open: BTreeSet<_> = half_way.map(|(record, _)| &record.zone).collect();
    left.into_iter()
        .filter(|(zone, (run, ..))| Some(*run) != living && !open.contains(zone))
        .filter_map(|(zone, (run, a_move, entry))| of_zone(zone, run, a_move, entry))
        .collect()
}

/// What a finished run has left of one zone that is not on its way.
fn of_zone(zone: &ZoneName, run: i64, a_move: Option<&Move>, last: Option<&Entry>) -> Option<Finding> {
    let step = last.filter(|entry| entry.mark == Mark::Intent).map(|entry| entry.step);
    match (a_move.map(|a_move| a_move.state), step) {
        (Some(state), step) if !state.is_final() => {
            let at = step.map_or_else(|| format!("while it was {state}"), |step| format!("at step {step}"));
            let text = format!("run {run} was interrupted {at}; this was resolved later, nothing to do");
            Some(Finding::about(FindingKind::Unfinished, zone, text))
        }
        // A step that failed, was given up or was settled later has its outcome here, not in the journal.
        (Some(MoveState::Failed | MoveState::Skipped | MoveState::Unknown), _) | (_, None) => None,
        (_, Some(step)) => {
            let there = a_move.and_then(|a_move| a_move.dest.as_ref());
            let there =
                there.map_or_else(|| "where it may have gone".to_owned(), |dest| format!("at {dest}"));
            let text = format!(
                "the outcome of step {step} of run {run} is not recorded; look for the zone here and {there} before you start it anywhere"
            );
            Some(Finding::about(FindingKind::Dangling, zone, text))
        }
    }
}

fn marker(contents: &Contents, around: &CheckContext) -> Option<Finding> {
    let text = match (contents.holders.is_empty(), around.marker) {
        (true, Some(true)) => {
            "a crash left a lock marker that still blocks zones from starting; 'sysadm maintain -e' removes it"
        }
        (false, Some(false)) => {
            "the host is in maintenance, but the lock marker is missing, so zones can start; 'sysadm maintain -s --type again' restores it, then run 'sysadm maintain -e --type again'"
        }
        _ => return None,
    };
    Some(Finding { kind: FindingKind::Marker, zone: None, text: text.to_owned() })
}

impl Store {
    /// Checks the file, and then its contents. `around` is called once these have been read. Changes nothing.
    ///
    /// # Errors
    /// If the database could not be read.
    pub fn check(&self, around: impl FnOnce() -> CheckContext) -> Result<Vec<Finding>, StoreError> {
        let damage = self.damage()?;
        if damage.is_empty() {
            return match self.contents() {
                Ok(contents) => Ok(check(&contents, &around())),
                // SQLite finds nothing wrong, but no version writes this.
                Err(StoreError::Damaged { what, .. }) => Ok(vec![damaged(&what)]),
                Err(error) => Err(error),
            };
        }
        Ok(damage.iter().map(|what| damaged(what)).collect())
    }

    /// What is damaged in the file, a line each.
    ///
    /// # Errors
    /// If the file could not be read.
    pub fn damage(&self) -> Result<Vec<String>, StoreError> {
        self.read("look over the database", backup::damage_of_copy)
    }
}

/// The finding that the file is damaged.
pub fn damaged(what: &str) -> Finding {
    let text = format!(
        "the database is damaged: {what}; keep the file, and run 'sysadm store recover' or restore a backup"
    );
    Finding { kind: FindingKind::Damaged, zone: None, text }
}
