//! `sysadm evacuate -l --watch`: the list, updated continuously.

use std::time::Duration;

use super::list::ListArgs;
use super::row::{fields, percent, row_document, status};
use crate::cli::columns::{Column, table};
use crate::cli::context::Context;
use crate::cli::{CliError, Exit, ui};
use crate::evacuation::{Row, Status};

/// How often the store is read. The hypervisor is not asked.
const INTERVAL: Duration = Duration::from_millis(250);

/// Shows the list until ^C or the end of the run in progress (at once, if there is none).
pub async fn run(context: &Context, args: &ListArgs) -> Result<Exit, CliError> {
    let wanted = args.output.as_deref();
    fields(&Status::default(), wanted)?;
    let store = context.store_to_read()?;
    let terminal = ui::on_terminal();
    let mut shown = None;
    let mut height = 0;
    loop {
        let now = status(context, store.as_ref())?;
        if shown.as_ref() != Some(&now) {
            if terminal {
                height = draw(&now, &fields(&now, wanted)?, height)?;
            } else {
                emit(&now, shown.as_ref())?;
            }
        }
        let over = now.running.is_none();
        shown = Some(now);
        if over {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Done),
        }
    }
}

/// Replaces what was drawn before; returns the number of lines.
fn draw(status: &Status, columns: &[Column<Row>], height: usize) -> Result<usize, CliError> {
    let mut text = table(columns, &status.rows);
    for row in &status.rows {
        if let (Some(percent), true) = (percent(row), row.figures.ended.is_none()) {
            let filled = usize::try_from(percent * 30 / 100).unwrap_or(0);
            text.push_str(&format!("{:<16} [{:<30}] {percent:>3}%\n", row.zone.as_str(), "=".repeat(filled)));
        }
    }
    let lines = text.lines().count();
    let up = if height > 0 { format!("\x1b[{height}A\x1b[J") } else { String::new() };
    ui::print(&format!("{up}{text}"))?;
    Ok(lines)
}

/// A line for each zone that has changed.
fn emit(now: &Status, before: Option<&Status>) -> Result<(), CliError> {
    let mut text = String::new();
    for row in &now.rows {
        let same = before.is_some_and(|before| before.rows.contains(row));
        if !same {
            let line = serde_json::to_string(&row_document(row))
                .map_err(|error| CliError::new(Exit::Error, error))?;
            text.push_str(&line);
            text.push('\n');
        }
    }
    for row in before.iter().flat_map(|before| &before.rows) {
        if !now.rows.iter().any(|other| other.zone == row.zone) {
            text.push_str(&format!("{}\n", serde_json::json!({"zone": row.zone, "state": "GONE"})));
        }
    }
    ui::print(&text)
}
