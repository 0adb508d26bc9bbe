//! `sysadm evacuate -l`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::columns::{Column, parsable, pick, table};
use super::context::Context;
use super::{CliError, Exit, ui, watch};
use crate::evacuation::{Row, Status, is_running, rows};
use crate::maintenance;
use crate::model::{Inventory, Kind, Step, format_bytes, format_minute, format_span};
use crate::store::{Direction, Expected, Store};

/// The options of -l.
#[derive(Debug, Default, clap::Args)]
pub struct ListArgs {
    /// List the zones that are away, and those that could not leave
    #[arg(short, long, conflicts_with_all = ["all", "back", "dry_run", "verbose", "quiet", "overwrite", "deadline"])]
    pub list: bool,
    /// Stable output for programs; needs -o
    #[arg(short, long, requires = "list", requires = "output")]
    pub parsable: bool,
    /// Fields to list: ZONENAME, STATE, DEST, ERROR, ORIGIN, KIND, STEP, PROGRESS, BYTES, STARTED, DURATION,
    /// DOWNTIME, or all
    #[arg(short, long, value_name = "FIELD,...", requires = "list")]
    pub output: Option<String>,
    /// Keep the list on the screen while it changes; on a pipe, a JSON document in a line for each change
    #[arg(long, requires = "list", conflicts_with = "parsable")]
    pub watch: bool,
}

/// The first four are sysadm(8)'s own.
pub const COLUMNS: &[Column<Row>] = &[
    Column { name: "ZONENAME", width: 16, value: |row| Some(row.zone.to_string()) },
    Column { name: "STATE", width: 9, value: |row| Some(row.state.to_string()) },
    Column { name: "DEST", width: 40, value: |row| row.dest.as_ref().map(ToString::to_string) },
    Column { name: "ERROR", width: 5, value: |row| row.error.clone() },
    Column { name: "ORIGIN", width: 8, value: |row| Some(row.origin.clone()) },
    Column { name: "KIND", width: 4, value: |row| row.kind.map(Kind::as_str).map(str::to_owned) },
    Column { name: "STEP", width: 8, value: |row| row.step.map(Step::as_str).map(str::to_owned) },
    Column { name: "PROGRESS", width: 8, value: |row| percent(row).map(|percent| format!("{percent}%")) },
    Column { name: "BYTES", width: 6, value: |row| (row.bytes.0 > 0).then(|| format_bytes(row.bytes.0)) },
    Column {
        name: "STARTED",
        width: 16,
        value: |row| row.started.map(|time| format_minute(time, &TimeZone::system())),
    },
    Column { name: "DURATION", width: 8, value: |row| Some(format_span(row.ended?.since(row.started?))) },
    Column { name: "DOWNTIME", width: 8, value: |row| row.downtime.map(format_span) },
];

/// How far a zone is, in percent; none if it does not move.
pub fn percent(row: &Row) -> Option<u64> {
    use crate::store::MoveState::{Evacuated, Migrating, Returned, Stopped, Suspended};
    match row.state {
        Evacuated | Returned | Stopped | Suspended => Some(100),
        // All sent is not yet there.
        Migrating if row.bytes.1 > 0 => Some((row.bytes.0.saturating_mul(100) / row.bytes.1).min(99)),
        _ => None,
    }
}

pub async fn run(context: &Context, args: &ListArgs, as_json: bool) -> Result<Exit, CliError> {
    let columns = pick(COLUMNS, 4, args.output.as_deref())?;
    let store = context.store_to_read()?;
    if args.watch {
        return watch::run(context, store.as_ref(), &columns).await;
    }
    let status = status(context, store.as_ref())?;
    if as_json {
        let left = left_here(context).await;
        let text = serde_json::to_string_pretty(&document(context, store.as_ref(), &status, &left)?);
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?));
        return Ok(Exit::Done);
    }
    if args.parsable {
        ui::print(&parsable(&columns, &status.rows));
        return Ok(Exit::Done);
    }
    match status.running {
        Some(Direction::Evacuate) => ui::say("evacuation in progress"),
        Some(Direction::Return) => ui::say("return in progress"),
        None if status.rows.is_empty() => ui::say("no active evacuation"),
        None => {}
    }
    if !status.rows.is_empty() {
        ui::print(&table(&columns, &status.rows));
    }
    if let Some(expected) = &status.expected {
        ui::say(&outlook(expected, status.running));
    }
    if status.running.is_none() {
        ui::say(&last_line(store.as_ref(), &left_here(context).await)?);
    }
    Ok(Exit::Done)
}

