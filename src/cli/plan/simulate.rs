//! `sysadm plan simulate`.

use std::collections::BTreeMap;

use super::super::columns::{Column, table};
use super::super::{CliError, Exit, ui};
use crate::model::{format_bytes, format_span};
use crate::plan::{Breach, Costs, Fleet, HostIx, PlanFile, Played, Terms, Trip, ZoneIx, simulate};

struct PlayedMove {
    zone: String,
    to: String,
    planned: u64,
    ended: Option<u64>,
}

const COLUMNS: &[Column<PlayedMove>] = &[
    Column { name: "ZONENAME", width: 16, value: |line| Some(line.zone.clone()) },
    Column { name: "TO", width: 16, value: |line| Some(line.to.clone()) },
    Column { name: "PLANNED", width: 8, value: |line| Some(format_span(line.planned)) },
    Column { name: "SIMULATED", width: 8, value: |line| line.ended.map(format_span) },
];

struct LineUse {
    host: String,
    out: f64,
    into: f64,
}

const LINES: &[Column<LineUse>] = &[
    Column { name: "HOST", width: 16, value: |line| Some(line.host.clone()) },
    Column { name: "OUT", width: 5, value: |line| Some(format!("{:.0}%", line.out * 100.0)) },
    Column { name: "IN", width: 5, value: |line| Some(format!("{:.0}%", line.into * 100.0)) },
];

/// Prints the result. Exit status 3 if a rule was violated, or a move never ended.
pub fn run(file: &PlanFile, json: bool) -> Result<Exit, CliError> {
    let costs = Costs::default();
    let forecast = |trip: &Trip<'_>| costs.forecast(trip);
    let terms = Terms {
        forecast: &forecast,
        pivot: &|_, _| false,
        trunks: Vec::new(),
        switch: None,
        stream: None,
        ready: BTreeMap::new(),
    };
    let plan = file.plan();
    let played = simulate(&file.fleet, &file.rules, &plan, &terms);
    if json {
        let text = serde_json::to_string_pretty(&document(file, &played));
        ui::print(&format!("{}\n", text.map_err(|error| CliError::new(Exit::Error, error))?))?;
    } else {
        show(file, &played)?;
    }
    let whole = played.breaches.is_empty() && played.ends_ms.iter().all(Option::is_some);
    Ok(if whole { Exit::Done } else { Exit::Partly })
}

fn show(file: &PlanFile, played: &Played) -> Result<(), CliError> {
    let lines = file.moves.iter().zip(&played.ends_ms).map(|(one, ended)| PlayedMove {
        zone: one.zone.to_string(),
        to: one.to.to_string(),
        planned: one.end_ms,
        ended: *ended,
    });
    let lines: Vec<_> = lines.collect();
    if !lines.is_empty() {
        ui::print(&table(COLUMNS, &lines))?;
        let host = |ix: &HostIx| {
            file.fleet.hosts.get(ix.0 as usize).map_or_else(String::new, |host| host.name.to_string())
        };
        let used: Vec<_> = played
            .lines
            .iter()
            .map(|(ix, (out, into))| LineUse { host: host(ix), out: *out, into: *into })
            .collect();
        ui::print(&format!("\n{}", table(LINES, &used)))?;
    }
    let down = played.downtime_ms.values();
    ui::say(&format!(
        "simulated duration {} (planned {}); downtime {} at most for one zone, {} in total",
        format_span(played.makespan_ms),
        format_span(file.makespan_ms),
        format_span(down.clone().copied().max().unwrap_or(0)),
        format_span(down.sum())
    ));
    for breach in &played.breaches {
        ui::complain(format!("rule violated: {}", violation(breach, &file.fleet)));
    }
    Ok(())
}

/// A violation of a rule, and when.
fn violation(breach: &Breach, fleet: &Fleet) -> String {
    let host =
        |ix: &HostIx| fleet.hosts.get(ix.0 as usize).map_or("?".to_owned(), |host| host.name.to_string());
    let zone =
        |ix: &ZoneIx| fleet.zones.get(ix.0 as usize).map_or("?".to_owned(), |zone| zone.name.to_string());
    let (at_ms, text) = match breach {
        Breach::Memory { at_ms, host: ix, missing } => {
            (at_ms, format!("{} lacks {} of memory", host(ix), format_bytes(*missing)))
        }
        Breach::Slots { at_ms, host: ix } => {
            (at_ms, format!("too many simultaneous moves from or to {}", host(ix)))
        }
        Breach::Apart { at_ms, host: ix, zones: (a, b) } => {
            (at_ms, format!("{} and {} must be kept apart, and are both on {}", zone(a), zone(b), host(ix)))
        }
        Breach::OneByOne { at_ms, zones: (a, b) } => {
            (at_ms, format!("{} and {} must not move at the same time", zone(a), zone(b)))
        }
        Breach::After { at_ms, zones: (a, b) } => {
            (at_ms, format!("{} starts to move before {} has left", zone(a), zone(b)))
        }
        Breach::NotThere { at_ms, zone: ix } => (at_ms, format!("{} is not where its move starts", zone(ix))),
        Breach::NeverConverges { at_ms, zone: ix } => {
            (at_ms, format!("{} writes to its memory faster than it can be sent", zone(ix)))
        }
    };
    format!("at +{}: {text}", format_span(*at_ms))
}

fn document(file: &PlanFile, played: &Played) -> serde_json::Value {
    let moves = file.moves.iter().zip(&played.ends_ms).map(|(one, ended)| {
        serde_json::json!({"zone": one.zone, "to": one.to, "planned_ms": one.end_ms, "simulated_ms": ended})
    });
    let moves: Vec<_> = moves.collect();
    let name = |ix: usize| file.fleet.hosts.get(ix).map(|host| host.name.clone());
    let lines = played
        .lines
        .iter()
        .map(|(ix, (out, into))| serde_json::json!({"host": name(ix.0 as usize), "out": out, "in": into}));
    let lines: Vec<_> = lines.collect();
    let down: BTreeMap<_, _> = played
        .downtime_ms
        .iter()
        .filter_map(|(ix, ms)| Some((file.fleet.zones.get(ix.0 as usize)?.name.clone(), *ms)))
        .collect();
    serde_json::json!({
        "schema_version": 1, "makespan_ms": played.makespan_ms, "planned_ms": file.makespan_ms, "moves": moves,
        "downtime_ms": down, "lines": lines, "violated": played.breaches,
    })
}
