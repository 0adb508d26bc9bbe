//! Schedules, judged by a checker that shares no code with the planner: at each begin and end of a move hosts
//! have enough memory, storage and places, connections carry what is on them, and groups and dependencies are
//! respected.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod detours;
mod exact;
mod generate;
mod rings;
mod shared_lines;
mod tight;
pub(super) mod world;

use generate::Case;
use sysadm_planner::plan::{Costs, HostIx, Plan, Terms, Trip, ZoneIx, schedule};
use world::{Way, World};

fn forecast(trip: &Trip<'_>) -> Result<sysadm_planner::plan::Forecast, sysadm_planner::plan::NeverConverges> {
    Costs::default().forecast(trip)
}

/// The terms of a case; detours are allowed if `pivot`.
fn terms<'a>(case: &Case, pivot: &'a dyn Fn(ZoneIx, HostIx) -> bool) -> Terms<'a> {
    Terms {
        forecast: &forecast,
        pivot,
        trunks: case.trunks.clone(),
        switch: None,
        stream: None,
        ready: Default::default(),
    }
}

fn plan(case: &Case, pivot: bool) -> Plan {
    schedule(&case.fleet, &case.rules, &case.placement, &terms(case, &|_, _| pivot))
}

fn world(case: &Case) -> World<'_> {
    World { fleet: &case.fleet, rules: &case.rules, trunks: &case.trunks }
}

fn ways(plan: &Plan) -> Vec<Way> {
    let way = |one: &sysadm_planner::plan::PlannedMove| Way {
        zone: one.zone.0 as usize,
        from: one.from.0 as usize,
        to: one.to.0 as usize,
        rate: one.rate,
        start: one.start_ms,
        end: one.end_ms,
    };
    plan.moves.iter().map(way).collect()
}

/// Everything that is wrong with a plan.
fn wrong(case: &Case, plan: &Plan) -> Option<String> {
    let wrong = world(case).wrong_at_some_time(&ways(plan));
    wrong.or_else(|| {
        case.placement.moves.iter().find_map(|asked| {
            let last = plan.moves.iter().filter(|one| one.zone == asked.zone).max_by_key(|one| one.end_ms);
            let blocked = plan.blocked.iter().filter(|one| one.zone == asked.zone).count();
            match (last, blocked) {
                (Some(last), 0) if last.to == asked.to => None,
                (None, 1) => None,
                other => Some(format!("{asked:?}: {other:?}")),
            }
        })
    })
}
