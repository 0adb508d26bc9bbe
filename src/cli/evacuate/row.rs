//! One zone's line of `evacuate -l`, in each of its formats.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::eta::when;
use crate::cli::CliError;
use crate::cli::columns::{Column, pick};
use crate::cli::context::Context;
use crate::evacuation::{Row, Status, rows};
use crate::model::{Message, Method, Millis, Step, format_bytes, format_minute, format_span};
use crate::run_lock::lock_holder;
use crate::store::Store;

/// The fields listed during a run whose end is estimated.
const UNDER_WAY: &str = "ZONENAME,STATE,DEST,WHEN,ERROR";

/// The first four are those of sysadm(8).
const COLUMNS: &[Column<Row>] = &[
    Column { name: "ZONENAME", width: 16, value: |row| Some(row.zone.to_string()) },
    Column { name: "STATE", width: 9, value: |row| Some(row.state.to_string()) },
    Column { name: "DEST", width: 40, value: |row| row.dest.as_ref().map(ToString::to_string) },
    Column { name: "ERROR", width: 5, value: |row| row.error.as_ref().map(ToString::to_string) },
    Column { name: "ORIGIN", width: 8, value: |row| Some(row.origin.clone()) },
    Column { name: "METHOD", width: 6, value: |row| row.method.map(Method::as_str).map(str::to_owned) },
    Column { name: "STEP", width: 8, value: |row| row.figures.step.map(Step::as_str).map(str::to_owned) },
    Column { name: "PROGRESS", width: 8, value: |row| percent(row).map(|percent| format!("{percent}%")) },
    Column {
        name: "BYTES",
        width: 6,
        value: |row| (row.figures.bytes > 0).then(|| format_bytes(row.figures.bytes)),
    },
    Column {
        name: "STARTED",
        width: 16,
        value: |row| row.figures.started.map(|time| format_minute(time, &TimeZone::system())),
    },
    Column {
        name: "DURATION",
        width: 8,
        value: |row| Some(format_span(row.figures.ended?.since(row.figures.started?))),
    },
    Column { name: "DOWNTIME", width: 8, value: |row| row.figures.downtime.map(format_span) },
    Column {
        name: "EXPSTART",
        width: 16,
        value: |row| row.figures.expected.map(|expected| format_minute(expected.start, &TimeZone::system())),
    },
    Column { name: "EXPDURATION", width: 11, value: |row| Some(format_span(row.figures.expected?.duration)) },
    Column {
        name: "EXPDOWNTIME",
        width: 11,
        value: |row| Some(format_span(row.figures.expected?.downtime?)),
    },
    Column {
        name: "WHEN",
        width: 5,
        value: |row| {
            when(row.state, row.figures.started, row.figures.expected, Millis::now(), &TimeZone::system())
        },
    },
];

/// The fields to list: those in `wanted`, or the default, which depends on whether a run is in progress.
pub fn fields(status: &Status, wanted: Option<&str>) -> Result<Vec<Column<Row>>, CliError> {
    pick(COLUMNS, 4, wanted.or(status.expected.map(|_| UNDER_WAY)))
}

/// The progress of a zone in percent; none if it does not move.
pub fn percent(row: &Row) -> Option<u64> {
    use crate::store::MoveState::{Evacuated, Migrating, Returned, Stopped, Suspended};
    match row.state {
        Evacuated | Returned | Stopped | Suspended => Some(100),
        // When everything is sent, the zone has not yet arrived.
        Migrating if row.figures.total > 0 => {
            Some((row.figures.bytes.saturating_mul(100) / row.figures.total).min(99))
        }
        _ => None,
    }
}

/// Reads the status from the store.
pub fn status(context: &Context, store: Option<&Store>) -> Result<Status, CliError> {
    let Some(store) = store else { return Ok(Status::default()) };
    // Any other holder of the lock is not a run.
    let holder = lock_holder(&context.paths).filter(|holder| holder.direction().is_some());
    let living = holder.map(|holder| holder.pid);
    let latest = store.latest_run(living)?;
    let runs = latest.as_ref().is_some_and(|(run, _)| Some(run.pid) == living);
    Ok(rows(&context.host_name(), &store.zones()?, &store.departures()?, latest.as_ref(), runs))
}

/// One zone. Times are in milliseconds since 1970, durations in milliseconds, sizes in bytes.
pub fn row_document(row: &Row) -> Value {
    json!({
        "zone": row.zone, "state": row.state, "dest": row.dest, "error": row.error.as_ref().map(|error| &error.text),
        "hint": row.error.as_ref().and_then(Message::hint), "origin": row.origin,
        "method": row.method, "step": row.figures.step, "percent": percent(row), "bytes": row.figures.bytes, "total": row.figures.total,
        "started_ms": row.figures.started, "duration_ms": row.figures.ended.zip(row.figures.started).map(|(end, start)| end.since(start)),
        "downtime_ms": row.figures.downtime,
        "expected_start_ms": row.figures.expected.map(|expected| expected.start),
        "expected_duration_ms": row.figures.expected.map(|expected| expected.duration),
        "expected_downtime_ms": row.figures.expected.and_then(|expected| expected.downtime),
    })
}
