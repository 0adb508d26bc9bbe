//! What a dry run prints.

use super::columns::{Column, table};
use super::progress::Verbosity;
use super::{CliError, Exit, ui};
use crate::evacuation::{Planned, Readiness};
use crate::model::{UnmanagedGuest, format_bytes, format_span};
use crate::store::Direction;

const COLUMNS: &[Column<Planned>] = &[
    Column { name: "ZONENAME", width: 16, value: |plan| Some(plan.prepared.zone.to_string()) },
    Column { name: "BRAND", width: 6, value: |plan| Some(plan.prepared.brand.to_string()) },
    Column { name: "KIND", width: 5, value: |plan| kind(plan).map(str::to_owned) },
    Column { name: "DEST", width: 16, value: |plan| plan.prepared.peer.as_ref().map(ToString::to_string) },
    Column { name: "SIZE", width: 6, value: size },
    Column { name: "START", width: 7, value: |plan| Some(format!("+{}", format_span(plan.ahead?.start_ms))) },
    Column { name: "TIME", width: 6, value: |plan| about(plan.estimate) },
    Column { name: "DOWNTIME", width: 8, value: |plan| about(plan.ahead?.downtime_ms) },
];

fn about(ms: Option<u64>) -> Option<String> {
    Some(format!("~{}", format_span(ms?)))
}

fn kind(plan: &Planned) -> Option<&'static str> {
    match &plan.prepared.readiness {
        Readiness::Ready(task) => Some(task.arrival.kind.as_str()),
        Readiness::Rest(bed) => Some(bed.way.as_str()),
        Readiness::Wake(_) => Some("boot"),
        Readiness::Waits(_) | Readiness::Skipped(_) | Readiness::Failed(_) | Readiness::Unsettled(_) => None,
    }
}

/// What crosses to another host.
fn size(plan: &Planned) -> Option<String> {
    matches!(plan.prepared.readiness, Readiness::Ready(_)).then(|| format_bytes(plan.size))
}

/// Prints the plan and every blocker, and says whether all zones could move.
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
        blockers(plans).for_each(|line| ui::complain(&line));
        unmanaged.iter().for_each(|unmanaged_guest| ui::complain(&unmanaged_guest.to_string()));
    }
    let ready = plans.iter().filter(|plan| kind(plan).is_some()).count();
    let blocked = plans.len() - ready + unmanaged.len();
    if blocked == 0 {
        if verbosity != Verbosity::Quiet {
            ui::say("dry-run succeeded");
        }
        return Ok(Exit::Done);
    }
    let waiting = plans.iter().filter(|plan| matches!(plan.prepared.readiness, Readiness::Waits(_))).count();
    let all = plans.len() + unmanaged.len();
    ui::complain(&match waiting {
        0 => format!("dry-run failed: {blocked} of {all} zone(s) cannot move"),
        _ => format!(
            "dry-run failed: {blocked} of {all} zone(s) cannot move now, {waiting} would wait for room"
        ),
    });
    let skipped = plans.iter().any(|plan| matches!(plan.prepared.readiness, Readiness::Skipped(_)));
    Ok(if ready == 0 && !skipped && unmanaged.is_empty() { Exit::Error } else { Exit::Partly })
}

/// A line for each reason: what other targets had against zones that found one, too.
fn blockers(plans: &[Planned]) -> impl Iterator<Item = String> {
    plans.iter().flat_map(|plan| {
        let zone = &plan.prepared.zone;
        let mut lines: Vec<_> = plan
            .prepared
            .findings
            .iter()
            .flat_map(|finding| {
                finding.blockers.iter().map(move |blocker| format!("{zone}: {}: {blocker}", finding.target))
            })
            .collect();
        match &plan.prepared.readiness {
            Readiness::Ready(_) | Readiness::Rest(_) | Readiness::Wake(_) => {}
            Readiness::Waits(wait) => lines.push(format!("{zone}: {wait}")),
            Readiness::Skipped(reason) => lines.push(format!("{zone}: skipped: {reason}")),
            Readiness::Failed(reason) if lines.is_empty() => lines.push(format!("{zone}: {reason}")),
            Readiness::Failed(_) => {}
            Readiness::Unsettled(reason) => lines.push(format!("{zone}: {reason}")),
        }
        lines
    })
}

fn document(direction: Direction, plans: &[Planned], unmanaged: &[UnmanagedGuest]) -> serde_json::Value {
    let zones: Vec<_> = plans
        .iter()
        .map(|plan| {
            let (skipped, failed, waits) = match &plan.prepared.readiness {
                Readiness::Ready(_) | Readiness::Rest(_) | Readiness::Wake(_) => (None, None, None),
                Readiness::Waits(wait) => (None, Some(wait.refusal.as_str()), Some(wait.to_string())),
                Readiness::Skipped(reason) => (Some(reason.as_str()), None, None),
                Readiness::Failed(reason) => (None, Some(reason.as_str()), None),
                Readiness::Unsettled(reason) => (None, Some(reason.as_str()), None),
            };
            let blockers: Vec<_> = plan
                .prepared
                .findings
                .iter()
                .map(|finding| serde_json::json!({"target": finding.target, "blockers": finding.blockers}))
                .collect();
            serde_json::json!({
                "zone": plan.prepared.zone, "brand": plan.prepared.brand, "kind": kind(plan),
                "dest": plan.prepared.peer, "size": plan.size, "estimate_ms": plan.estimate,
                "start_ms": plan.ahead.map(|ahead| ahead.start_ms),
                "downtime_ms": plan.ahead.and_then(|ahead| ahead.downtime_ms),
                "skipped": skipped, "failed": failed, "waits": waits, "findings": blockers,
            })
        })
        .collect();
    serde_json::json!({"schema_version": 1, "direction": direction, "zones": zones, "unmanaged": unmanaged})
}
