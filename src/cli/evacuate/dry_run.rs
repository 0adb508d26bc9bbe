//! The output of a dry run.

use super::progress::Verbosity;
use crate::cli::columns::{Column, table};
use crate::cli::{CliError, Exit, ui};
use crate::evacuation::{JobState, Operation, Planned};
use crate::model::{Message, Method, UnmanagedGuest, format_bytes, format_span};
use crate::store::Direction;

const COLUMNS: &[Column<Planned>] = &[
    Column { name: "ZONENAME", width: 16, value: |plan| Some(plan.job.zone.to_string()) },
    Column { name: "BRAND", width: 6, value: |plan| Some(plan.job.brand.to_string()) },
    Column { name: "METHOD", width: 6, value: |plan| method(plan).map(str::to_owned) },
    Column { name: "DEST", width: 16, value: |plan| plan.job.peer.as_ref().map(ToString::to_string) },
    Column { name: "SIZE", width: 6, value: size },
    Column { name: "START", width: 7, value: |plan| Some(format!("+{}", format_span(plan.eta?.start_ms))) },
    Column { name: "TIME", width: 6, value: |plan| about(plan.estimate) },
    Column { name: "DOWNTIME", width: 8, value: |plan| about(plan.eta?.downtime_ms) },
];

fn about(ms: Option<u64>) -> Option<String> {
    Some(format!("~{}", format_span(ms?)))
}

fn method(plan: &Planned) -> Option<&'static str> {
    match (&plan.job.state, &plan.job.operation) {
        (JobState::Ready, Operation::Stop { method, .. }) => Some(method.as_str()),
        (JobState::Ready, Operation::Boot(_)) => Some("boot"),
        (JobState::Ready, _) => plan.job.method().map(Method::as_str),
        _ => None,
    }
}

/// How much is sent to another host.
fn size(plan: &Planned) -> Option<String> {
    (plan.job.state == JobState::Ready && plan.job.task.is_some()).then(|| format_bytes(plan.size))
}

/// Prints the plan and every blocker, and returns whether all zones could move.
pub fn show(
    direction: Direction,
    plans: &[Planned],
    unmanaged: &[UnmanagedGuest],
    json: bool,
    verbosity: Verbosity,
) -> Result<Exit, CliError> {
    if json {
        let text = serde_json::to_string_pretty(&document(direction, plans, unmanaged));
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?))?;
    } else {
        if verbosity != Verbosity::Quiet && !plans.is_empty() {
            ui::print(&table(COLUMNS, plans))?;
        }
        blockers(plans).for_each(ui::complain);
        unmanaged.iter().for_each(|unmanaged_guest| ui::complain(unmanaged_guest.message()));
    }
    let ready = plans.iter().filter(|plan| method(plan).is_some()).count();
    let blocked = plans.len() - ready + unmanaged.len();
    if blocked == 0 {
        if verbosity != Verbosity::Quiet {
            ui::say(match direction {
                _ if !plans.is_empty() => "dry-run succeeded",
                Direction::Return => "nothing to return",
                Direction::Evacuate | Direction::Migrate => "nothing to evacuate",
            });
        }
        return Ok(Exit::Done);
    }
    let waiting = plans.iter().filter(|plan| matches!(plan.job.state, JobState::Waiting(_))).count();
    let all = plans.len() + unmanaged.len();
    ui::complain(&match waiting {
        0 => format!("dry-run failed: {blocked} of {all} zone(s) cannot move"),
        _ => format!(
            "dry-run failed: {blocked} of {all} zone(s) cannot move now, {waiting} would wait for room"
        ),
    });
    let skipped = plans.iter().any(|plan| matches!(plan.job.state, JobState::Skipped(_)));
    Ok(if ready == 0 && !skipped && unmanaged.is_empty() { Exit::Error } else { Exit::Partly })
}

/// A line for each blocker, also those of other targets of zones that have found one.
fn blockers(plans: &[Planned]) -> impl Iterator<Item = Message> {
    plans.iter().flat_map(|plan| {
        let zone = &plan.job.zone;
        let mut lines: Vec<_> = plan
            .job
            .findings
            .iter()
            .flat_map(|finding| {
                let about = format!("{zone}: {}", finding.target);
                finding.blockers.iter().map(move |blocker| blocker.message().about(&about))
            })
            .collect();
        match &plan.job.state {
            JobState::Waiting(wait) => lines.push(wait.message().about(zone)),
            JobState::Skipped(reason) => lines.push(reason.clone().about(format!("{zone}: skipped"))),
            JobState::Failed(reason) if lines.is_empty() => lines.push(reason.clone().about(zone)),
            JobState::Unknown(reason) => lines.push(reason.clone().about(zone)),
            _ => {}
        }
        lines
    })
}

fn document(direction: Direction, plans: &[Planned], unmanaged: &[UnmanagedGuest]) -> serde_json::Value {
    let zones: Vec<_> = plans
        .iter()
        .map(|plan| {
            let (skipped, failed, waits) = match &plan.job.state {
                JobState::Waiting(wait) => (None, Some(wait.given_up()), Some(wait.to_string())),
                JobState::Skipped(reason) => (Some(reason.clone()), None, None),
                JobState::Failed(reason) | JobState::Unknown(reason) => (None, Some(reason.clone()), None),
                _ => (None, None, None),
            };
            let hint = skipped.as_ref().or(failed.as_ref()).and_then(Message::hint);
            let blockers: Vec<_> = plan
                .job
                .findings
                .iter()
                .map(|finding| serde_json::json!({"target": finding.target, "blockers": finding.blockers}))
                .collect();
            serde_json::json!({
                "zone": plan.job.zone, "brand": plan.job.brand, "method": method(plan),
                "dest": plan.job.peer, "size": plan.size, "estimate_ms": plan.estimate,
                "start_ms": plan.eta.map(|eta| eta.start_ms),
                "downtime_ms": plan.eta.and_then(|eta| eta.downtime_ms),
                "skipped": skipped.map(|why| why.text), "failed": failed.map(|why| why.text), "waits": waits, "hint": hint,
                "findings": blockers,
            })
        })
        .collect();
    serde_json::json!({"schema_version": 1, "direction": direction, "zones": zones, "unmanaged": unmanaged})
}
