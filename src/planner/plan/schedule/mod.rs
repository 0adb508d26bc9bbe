//! When each zone moves: the shortest schedule that respects connections, slots, memory and all rules at every
//! instant.
//!
//! ```text
//!   zones, hosts, rules ─► problem ─► pivot ─► improve ─► Plan
//!                          moves and   which     which move
//!                          stocks      first     begins when,
//!                                                how near to the bound
//! ```
//!
//! 1. Every limited resource is a stock; every move takes from and gives to stocks (`stock`, `problem`,
//!    `rate`).
//! 2. It searches for an order in which there is always room (`order`); if zones wait for each other in a
//!    cycle, one makes a detour by way of a third host (`pivot`). What is left then cannot move, and the
//!    reasons are given (`blocked`).
//! 3. The order is turned into times (`serial`), and improved within a number of steps (`improve`), until the
//!    lower bound is reached (`bound`).
//!
//! What is promised at every instant: a running zone has its memory on both hosts while it moves; no connection,
//! slot or shared trunk carries more than it can; zones of an `apart` group are not on one host, not even while
//! they move; of a `one_by_one` group at most one moves; a zone begins when those that it comes `after` have
//! ended; zones that must be together go together or not at all; a zone with a higher priority is not delayed by
//! one with a lower priority, unless that makes room for it. Whether a zone fits in one NUMA node is left to the
//! placement.

mod blocked;
mod bound;
mod improve;
mod order;
mod pivot;
mod plan;
mod problem;
mod rate;
mod serial;
mod stock;
mod timeline;

use std::collections::{BTreeMap, BTreeSet};

pub use plan::{Blocked, BlockedReason, Leg, Plan, PlannedMove, Resource};

use super::fleet::Fleet;
use super::forecast::{Forecast, NeverConverges, Trip};
use super::placement::{HostIx, Placement, ZoneIx};
use super::rules::Rules;
use problem::Builder;
pub(super) use rate::lines;
use serial::Times;
use stock::ScheduleProblem;
pub(super) use stock::What;

/// The input of a schedule besides fleet, rules and placement.
pub struct Terms<'a> {
    /// How long a trip takes.
    pub forecast: &'a dyn Fn(&Trip<'_>) -> Result<Forecast, NeverConverges>,
    /// Whether a zone may be on a host for a while, if there is room: a question of requirements, not of memory.
    pub pivot: &'a dyn Fn(ZoneIx, HostIx) -> bool,
    /// Connections that several hosts share.
    pub trunks: Vec<Trunk>,
    /// Maximum bandwidth of all moves together in bytes per second; none: no limit.
    pub switch: Option<u64>,
    /// Maximum bandwidth of one stream in bytes per second (a cipher on one CPU, a disk); none: that of the
    /// connection.
    pub stream: Option<u64>,
    /// Hosts that can neither send nor receive zones before that many milliseconds, because they must boot first.
    pub ready: BTreeMap<HostIx, u64>,
}

/// A connection that joins a part of the hosts, such as a rack, to all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// The hosts behind it.
    pub hosts: BTreeSet<HostIx>,
    /// Bandwidth in bytes per second, each way.
    pub bandwidth: u64,
}

/// The whole input.
pub(super) struct Given<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) rules: &'a Rules,
    pub(super) terms: &'a Terms<'a>,
}

/// Schedules the moves. Zones that are at their destinations already do not move; all others are in the plan, as
/// moves or as blocked, except for those that could not be placed.
pub fn schedule(fleet: &Fleet, rules: &Rules, placement: &Placement, terms: &Terms<'_>) -> Plan {
    let given = Given { fleet, rules, terms };
    let builder = Builder::new(&given);
    let mut zones: Vec<_> = placement.moves.iter().map(|one| (one.zone, one.to)).collect();
    zones.retain(|(zone, to)| builder.home(*zone) != Some(*to));
    let unplaced = placement.unplaced.iter().map(|one| one.zone).collect();
    let mut blocked = blocked::never(fleet, &builder, &mut zones, unplaced);

    let way = loop {
        let way = pivot::way(&given, &builder, &zones);
        let stays = blocked.iter().map(|one| one.zone).chain(way.left()).collect();
        let followers = blocked::followers(fleet, &mut zones, stays);
        if followers.is_empty() {
            break way;
        }
        blocked.extend(followers);
    };
    blocked.extend(blocked::left(&way, &builder, &zones));

    let problem = in_order(&way.problem, &way.found.order);
    let lower_bound_ms = bound::lower(&problem);
    let times = improve::improve(&problem, lower_bound_ms, rules.steps, rules.seed);
    Plan {
        blocked,
        makespan_ms: times.makespan,
        lower_bound_ms,
        margin_ms: margin(&problem, &times),
        moves: moves(&problem, &times),
    }
}

/// These jobs alone, numbered in this order.
fn in_order(problem: &ScheduleProblem, order: &[usize]) -> ScheduleProblem {
    let numbers: BTreeMap<_, _> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    let mut jobs: Vec<_> = order.iter().filter_map(|&job| problem.jobs.get(job)).cloned().collect();
    for job in &mut jobs {
        job.after = job.after.iter().filter_map(|old| numbers.get(old)).copied().collect();
    }
    ScheduleProblem { jobs, stocks: problem.stocks.clone() }
}

fn moves(problem: &ScheduleProblem, times: &Times) -> Vec<PlannedMove> {
    let with_times = problem.jobs.iter().zip(&times.starts);
    let mut moves: Vec<_> = with_times
        .map(|(job, &start_ms)| PlannedMove { start_ms, end_ms: start_ms + job.length, ..job.draft })
        .collect();
    moves.sort_by_key(|one| (one.start_ms, one.end_ms, one.zone));
    moves
}

/// How late the last move may end: along the chain of moves that ends last, each of which begins when the one
/// before has made room, errors add up as squares do.
fn margin(problem: &ScheduleProblem, times: &Times) -> u64 {
    let jobs = || problem.jobs.iter().zip(&times.starts);
    let mut last = jobs().max_by_key(|(job, start)| *start + job.length);
    let mut squares = 0.0;
    while let Some((job, start)) = last {
        squares += (job.late as f64).powi(2);
        last = jobs()
            .filter(|(before, begin)| *begin + before.length <= *start)
            .filter(|(before, _)| {
                let hosts = [job.draft.from, job.draft.to];
                hosts.contains(&before.draft.from) || hosts.contains(&before.draft.to)
            })
            .max_by_key(|(before, begin)| *begin + before.length);
    }
    f64::sqrt(squares).round() as u64
}
