//! A better list of moves, by the method of most schedulers for projects with limited resources.
//!
//! First some good lists (busiest connection first, longest first, in the order that was found); each is improved
//! forwards and backwards: scheduled from the end, then by the begins that this gives. Then random lists near the
//! best one: a late move earlier, two swapped, some moved to the front. A list that is worse than the last few is
//! dropped. It ends when the bound is reached, or the steps are used up.

use std::cmp::Reverse;

use super::serial::{Times, backwards, serial};
use super::stock::ScheduleProblem;
use crate::plan::rng::Rng;

/// Maximum number of lists, however few moves there are.
const LISTS: u64 = 5000;
/// A list may be as bad as the one this many lists ago.
const MEMORY: usize = 8;

/// The best times found. The jobs are in an order in which each finds what it needs.
pub(super) fn improve(problem: &ScheduleProblem, bound: u64, steps: u64, seed: u64) -> Times {
    let jobs = problem.jobs.len();
    let mut search = OrderSearch { problem, bound, passes: passes(steps, jobs), best: None };
    let back = backwards(problem);
    for list in [(0..jobs).collect(), busiest_first(problem), longest_first(problem)] {
        search.push_to_and_fro(&back, list);
    }
    search.wander(&mut Rng::new(seed));
    // If moves with lower priorities make room for others, only the order that was found is sure to work.
    let found = || serial(problem, &(0..jobs).collect::<Vec<_>>());
    search.best.map(|(_, times)| times).or_else(found).unwrap_or_default()
}

/// The number of lists for that many steps. A step places four moves on an empty board, fewer on a full one: the
/// more moves share a connection, the longer it takes to find a gap.
fn passes(steps: u64, jobs: usize) -> u64 {
    let jobs = (jobs as u64).max(1);
    (steps.saturating_mul(4) / (jobs + jobs * jobs / 512)).min(LISTS)
}

struct OrderSearch<'a> {
    problem: &'a ScheduleProblem,
    bound: u64,
    passes: u64,
    best: Option<(Vec<usize>, Times)>,
}

impl OrderSearch<'_> {
    /// What is minimized: the makespan, then how late moves are beyond the bound, then the mean of all ends.
    fn worth(&self, times: &Times) -> (u64, u64, u64) {
        let ends = times.starts.iter().zip(&self.problem.jobs).map(|(start, job)| start + job.length);
        (times.makespan, ends.map(|end| end.saturating_sub(self.bound)).sum(), times.ends)
    }

    fn is_over(&self) -> bool {
        self.passes == 0 || self.best.as_ref().is_some_and(|(_, times)| times.makespan <= self.bound)
    }

    /// The times of a list, with higher priorities first; kept if they are the best so far.
    fn judge(&mut self, list: &mut [usize]) -> Option<Times> {
        self.passes = self.passes.saturating_sub(1);
        list.sort_by_key(|&job| Reverse(self.problem.jobs.get(job).map(|job| job.priority)));
        let times = serial(self.problem, list)?;
        if self.best.as_ref().is_none_or(|(_, best)| self.worth(&times) < self.worth(best)) {
            self.best = Some((list.to_owned(), times.clone()));
        }
        Some(times)
    }

    fn push_to_and_fro(&mut self, back: &ScheduleProblem, mut list: Vec<usize>) {
        let Some(mut times) = self.judge(&mut list) else { return };
        while !self.is_over() {
            by(&mut list, |job| Reverse(self.end(&times, job)));
            let Some(from_the_end) = serial(back, &list) else { return };
            by(&mut list, |job| {
                let length = self.problem.jobs.get(job).map_or(0, |job| job.length);
                Reverse(from_the_end.starts.get(job).map_or(0, |start| start + length))
            });
            let Some(next) = self.judge(&mut list) else { return };
            if self.worth(&next) >= self.worth(&times) {
                return;
            }
            times = next;
        }
    }

    fn wander(&mut self, rng: &mut Rng) {
        let Some((mut here, mut times)) = self.best.clone() else { return };
        let mut memory = [self.worth(&times); MEMORY];
        let mut turn = 0;
        while !self.is_over() {
            let mut list = here.clone();
            self.change(&mut list, &times, rng);
            let next = self.judge(&mut list);
            if let (Some(next), Some(before)) = (next, memory.get_mut(turn % MEMORY)) {
                if self.worth(&next) <= *before || self.worth(&next) <= self.worth(&times) {
                    (here, times) = (list, next);
                }
                *before = self.worth(&times);
            }
            turn += 1;
        }
    }

    fn change(&self, list: &mut Vec<usize>, times: &Times, rng: &mut Rng) {
        let place = rng.below(list.len());
        match rng.below(3) {
            0 => {
                let late = |job: &usize| self.end(times, *job) == times.makespan;
                let from = list.iter().position(late).unwrap_or(place);
                let job = list.remove(from);
                list.insert(rng.below(from + 1), job);
            }
            1 => {
                let other = rng.below(list.len());
                list.swap(place, other);
            }
            _ => {
                let from = rng.below(list.len());
                let job = list.remove(from);
                list.insert(place.min(list.len()), job);
            }
        }
    }

    fn end(&self, times: &Times, job: usize) -> u64 {
        let length = self.problem.jobs.get(job).map_or(0, |job| job.length);
        times.starts.get(job).map_or(0, |start| start + length)
    }
}

fn by<K: Ord>(list: &mut [usize], key: impl Fn(usize) -> K) {
    list.sort_by_key(|&job| key(job));
}

fn longest_first(problem: &ScheduleProblem) -> Vec<usize> {
    let mut list: Vec<_> = (0..problem.jobs.len()).collect();
    by(&mut list, |job| Reverse(problem.jobs.get(job).map(|job| job.length)));
    list
}

/// Always a move of the connection that has most left to carry, and of these the longest.
fn busiest_first(problem: &ScheduleProblem) -> Vec<usize> {
    let mut left = vec![0.0; problem.stocks.levels.len()];
    let load = |left: &mut Vec<f64>, job: usize, sign: f64| {
        for (one, length) in
            problem.jobs.get(job).iter().flat_map(|job| job.holds.iter().map(|one| (one, job.length)))
        {
            let level = problem.stocks.levels.get(one.stock).copied().unwrap_or(1).max(1) as f64;
            if let Some(left) = left.get_mut(one.stock) {
                *left += sign * one.amount as f64 * length as f64 / level;
            }
        }
    };
    let mut open: Vec<_> = (0..problem.jobs.len()).collect();
    open.iter().for_each(|&job| load(&mut left, job, 1.0));
    let mut list = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let key = |&job: &usize| {
            problem.jobs.get(job).map_or((0, 0), |job| {
                let most =
                    job.holds.iter().filter_map(|one| left.get(one.stock)).fold(0.0, |a: f64, b| a.max(*b));
                (most.round() as u64, job.length)
            })
        };
        let best = open.iter().enumerate().max_by_key(|(place, job)| (key(job), Reverse(*place)));
        let Some(place) = best.map(|(place, _)| place) else { break };
        let job = open.remove(place);
        load(&mut left, job, -1.0);
        list.push(job);
    }
    list
}
