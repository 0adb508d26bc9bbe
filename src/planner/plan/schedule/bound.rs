//! A lower bound of every schedule.

use std::cmp::Reverse;

use super::stock::ScheduleProblem;

/// Milliseconds before which the last move cannot end: the maximum of
/// - each move alone, with those that must come before it;
/// - each stock (connections, slots, trunks, groups alike): from when its first move may begin, everything that
///   it must carry; the same for moves of which no two can share it, and for the part of them that may begin
///   last.
pub(super) fn lower(problem: &ScheduleProblem) -> u64 {
    let lines = loads(problem).into_iter().zip(&problem.stocks.levels).map(|(jobs, &level)| {
        let level = u128::try_from(level).unwrap_or(0).max(1);
        line(jobs, level)
    });
    lines.chain(std::iter::once(chain(problem))).max().unwrap_or(0)
}

/// For each stock the moves that hold some of it: when they may begin, how long they take, how much they hold.
fn loads(problem: &ScheduleProblem) -> Vec<Vec<(u64, u64, u128)>> {
    let mut loads = vec![Vec::new(); problem.stocks.levels.len()];
    for job in &problem.jobs {
        for one in &job.holds {
            if let Some(load) = loads.get_mut(one.stock) {
                load.push((job.ready, job.length, u128::try_from(one.amount).unwrap_or(0)));
            }
        }
    }
    loads
}

fn line(mut jobs: Vec<(u64, u64, u128)>, level: u128) -> u64 {
    jobs.sort_by_key(|job| Reverse(job.0));
    let (mut volume, mut alone, mut bound) = (0, 0, 0);
    for (ready, length, amount) in jobs {
        volume += amount * u128::from(length);
        alone += if amount * 2 > level { length } else { 0 };
        let shared = u64::try_from(volume.div_ceil(level)).unwrap_or(u64::MAX);
        bound = bound.max(ready.saturating_add(shared.max(alone)));
    }
    bound
}

/// The longest chain of moves each of which must wait for the one before.
fn chain(problem: &ScheduleProblem) -> u64 {
    let mut ends: Vec<u64> = problem.jobs.iter().map(|job| job.ready + job.length).collect();
    for _ in 0..problem.jobs.len() {
        let mut changed = false;
        for (number, job) in problem.jobs.iter().enumerate() {
            let start = job.after.iter().filter_map(|&other| ends.get(other)).max().copied().unwrap_or(0);
            if let Some(end) = ends.get_mut(number)
                && start + job.length > *end
            {
                *end = start + job.length;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    ends.into_iter().max().unwrap_or(0)
}
