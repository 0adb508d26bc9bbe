//! What `evacuate -l` shows: the zones that are away, and what the latest run did with the others. Pure.

use std::collections::BTreeMap;

use crate::migration::steps::{self, Interrupted};
use crate::model::{HostUri, Inventory, Message, Method, RESUME, Step, ZoneName};
use crate::store::{Direction, Expected, Figures, Move, MoveState, Place, Run, ZoneRecord};

/// One zone's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub zone: ZoneName,
    pub state: MoveState,
    /// Where it is, goes, or was last tried.
    pub dest: Option<HostUri>,
    /// Why it was skipped or failed.
    pub error: Option<Message>,
    /// The host to which it belongs.
    pub origin: String,
    pub method: Option<Method>,
    /// Those of its move; the step only while it moves.
    pub figures: Figures,
}

/// All lines, and the run in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// By zone name.
    pub rows: Vec<Row>,
    /// The direction of the run in progress.
    pub running: Option<Direction>,
    /// When that run is expected to end.
    pub expected: Option<Expected>,
}

/// Joins the records of zones that are away or were stopped here, and the latest run. `running` says whether that run is in
/// progress.
pub fn rows(
    host: &str,
    records: &[ZoneRecord],
    departures: &[Move],
    latest: Option<&(Run, Vec<Move>)>,
    running: bool,
) -> Status {
    let listed = records.iter().filter(|record| record.place.is_elsewhere() || record.place.is_stop());
    let records: BTreeMap<_, _> = listed.map(|record| (&record.zone, record)).collect();
    let departures: BTreeMap<_, _> =
        departures.iter().map(|departure| (&departure.zone, departure)).collect();
    let row = |record: &ZoneRecord| of_record(record, departures.get(&record.zone).copied(), host);
    let of_records = records.values().map(|record| (record.zone.clone(), row(record)));
    let mut rows: BTreeMap<_, _> = of_records.collect();
    let Some((run, moves)) = latest else {
        return Status { rows: rows.into_values().collect(), ..Status::default() };
    };
    let runs = running && run.ended.is_none();
    for a_move in moves {
        let record = records.get(&a_move.zone).copied();
        if let Some(row) = of_run(a_move, record, run.direction, runs, host) {
            rows.insert(a_move.zone.clone(), row);
        }
    }
    let rows = rows.into_values().collect();
    Status { rows, running: runs.then_some(run.direction), expected: run.expected.filter(|_| runs) }
}

/// What the latest run says of a zone; none if its record says more, or if nothing is to be said.
fn of_run(
    a_move: &Move,
    record: Option<&ZoneRecord>,
    direction: Direction,
    runs: bool,
    host: &str,
) -> Option<Row> {
    // It was on its way since, for good, and is not known to have arrived or stayed.
    let is_later = |record: &ZoneRecord| a_move.figures.started != Some(record.since);
    if record.is_some_and(|record| record.place == Place::Migrating && is_later(record)) {
        return None;
    }
    let place = record.map(|record| record.place);
    match runs {
        true => (a_move.state != MoveState::Returned).then(|| of_move(a_move, host)),
        false if !says_more(a_move.state, direction, place) => None,
        false if a_move.state.is_final() => Some(of_move(a_move, host)),
        false if place.is_some_and(Place::is_stop) => None,
        false => Some(interrupt(of_move(a_move, host), record, host)),
    }
}

/// Whether a move of a run that is over says more than the record does of where the zone is.
fn says_more(state: MoveState, direction: Direction, place: Option<Place>) -> bool {
    match state {
        MoveState::Evacuated | MoveState::Returned | MoveState::Stopped | MoveState::Suspended => false,
        // Settled meanwhile, if it is not unfinished.
        MoveState::Unknown => place.is_some_and(Place::is_interim),
        // A zone that is away and could not return is still evacuated, but people need to see the reason.
        MoveState::Failed | MoveState::Skipped => direction == Direction::Evacuate || place.is_some(),
        MoveState::Preparing | MoveState::Ready => direction == Direction::Evacuate,
        // Settled meanwhile: one that has arrived after all has not failed.
        MoveState::Migrating => match place.map(Place::is_interim) {
            Some(true) => true,
            Some(false) => direction == Direction::Return,
            None => direction == Direction::Evacuate,
        },
    }
}

