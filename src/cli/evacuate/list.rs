//! `sysadm evacuate -l`.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::eta::end_of_run;
use super::row::{fields, row_document, status};
use crate::cli::columns::{parsable, table};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::evacuation::Status;
use crate::maintenance;
use crate::model::{Inventory, Message, Millis, UnmanagedGuest};
use crate::store::{Direction, Store};

/// The options of -l.
#[derive(Debug, Default, clap::Args)]
pub struct ListArgs {
    /// List evacuated zones, zones that could not leave, and what is left on this host
    #[arg(short, long, conflicts_with_all = ["all", "back", "dry_run", "verbose", "quiet", "overwrite", "deadline"])]
    pub list: bool,
    /// Print stable output for scripts: no header, fields separated by ':', with '\' before ':' and '\'; requires -l
    /// and -o
    #[arg(short, long, requires = "list", requires = "output")]
    pub parsable: bool,
    /// Fields to list (requires -l): ZONENAME, STATE, DEST, ERROR, ORIGIN, METHOD, STEP, PROGRESS, BYTES, STARTED,
    /// DURATION, DOWNTIME; EXPSTART, EXPDURATION and EXPDOWNTIME, the estimates made before the move; WHEN, the
    /// estimated start of a waiting zone or the remaining time of a moving one; or all
    #[arg(short, long, value_name = "FIELD,...", requires = "list")]
    pub output: Option<String>,
    /// Keep the list on the screen and update it until the run ends (requires -l). To a pipe, print each change as a
    /// line of JSON
    #[arg(long, requires = "list", conflicts_with = "parsable")]
    pub watch: bool,
}

pub async fn run(context: &Context, args: &ListArgs, as_json: bool) -> Result<Exit, CliError> {
    let store = context.store_to_read()?;
    let mut status = status(context, store.as_ref())?;
    let left = if status.running.is_none() || as_json { Some(left_here(context).await) } else { None };
    if let (Some(store), Some(Ok(here)), None) = (&store, &left, status.running) {
        status.tell_what_is_here(&store.zones()?, here);
    }
    let columns = fields(&status, args.output.as_deref())?;
    if let (true, Some(left)) = (as_json, &left) {
        let text = serde_json::to_string_pretty(&document(context, store.as_ref(), &status, left)?);
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?))?;
        return Ok(status_of(left));
    }
    if args.parsable {
        ui::print(&parsable(&columns, &status.rows))?;
        return Ok(Exit::Done);
    }
    match status.running {
        Some(Direction::Evacuate) => ui::say("evacuation in progress"),
        Some(Direction::Return) => ui::say("return in progress"),
        Some(Direction::Migrate) => ui::say("migration in progress"),
        None if status.rows.is_empty() => ui::say("no active evacuation"),
        None => {}
    }
    if !status.rows.is_empty() {
        ui::print(&table(&columns, &status.rows))?;
        status.rows.iter().filter_map(|row| row.error.as_ref()).for_each(|error| ui::hint(&error.hints));
    }
    if let (Some(_), Some(expected)) = (status.running, status.expected) {
        let end = (expected.end, expected.margin);
        ui::say(&end_of_run(end, Millis::now(), &TimeZone::system()));
    }
    let Some(left) = left else { return Ok(Exit::Done) };
    ui::say(&last_line(store.as_ref(), &left)?);
    if let Err(reason) = &left {
        ui::hint(&reason.hints);
    }
    let unmanaged = left.iter().flat_map(|inventory| &inventory.unmanaged);
    unmanaged.for_each(|unmanaged_guest| ui::complain(unmanaged_guest.message()));
    Ok(status_of(&left))
}

/// If the guests of the host cannot be listed, the list is incomplete.
const fn status_of(left: &Result<Inventory, Message>) -> Exit {
    if left.is_ok() { Exit::Done } else { Exit::Error }
}

/// The guests that are here now.
async fn left_here(context: &Context) -> Result<Inventory, Message> {
    let platform = context.platform().map_err(|error| error.message().clone())?;
    platform.inventory().await.map_err(Message::from)
}

/// What an administrator wants to know before a reboot. Says "safe" only if the hypervisor has just confirmed
/// that nothing runs, and maintenance keeps it so.
fn last_line(store: Option<&Store>, left: &Result<Inventory, Message>) -> Result<String, CliError> {
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
        Err(reason) => return Ok(format!("{lock}; cannot list the zones on this host: {reason}")),
    };
    let names = |running: bool| -> Vec<String> {
        let zones = inventory
            .zones
            .iter()
            .filter(|zone| zone.is_running() == running)
            .map(|zone| zone.name.to_string());
        let unmanaged =
            inventory.unmanaged.iter().filter(|unmanaged_guest| unmanaged_guest.running == running);
        zones.chain(unmanaged.map(UnmanagedGuest::label)).collect()
    };
    let (running, installed) = (names(true), names(false));
    Ok(match (running.is_empty(), installed.is_empty(), holders.is_empty()) {
        (true, true, false) => format!("{lock}; empty, safe to reboot"),
        (true, false, false) => {
            format!(
                "{lock}; no zone is running here, safe to reboot; {} installed zone(s) left: {}",
                installed.len(),
                installed.join(", ")
            )
        }
        (true, true, true) => format!("{lock}; there are no zones on this host"),
        (true, false, true) => format!("{lock}; no zone is running here, {} installed", installed.len()),
        (false, _, _) => {
            format!("{lock}; {} zone(s) still running here: {}", running.len(), running.join(", "))
        }
    })
}

/// A JSON document with everything that is known.
pub fn document(
    context: &Context,
    store: Option<&Store>,
    status: &Status,
    left: &Result<Inventory, Message>,
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
        "left_error": left.as_ref().err().map(|error| &error.text),
        "left_hint": left.as_ref().err().and_then(Message::hint),
        "safe_to_reboot": !holders.is_empty() && status.running.is_none() && left.as_ref().is_ok_and(|inventory| {
            !inventory.zones.iter().any(crate::model::Zone::is_running)
                && !inventory.unmanaged.iter().any(|unmanaged_guest| unmanaged_guest.running)
        }),
    }))
}
