//! Plans for people.

use super::super::columns::{Column, table};
use super::super::{CliError, Exit, ui};
use crate::model::{format_bytes, format_span, plain};
use crate::plan::file::differences;
use crate::plan::{FileMove, Leg, PlanFile};

const COLUMNS: &[Column<FileMove>] = &[
    Column { name: "START", width: 7, value: |one| Some(format!("+{}", format_span(one.start_ms))) },
    Column { name: "ZONENAME", width: 16, value: |one| Some(one.zone.to_string()) },
    Column { name: "ACTION", width: 8, value: |one| Some(action(one)) },
    Column { name: "FROM", width: 16, value: |one| Some(one.from.to_string()) },
    Column { name: "TO", width: 16, value: |one| Some(one.to.to_string()) },
    Column {
        name: "TIME",
        width: 7,
        value: |one| Some(format!("~{}", format_span(one.end_ms.saturating_sub(one.start_ms)))),
    },
    Column { name: "DOWNTIME", width: 8, value: |one| Some(format!("~{}", format_span(one.downtime_ms))) },
    Column { name: "RATE", width: 7, value: |one| Some(format!("{}/s", format_bytes(one.rate))) },
];

fn action(one: &FileMove) -> String {
    let way = match one.leg {
        Leg::Whole => "",
        Leg::First => ", first leg",
        Leg::Second => ", second leg",
    };
    format!("{}{way}", one.method)
}

/// Prints a plan; the exit status says whether every zone has a place in it.
pub fn run(plan: &PlanFile, json: bool) -> Result<Exit, CliError> {
    if json {
        ui::print(&plan.text().map_err(|error| CliError::new(Exit::Error, error))?)?;
    } else {
        if !plan.moves.is_empty() {
            ui::print(&table(COLUMNS, &plan.moves))?;
        }
        ui::say(&summary(plan));
        for left in &plan.unplaced {
            for reason in &left.reasons {
                ui::complain(format!("{} stays on {}: {reason}", left.zone, left.host));
            }
        }
    }
    Ok(match (plan.unplaced.is_empty(), plan.moves.is_empty()) {
        (true, _) => Exit::Done,
        (false, true) => Exit::Error,
        (false, false) => Exit::Partly,
    })
}

/// `3 move(s) to 2 host(s), policy spread: estimated duration 1m20s (at most 1m30s; theoretical minimum 1m19s)`
fn summary(plan: &PlanFile) -> String {
    let mut hosts: Vec<_> = plan.moves.iter().map(|one| &one.to).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let [end, late, bound] =
        [plan.makespan_ms, plan.makespan_ms.saturating_add(plan.margin_ms), plan.lower_bound_ms]
            .map(format_span);
    let left = match plan.unplaced.len() {
        0 => String::new(),
        count => format!("; {count} zone(s) could not be placed"),
    };
    format!(
        "{} move(s) to {} host(s), policy {}: estimated duration {end} (at most {late}; theoretical minimum {bound}){left}",
        plan.moves.len(),
        hosts.len(),
        plan.policy
    )
}

/// Prints the differences between two plans. Exit status 3 if there are any.
pub fn diff(before: &PlanFile, after: &PlanFile, json: bool) -> Result<Exit, CliError> {
    let found = differences(before, after);
    if json {
        let text = serde_json::to_string_pretty(&found).map_err(|error| CliError::new(Exit::Error, error))?;
        ui::print(&format!("{text}\n"))?;
    } else {
        for one in &found {
            ui::print(&format!("{}\n", plain(&one.to_string())))?;
        }
        let [first, second] = [before, after].map(|plan| format_span(plan.makespan_ms));
        ui::say(&format!("{} zone(s) differ; estimated duration {first}, then {second}", found.len()));
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::Partly })
}