fn of_record(record: &ZoneRecord, departure: Option<&Move>, host: &str) -> Row {
    let (state, error) = match record.place {
        Place::Away => (
            MoveState::Evacuated,
            record.down.clone().map(|down| {
                let at = record.location.as_ref().map_or(host, |uri| uri.host.as_str());
                Message::from(down).with_hint(format!("boot {} on {at}", record.zone))
            }),
        ),
        Place::Stopped => (MoveState::Stopped, None),
        Place::Suspended => (MoveState::Suspended, None),
        Place::Stopping | Place::Suspending => {
            let text = Message::from("interrupted while it was being stopped");
            (MoveState::Unknown, Some(text.with_hint(RESUME)))
        }
        _ => (MoveState::Unknown, Some(interrupted(None, record.ends(host)))),
    };
    let unknown = Move::new(record.zone.clone());
    let row = of_move(departure.unwrap_or(&unknown), host);
    Row {
        state,
        dest: record.location.clone(),
        error,
        origin: record.home.as_ref().map_or(host, |home| &home.name).to_owned(),
        figures: Figures { step: None, started: Some(record.since), ..row.figures },
        ..row
    }
}

/// What is known of an interrupted move, what is not, and which command settles it. `step` is the last one that
/// is known to have begun.
fn interrupted(step: Option<Step>, [from, to]: [&str; 2]) -> Message {
    let known = match step.and_then(steps::interrupted) {
        None => format!("interrupted on its way from {from} to {to}; which of them has it is unknown"),
        Some(Interrupted::BeforeItLeft) => format!("interrupted before it left {from}"),
        Some(Interrupted::While(what)) => {
            format!("interrupted while {what} from {from} to {to}; which of them has it is unknown")
        }
        Some(Interrupted::AfterItCame) => format!("interrupted after it had arrived on {to}"),
    };
    Message::from(known).with_hint(RESUME)
}

fn of_move(a_move: &Move, host: &str) -> Row {
    let is_done = matches!(a_move.state, MoveState::Evacuated | MoveState::Returned);
    let step = a_move.figures.step.filter(|_| !is_done);
    Row {
        zone: a_move.zone.clone(),
        state: a_move.state,
        dest: a_move.dest.clone(),
        error: a_move.error.clone(),
        origin: host.to_owned(),
        method: a_move.method,
        figures: Figures { step, ..a_move.figures },
    }
}

/// A move whose run has died: not begun, or unfinished.
fn interrupt(row: Row, record: Option<&ZoneRecord>, host: &str) -> Row {
    if let Some(record) = record.filter(|record| record.place.is_interim()) {
        let error = Some(interrupted(row.figures.step, record.ends(host)));
        Row { state: MoveState::Unknown, error, ..row }
    } else if row.state == MoveState::Migrating {
        let error = Some("interrupted; it was not moved".into());
        Row { state: MoveState::Failed, error, ..row }
    } else {
        let error = Some("interrupted before its turn; it was not touched".into());
        Row { state: MoveState::Skipped, error, ..row }
    }
}

impl Status {
    /// Says so of each zone that is recorded as away, and is here. What is said of it already stays.
    pub fn tell_what_is_here(&mut self, records: &[ZoneRecord], here: &Inventory) {
        for record in records.iter().filter(|record| record.place == Place::Away) {
            let Some(zone) = here.zones.iter().find(|zone| zone.uuid == record.uuid) else { continue };
            let Some(row) = self.rows.iter_mut().find(|row| row.zone == record.zone) else { continue };
            let is = if zone.is_running() { "running " } else { "" };
            row.error.get_or_insert_with(|| Message::from(format!("it is {is}here, too")).with_hint(RESUME));
        }
    }
}

#[cfg(test)]
mod tests;
