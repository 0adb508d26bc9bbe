//! From a list of moves to their times: each begins as early as those inserted before it allow.
//!
//! A move for which there is no room yet waits until a later one in the list has made some. Every list gives a
//! schedule that satisfies all constraints, or none; some list gives the shortest one. So it is enough to search
//! for a good list.

use super::stock::{ScheduleProblem, SearchMove};
use super::timeline::Timeline;

/// When each job begins, by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) starts: Vec<u64>,
    pub(super) makespan: u64,
    /// The sum of all ends.
    pub(super) ends: u64,
}

/// The schedule of a list; none if some moves wait for each other.
pub(super) fn serial(problem: &ScheduleProblem, list: &[usize]) -> Option<Times> {
    let mut board = Board::new(problem);
    let mut waiting: Vec<usize> = Vec::new();
    for &job in list {
        if !board.insert(job) {
            waiting.push(job);
            continue;
        }
        while let Some(place) = waiting.iter().position(|&job| board.insert(job)) {
            waiting.remove(place);
        }
    }
    waiting.is_empty().then_some(board.times)
}

/// The jobs inserted so far.
struct Board<'a> {
    problem: &'a ScheduleProblem,
    lines: Vec<Timeline>,
    ends: Vec<Option<u64>>,
    times: Times,
}

impl<'a> Board<'a> {
    fn new(problem: &'a ScheduleProblem) -> Self {
        let lines = problem.stocks.levels.iter().map(|&level| Timeline::new(level)).collect();
        let jobs = problem.jobs.len();
        let times = Times { starts: vec![0; jobs], ..Times::default() };
        Self { problem, lines, ends: vec![None; jobs], times }
    }

    /// Inserts a job as early as possible; false if it cannot be inserted yet.
    fn insert(&mut self, number: usize) -> bool {
        let Some(job) = self.problem.jobs.get(number) else { return false };
        let Some(start) = self.earliest(job) else { return false };
        let end = start + job.length;
        for (uses, from, to, sign) in
            [(&job.takes, start, u64::MAX, -1), (&job.gives, end, u64::MAX, 1), (&job.holds, start, end, -1)]
        {
            for one in uses {
                if let Some(line) = self.lines.get_mut(one.stock) {
                    line.add(from, to, sign * one.amount);
                }
            }
        }
        if let (Some(place), Some(its_end)) = (self.times.starts.get_mut(number), self.ends.get_mut(number)) {
            *place = start;
            *its_end = Some(end);
        }
        self.times.makespan = self.times.makespan.max(end);
        self.times.ends += end;
        true
    }

    fn earliest(&self, job: &SearchMove) -> Option<u64> {
        let line = |stock: usize| self.lines.get(stock);
        if job.needs().any(|one| line(one.stock).is_none_or(|line| line.last() < one.amount)) {
            return None;
        }
        let mut start = job.ready;
        for &other in &job.after {
            start = start.max(self.ends.get(other).copied().flatten()?);
        }
        loop {
            let before = start;
            for one in &job.takes {
                start = line(one.stock)?.for_good(start, one.amount)?;
            }
            for one in &job.holds {
                start = line(one.stock)?.for_a_while(start, job.length, one.amount)?;
            }
            if start == before {
                return Some(start);
            }
        }
    }
}

/// The same jobs with time running backwards: what is given at the end is taken at the beginning.
pub(super) fn backwards(problem: &ScheduleProblem) -> ScheduleProblem {
    let mut back = problem.clone();
    for (number, job) in problem.jobs.iter().enumerate() {
        for (uses, sign) in [(&job.takes, -1), (&job.gives, 1)] {
            for one in uses {
                if let Some(level) = back.stocks.levels.get_mut(one.stock) {
                    *level = level.saturating_add(sign * one.amount);
                }
            }
        }
        for &other in &job.after {
            if let Some(other) = back.jobs.get_mut(other) {
                other.after.push(number);
            }
        }
        if let Some(job) = back.jobs.get_mut(number) {
            std::mem::swap(&mut job.takes, &mut job.gives);
            job.ready = 0;
        }
    }
    for (job, forward) in back.jobs.iter_mut().zip(&problem.jobs) {
        job.after.drain(..forward.after.len().min(job.after.len()));
    }
    back
}
