//! How time and memory grow with the fleet.

use sysadm_planner::plan::{Goal, Rules, Weights, place};

use crate::{clock, generate};

const GOALS: [(&str, Goal); 4] = [
    ("spread", Goal::Spread),
    ("pack", Goal::Pack),
    ("balance", Goal::Balance(Weights { memory: 1.0, cpu: 1.0, network: 1.0 })),
    ("fastest", Goal::Fastest),
];

/// The table: each size with each goal; the exponent is that of the time against the size before (zones × hosts).
pub fn table() {
    println!(
        "{:<16} {:<8} {:<10} {:>7} {:>6} {:>10} {:>10} {:>9} {:>9}",
        "zones×hosts", "goal", "moves", "moved", "left", "wall ms", "cpu ms", "MiB", "exponent"
    );
    for (name, goal) in GOALS {
        for (what, make) in
            [("all", generate::all as fn(usize, usize) -> generate::Case), ("a tenth", generate::tenth)]
        {
            let mut before: Option<(f64, f64)> = None;
            for (zones, hosts) in [(100, 10), (1_000, 50), (10_000, 500), (100_000, 5_000)] {
                let case = make(zones, hosts);
                let rules = Rules { goal, ..Rules::default() };
                clock::forget();
                let (begin, cpu) = (std::time::Instant::now(), clock::own());
                let placement = place(&case.fleet, &rules, &case.question);
                let (wall, cpu) = (begin.elapsed().as_secs_f64() * 1000.0, (clock::own() - cpu) * 1000.0);
                let size = (zones * hosts) as f64;
                let exponent = before.map(|(than, took): (f64, f64)| (cpu / took).ln() / (size / than).ln());
                println!(
                    "{:<16} {name:<8} {what:<10} {:>7} {:>6} {wall:>10.1} {cpu:>10.1} {:>9} {:>9}",
                    format!("{zones}×{hosts}"),
                    placement.moves.len(),
                    placement.unplaced.len(),
                    clock::peak() >> 20,
                    exponent.map_or(String::new(), |exponent| format!("{exponent:.2}")),
                );
                before = Some((size, cpu.max(0.01)));
            }
        }
    }
}
