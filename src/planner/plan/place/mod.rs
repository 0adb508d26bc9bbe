//! Where zones go: [`place`].
//!
//! ```text
//!   request ─► PlacementProblem ─► construct ─► repair ─► settle ─► improve ─► Placement
//!              (numbers)           (one after   (room for (those     (moves,    (and reasons,
//!                                   another)     the rest) who stay)  swaps)     for the rest)
//! ```
//!
//! What is promised:
//!
//! 1. A placement violates no hard constraint (`limits`) once all its moves are done. Zones of the request are
//!    taken to have left their hosts, and to have given back what they use and their place in groups that are
//!    kept apart, unless they fit nowhere. All other zones stay where they are. That the constraints also hold
//!    at every moment on the way is up to the schedule. A zone that must come after one that is left over is
//!    left over, too (`dependents`).
//! 2. First as few zones as possible are left over, then the goal counts (`score`).
//! 3. Zones that must go together go together or not at all.
//! 4. The same input gives the same placement. A search ends after [`Rules::steps`] steps, each of which looks
//!    at one host for one zone; the first placement, which looks at each host for each zone, is not counted.

mod construct;
mod dependents;
mod explain;
mod groups;
mod improve;
mod limits;
mod metrics;
mod peak;
mod problem;
mod repair;
mod replan;
mod score;
mod state;

use super::{Assignment, Fleet, HostIx, Placement, PlacementRequest, Rules, ZoneIx};
use crate::plan::rng::Rng;
pub(super) use limits::unfit;
use problem::PlacementProblem;
use state::State;

/// The remaining steps of a search.
#[derive(Clone, Debug)]
pub(in crate::plan::place) struct Search {
    steps: u64,
    rng: Rng,
}

impl Search {
    /// Takes steps; false if none are left.
    fn step(&mut self, steps: usize) -> bool {
        self.steps = self.steps.saturating_sub(steps as u64);
        self.steps > 0
    }
}

/// Finds a host for each zone of the request whose action moves it. Zones and hosts that the fleet does not have
/// are ignored.
pub fn place(fleet: &Fleet, rules: &Rules, question: &PlacementRequest) -> Placement {
    let asked = problem::asked(fleet, question);
    let mut problem = PlacementProblem::new(fleet, rules, question, &asked);
    groups::fill(&mut problem, &asked);
    let mut search = Search { steps: rules.steps, rng: Rng::new(rules.seed) };
    let mut state = construct::construct(&problem);
    repair::repair(&mut state, &mut search);
    repair::settle(&mut state, &mut search);
    dependents::drop_dependents(&mut state, &mut search);
    improve::improve(&mut state, &mut search);
    dependents::drop_dependents(&mut state, &mut search);
    answer(&state, fleet, question)
}

/// The placement in the order of the request.
fn answer(state: &State<'_>, fleet: &Fleet, question: &PlacementRequest) -> Placement {
    let mut at = vec![None; fleet.zones.len()];
    let mut item_of = vec![0; fleet.zones.len()];
    for (number, item) in state.problem.items.iter().enumerate() {
        for zone in &item.zones {
            at[*zone] = state.at[number];
            item_of[*zone] = number;
        }
    }
    let mut placement = Placement::default();
    let explain = explain::Explain::new(state);
    for zone in problem::asked(fleet, question) {
        match at[zone] {
            Some(host) => placement.moves.push(Assignment { zone: ZoneIx(zone as u32), to: HostIx(host) }),
            None => placement.unplaced.push(explain.unplaced(zone, item_of[zone])),
        }
    }
    placement
}