/// When a run is expected to end, as people say it.
fn outlook(expected: &Expected, running: Option<Direction>) -> String {
    let what = if running == Some(Direction::Return) { "all back" } else { "empty" };
    let (end, margin) = (format_minute(expected.end, &TimeZone::system()), format_span(expected.margin));
    format!("{what} at about {end} (hardly later than {margin} after that)")
}

/// What the store says.
pub fn status(context: &Context, store: Option<&Store>) -> Result<Status, CliError> {
    let Some(store) = store else { return Ok(Status::default()) };
    let (away, rests) = (store.away()?, store.rests()?);
    let latest = store.latest_run()?;
    Ok(rows(&context.host_name(), &away, &rests, latest.as_ref(), is_running(&context.paths)))
}

/// The guests that are here now.
async fn left_here(context: &Context) -> Result<Inventory, String> {
    let platform = context.platform().map_err(|error| error.message())?;
    platform.inventory().await.map_err(|error| crate::host::chain(&error))
}

/// What an administrator wants to know before the reboot. Says "safe" only if the hypervisor has just said that
/// nothing runs, and the lock keeps it so.
fn last_line(store: Option<&Store>, left: &Result<Inventory, String>) -> Result<String, CliError> {
    let holders = match store {
        Some(store) => store.holders()?,
        None => Vec::new(),
    };
    let lock = match maintenance::describe(&holders) {
        Some(_) => "in maintenance",
        None => "not in maintenance",
    };
    let inventory = match left {
        Ok(inventory) => inventory,
        Err(reason) => return Ok(format!("{lock}; what is left here is not known: {reason}")),
    };
    let names = |running: bool| -> Vec<String> {
        let zones = inventory
            .zones
            .iter()
            .filter(|zone| zone.is_running() == running)
            .map(|zone| zone.name.to_string());
        let strangers = inventory.strangers.iter().filter(|stranger| stranger.running == running);
        zones.chain(strangers.map(|stranger| format!("{:?}", stranger.name))).collect()
    };
    let (running, installed) = (names(true), names(false));
    Ok(match (running.is_empty(), installed.is_empty(), holders.is_empty()) {
        (true, true, false) => format!("{lock}; empty, safe to reboot"),
        (true, false, false) => {
            format!(
                "{lock}; no zone runs here, safe to reboot; {} installed zone(s) left: {}",
                installed.len(),
                installed.join(", ")
            )
        }
        (true, true, true) => format!("{lock}; no zone is here"),
        (true, false, true) => format!("{lock}; no zone runs here, {} installed", installed.len()),
        (false, _, _) => {
            format!("{lock}; {} zone(s) still running here: {}", running.len(), running.join(", "))
        }
    })
}

/// One document with all that is known.
pub fn document(
    context: &Context,
    store: Option<&Store>,
    status: &Status,
    left: &Result<Inventory, String>,
) -> Result<Value, CliError> {
    let holders = match store {
        Some(store) => store.holders()?,
        None => Vec::new(),
    };
    let zones: Vec<_> = status.rows.iter().map(row_document).collect();
    Ok(json!({
        "schema_version": 1,
        "host": context.host_name(),
        "running": status.running,
        "expected_end_ms": status.expected.map(|expected| expected.end),
        "expected_margin_ms": status.expected.map(|expected| expected.margin),
        "maintenance": holders,
        "zones": zones,
        "left": left.as_ref().ok(),
        "left_error": left.as_ref().err(),
        "safe_to_reboot": !holders.is_empty() && status.running.is_none() && left.as_ref().is_ok_and(|inventory| {
            !inventory.zones.iter().any(crate::model::Zone::is_running)
                && !inventory.strangers.iter().any(|stranger| stranger.running)
        }),
    }))
}

/// One zone. Times in milliseconds since 1970, spans in milliseconds, sizes in bytes.
pub fn row_document(row: &Row) -> Value {
    json!({
        "zone": row.zone, "state": row.state, "dest": row.dest, "error": row.error, "origin": row.origin,
        "kind": row.kind, "step": row.step, "percent": percent(row), "bytes": row.bytes.0, "total": row.bytes.1,
        "started_ms": row.started, "duration_ms": row.ended.zip(row.started).map(|(end, start)| end.since(start)),
        "downtime_ms": row.downtime,
    })
}
