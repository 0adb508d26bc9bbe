//! An order of moves in which there is always room: the problem of full hosts, without times.
//!
//! One after the other is the easiest way: what can be done in parallel can also be done one by one in the order
//! of the begins. A move whose destination has room for everything that is still to come takes nothing from
//! others and is made at once. Otherwise each possible move is tried, those that make room for others first; a
//! state that was reached before in another order is not tried again.

use std::collections::HashSet;

use super::stock::{ScheduleProblem, Use};
use crate::plan::rng::Rng;

/// The result of the search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The jobs, in an order in which each finds what it needs.
    pub(super) order: Vec<usize>,
    /// Jobs that cannot be done after these.
    pub(super) left: Vec<usize>,
}

/// Searches for an order of all jobs, backtracking at most `turns` times.
pub(super) fn order(problem: &ScheduleProblem, turns: usize) -> Found {
    let mut state = OrderState::new(problem);
    let (mut best, mut seen, mut turns) = (Vec::new(), HashSet::new(), turns);
    // The choices: how much had been done, and what has not been tried yet.
    let mut choices: Vec<(usize, Vec<usize>)> = Vec::new();
    loop {
        state.make_harmless_moves();
        let fresh = seen.insert(state.hash);
        let open = if fresh { state.candidates() } else { Vec::new() };
        if state.order.len() > best.len() {
            best.clone_from(&state.order);
        }
        if state.order.len() == problem.jobs.len() {
            break;
        }
        if open.is_empty() {
            if turns == 0 {
                break;
            }
            turns -= 1;
        }
        choices.push((state.order.len(), open));
        let next = loop {
            match choices.last_mut() {
                None => break None,
                Some((length, open)) => match open.pop() {
                    Some(job) => break Some((*length, job)),
                    None => drop(choices.pop()),
                },
            }
        };
        let Some((length, job)) = next else { break };
        state.undo_to(length);
        state.apply(job);
    }
    state.undo_to(0);
    best.iter().for_each(|&job| state.apply(job));
    let left = (0..problem.jobs.len()).filter(|&job| state.is_pending(job)).collect();
    Found { order: best, left }
}

/// What there is of each stock after these jobs.
pub(super) fn levels(problem: &ScheduleProblem, done: &[usize]) -> Vec<i64> {
    let mut state = OrderState::new(problem);
    done.iter().for_each(|&job| state.apply(job));
    state.levels
}

struct OrderState<'a> {
    problem: &'a ScheduleProblem,
    levels: Vec<i64>,
    /// What the remaining jobs take, by stock.
    demand: Vec<i64>,
    pending: Vec<bool>,
    order: Vec<usize>,
    /// Identifies the set of jobs that are done.
    hash: u64,
    marks: Vec<u64>,
}

impl<'a> OrderState<'a> {
    fn new(problem: &'a ScheduleProblem) -> Self {
        let levels = problem.stocks.levels.clone();
        let mut demand = vec![0; levels.len()];
        problem.jobs.iter().for_each(|job| add(&mut demand, &job.takes, 1));
        let mut rng = Rng::new(0);
        let marks = problem.jobs.iter().map(|_| rng.next()).collect();
        let pending = vec![true; problem.jobs.len()];
        Self { problem, levels, demand, pending, order: Vec::new(), hash: 0, marks }
    }

    fn make_harmless_moves(&mut self) {
        loop {
            let before = self.order.len();
            for job in 0..self.problem.jobs.len() {
                if self.fits(job) && self.is_harmless(job) {
                    self.apply(job);
                }
            }
            if self.order.len() == before {
                return;
            }
        }
    }

    /// The possible jobs, the best one last.
    fn candidates(&self) -> Vec<usize> {
        let mut all: Vec<_> = (0..self.problem.jobs.len()).filter(|&job| self.fits(job)).collect();
        all.sort_by_cached_key(|&number| {
            let job = self.problem.jobs.get(number);
            let wanted = job.is_some_and(|job| job.gives.iter().any(|one| self.is_short(one.stock)));
            let taken: i64 = job.map_or(0, |job| job.takes.iter().map(|one| one.amount).sum());
            (wanted, std::cmp::Reverse(taken), std::cmp::Reverse(number))
        });
        all
    }

    fn is_pending(&self, job: usize) -> bool {
        self.pending.get(job).copied().unwrap_or(false)
    }

    fn fits(&self, number: usize) -> bool {
        self.is_pending(number)
            && self.problem.jobs.get(number).is_some_and(|job| {
                let level = |one: &Use| self.levels.get(one.stock).is_some_and(|level| *level >= one.amount);
                job.needs().all(level) && !job.after.iter().any(|&other| self.is_pending(other))
            })
    }

    /// It takes nothing that another one might need.
    fn is_harmless(&self, job: usize) -> bool {
        self.problem.jobs.get(job).is_some_and(|job| !job.takes.iter().any(|one| self.is_short(one.stock)))
    }

    fn is_short(&self, stock: usize) -> bool {
        self.levels.get(stock) < self.demand.get(stock)
    }

    fn apply(&mut self, number: usize) {
        self.mark(number, false);
        self.order.push(number);
    }

    fn undo_to(&mut self, length: usize) {
        while self.order.len() > length {
            if let Some(number) = self.order.pop() {
                self.mark(number, true);
            }
        }
    }

    fn mark(&mut self, number: usize, pending: bool) {
        let Some(job) = self.problem.jobs.get(number) else { return };
        let sign = if pending { 1 } else { -1 };
        add(&mut self.levels, &job.takes, sign);
        add(&mut self.levels, &job.gives, -sign);
        add(&mut self.demand, &job.takes, sign);
        if let Some(place) = self.pending.get_mut(number) {
            *place = pending;
        }
        self.hash ^= self.marks.get(number).copied().unwrap_or(0);
    }
}

fn add(levels: &mut [i64], uses: &[Use], sign: i64) {
    for one in uses {
        if let Some(level) = levels.get_mut(one.stock) {
            *level = level.saturating_add(sign * one.amount);
        }
    }
}
