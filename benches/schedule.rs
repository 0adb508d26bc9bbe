//! How near to the shortest schedules are, how soon they are found, and how well the duration of a move is
//! forecast: on instances from a seed, or on those published with mVM, if their folder is given. Run with `cargo
//! bench --bench schedule [-- FOLDER]`.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and ends at the first surprise"
)]

#[path = "../tests/plan_schedule/exact.rs"]
mod exact;
#[path = "schedule/generate.rs"]
mod generate;
#[path = "schedule/mvm.rs"]
mod mvm;
#[path = "../tests/plan_schedule/world.rs"]
mod world;

use std::path::Path;
use std::time::Instant;

use mvm::{Case, Run};
use sysadm_model::Method;
use sysadm_planner::plan::{
    Calibration, Costs, Forecast, NeverConverges, Observation, Plan, Rules, Terms, Trip, schedule,
};
use world::{Way, World};

fn main() {
    let folder = std::env::args().skip(1).find(|word| !word.starts_with("--"));
    let (small, large, runs) = match &folder {
        Some(folder) => published(Path::new(folder)),
        None => generate::all(),
    };
    shortest(&small);
    near_the_bound(&large);
    foretold(&runs);
}

/// Plans, sets of hosts that are emptied, and runs by plan.
fn published(folder: &Path) -> (Vec<Case>, Vec<Case>, Vec<Vec<Run>>) {
    let plans: Vec<_> =
        mvm::files(&folder.join("plans"), ".json").iter().map(|file| mvm::plan(file)).collect();
    let sets = mvm::files(&folder.join("decommissioning"), ".json.gz");
    let runs = |case: &Case| mvm::runs(case, &folder.join("measured").join(format!("{}.csv", case.name)));
    let runs = plans.iter().map(runs).collect();
    (plans, sets.iter().map(|file| mvm::decommissioning(file)).collect(), runs)
}

/// The model, in whole seconds as in the published plans.
fn in_seconds(trip: &Trip<'_>) -> Result<Forecast, NeverConverges> {
    let all = Costs { downtime_ms: 0, ..Costs::default() }.forecast(trip)?;
    let total_ms = (all.total_ms + 500) / 1000 * 1000;
    Ok(Forecast { total_ms, late_ms: total_ms, ..all })
}

fn plan(case: &Case, rules: &Rules) -> (Plan, f64) {
    let terms = Terms {
        forecast: &in_seconds,
        pivot: &|_, _| true,
        trunks: case.trunks.clone(),
        switch: None,
        stream: None,
        ready: case.ready.clone(),
    };
    let begin = Instant::now();
    let plan = schedule(&case.fleet, rules, &case.placement, &terms);
    let seconds = begin.elapsed().as_secs_f64();
    assert_eq!(plan.blocked, [], "{}: all can move", case.name);
    let world = World { fleet: &case.fleet, rules, trunks: &case.trunks };
    assert_eq!(world.wrong_at_some_time(&ways(&plan)), None, "{}", case.name);
    (plan, seconds)
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

fn rules() -> Rules {
    Rules { outbound: u32::MAX, inbound: u32::MAX, ..Rules::default() }
}

/// Ten moves each, compared with the shortest schedule.
fn shortest(cases: &[Case]) {
    let rules = rules();
    let (mut sums, mut seconds, mut shortest) = ([0.0; 4], 0.0, 0);
    for case in cases {
        let (plan, took) = plan(case, &rules);
        let world = World { fleet: &case.fleet, rules: &rules, trunks: &case.trunks };
        let free: Vec<_> =
            ways(&plan).iter().map(|way| Way { start: 0, end: way.end - way.start, ..*way }).collect();
        let optimum = exact::shortest(&world, &free, plan.makespan_ms).unwrap_or(plan.makespan_ms);
        shortest += usize::from(optimum == plan.makespan_ms);
        seconds += took;
        let ends = [plan.makespan_ms, optimum, plan.lower_bound_ms, case.published.unwrap_or(0)];
        sums.iter_mut().zip(ends).for_each(|(sum, end)| *sum += end as f64 / 1000.0);
    }
    let [ours, optimum, bound, published] = sums.map(|sum| sum / cases.len() as f64);
    println!(
        "{} plans of ten moves, means: last move ends after {ours:.1} s, {seconds:.2} s to plan all",
        cases.len()
    );
    println!(
        "  optimum {optimum:.1} s, ours {:.4} of it, the optimum itself {shortest} times",
        ours / optimum
    );
    println!("  lower bound {bound:.1} s; published {published:.1} s (0: none)");
}

/// Many moves, compared with the bound.
fn near_the_bound(cases: &[Case]) {
    println!(
        "{:<24} {:>6} {:>9} {:>9} {:>8} {:>9}",
        "hosts emptied", "moves", "bound s", "ours s", "gap %", "planned s"
    );
    for case in cases {
        let (plan, took) = plan(case, &rules());
        println!(
            "{:<24} {:>6} {:>9.1} {:>9.1} {:>8.2} {took:>9.2}",
            case.name,
            plan.moves.len(),
            plan.lower_bound_ms as f64 / 1000.0,
            plan.makespan_ms as f64 / 1000.0,
            plan.gap() * 100.0
        );
    }
}

/// Half of the runs calibrate, the other half tests.
fn foretold(runs: &[Vec<Run>]) {
    let costs = Costs { downtime_ms: 0, ..Costs::default() };
    let trip = |run: &Run| -> (FleetTrip, Forecast) {
        let owned = FleetTrip(run.zone.clone(), run.from.clone(), run.to.clone(), run.rate);
        let model = costs.forecast(&owned.trip()).expect("it ends");
        (owned, model)
    };
    let (teach, ask) = runs.split_at(runs.len() / 2);
    let known = teach.iter().flatten().fold(Calibration::default(), |known, run| {
        let (owned, model) = trip(run);
        known.learn(&owned.trip(), &Observation { model, total_ms: run.took, downtime_ms: None })
    });
    let (mut alone, mut learnt, mut late, mut count) = (0.0, 0.0, 0, 0);
    for run in ask.iter().flatten() {
        let (owned, model) = trip(run);
        let told = known.correct(&owned.trip(), model);
        let off = |said: u64| said.abs_diff(run.took) as f64 / run.took as f64;
        alone += off(model.total_ms);
        learnt += off(told.total_ms);
        late += usize::from(run.took > told.late_ms);
        count += 1;
    }
    let percent = |sum: f64| 100.0 * sum / f64::from(count);
    println!("{count} moves foretold, {} learnt from: mean error", teach.iter().flatten().count());
    println!(
        "  model alone {:.1} %, learnt {:.1} %; later than 19 of 20: {:.1} %",
        percent(alone),
        percent(learnt),
        percent(late as f64)
    );
}

/// A trip that owns its parts.
struct FleetTrip(
    sysadm_planner::plan::FleetZone,
    sysadm_planner::plan::FleetHost,
    sysadm_planner::plan::FleetHost,
    u64,
);

impl FleetTrip {
    const fn trip(&self) -> Trip<'_> {
        Trip { zone: &self.0, method: Method::Live, from: &self.1, to: &self.2, rate: self.3 }
    }
}
