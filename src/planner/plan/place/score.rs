//! How good a placement is, computed so that the difference which one zone makes is known at once.
//!
//! Each host has up to three *metrics*: sums over its zones, as shares of what it has. A goal makes two numbers
//! of all metrics, the second one for ties:
//!
//! | goal            | metrics                        | first                      | second              |
//! |-----------------|--------------------------------|----------------------------|---------------------|
//! | spread          | memory, CPU, network           | load of the fullest host   | Σ load²             |
//! | fastest         | bytes that come in / bandwidth | of the slowest connection  | Σ of its square     |
//! | pack            | what comes in / what was free  | hosts that receive zones   | −Σ load²            |
//! | pinned          | memory, CPU, network           | Σ rank among the targets   | Σ load²             |
//! | balance, Ganeti | those of the goal              | Σ weight · deviation       | –                   |
//!
//! A host's load is the largest of its metrics. Sums, sums of squares and the tournament of loads are maintained,
//! so a change costs the same in a fleet of ten hosts and of ten thousand. Hosts to be emptied, or in
//! maintenance, do not count.

use std::cmp::Ordering;

use super::metrics::{Metric, Shape};
use super::peak::Peak;

/// Less is better; a difference in the last digits does not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Key {
    pub(super) first: f64,
    pub(super) second: f64,
}

impl Key {
    /// The order to the last digit.
    pub(super) fn order(self, other: Self) -> Ordering {
        self.first.total_cmp(&other.first).then(self.second.total_cmp(&other.second))
    }

    /// Whether this is better than the other one.
    pub(super) fn beats(self, other: Self) -> bool {
        let less = |a: f64, b: f64| a < b - 1e-10 * (1.0 + b.abs().min(1e12));
        less(self.first, other.first) || (!less(other.first, self.first) && less(self.second, other.second))
    }
}

/// What one host gains or loses.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoreDelta {
    pub(super) host: usize,
    /// Not yet as shares of the host.
    pub(super) amount: Metric,
    /// 1.0 if a zone comes, −1.0 if one goes.
    pub(super) sign: f64,
    /// The rank of the host among the zone's targets.
    pub(super) rank: f64,
}

/// The score of a placement.
#[derive(Clone, Debug)]
pub(super) struct Score {
    shape: Shape,
    /// For each host the share that a unit of each sum is, all zero if it does not count.
    per: Vec<Metric>,
    now: Vec<Metric>,
    taken: Vec<u32>,
    hosts: f64,
    sums: Metric,
    squares: Metric,
    loads: Peak,
    load_squares: f64,
    destinations: f64,
    ranks: f64,
}

impl Score {
    /// `per[h]` times the sum of what is on host `h` is its metric, `now[h]` the metric without any move.
    pub(super) fn new(shape: Shape, counts: &[bool], per: Vec<Metric>, now: Vec<Metric>) -> Self {
        let mut score = Self {
            shape,
            hosts: counts.iter().filter(|counts| **counts).count().max(1) as f64,
            loads: Peak::new(now.len().max(1)),
            taken: vec![0; now.len()],
            per,
            now,
            sums: Metric::default(),
            squares: Metric::default(),
            load_squares: 0.0,
            destinations: 0.0,
            ranks: 0.0,
        };
        score
            .per
            .iter_mut()
            .zip(counts)
            .filter(|(_, counts)| !**counts)
            .for_each(|(per, _)| *per = Metric::default());
        for (host, metric) in score.now.iter().enumerate().filter(|(host, _)| counts[*host]) {
            for (at, value) in metric.iter().enumerate() {
                score.sums[at] += value;
                score.squares[at] += value * value;
            }
            let load = load(metric);
            score.load_squares += load * load;
            score.loads.set(host, load);
        }
        score
    }

    fn moved(&self, change: &ScoreDelta) -> Metric {
        let (now, per) = (&self.now[change.host], &self.per[change.host]);
        std::array::from_fn(|at| now[at] + change.sign * change.amount[at] * per[at])
    }

    pub(super) fn apply(&mut self, change: &ScoreDelta) {
        let taken = &mut self.taken[change.host];
        self.destinations -= f64::from(u8::from(*taken > 0));
        *taken = if change.sign > 0.0 { *taken + 1 } else { taken.saturating_sub(1) };
        self.destinations += f64::from(u8::from(*taken > 0));
        self.ranks += change.sign * change.rank;
        self.change(change);
    }

    /// Changes the metrics of a host, and what follows from them.
    pub(super) fn change(&mut self, change: &ScoreDelta) {
        let (then, now) = (self.moved(change), self.now[change.host]);
        for at in 0..then.len() {
            self.sums[at] += then[at] - now[at];
            self.squares[at] += then[at] * then[at] - now[at] * now[at];
        }
        let (more, less) = (load(&then), load(&now));
        if self.loads.get(change.host) > f64::NEG_INFINITY {
            self.load_squares += more * more - less * less;
            self.loads.set(change.host, more);
        }
        self.now[change.host] = then;
    }

    pub(super) fn key(&self) -> Key {
        self.finish(
            &self.sums,
            &self.squares,
            self.loads.max(),
            self.load_squares,
            self.destinations,
            self.ranks,
        )
    }

    /// The score after a zone came.
    pub(super) fn with(&self, change: &ScoreDelta) -> Key {
        let (then, now) = (self.moved(change), &self.now[change.host]);
        if let Shape::Deviation(_) = self.shape {
            let sums = std::array::from_fn(|at| self.sums[at] + then[at] - now[at]);
            let squares =
                std::array::from_fn(|at| self.squares[at] + then[at] * then[at] - now[at] * now[at]);
            return self.finish(&sums, &squares, 0.0, 0.0, 0.0, 0.0);
        }
        let (more, less) = (load(&then), load(now));
        let peak = if more >= less { self.loads.max() } else { self.loads.max_but(change.host) };
        let new = f64::from(u8::from(self.taken[change.host] == 0));
        self.finish(
            &self.sums,
            &self.squares,
            peak.max(more),
            self.load_squares + more * more - less * less,
            self.destinations + new,
            self.ranks + change.rank,
        )
    }

    fn finish(
        &self,
        sums: &Metric,
        squares: &Metric,
        peak: f64,
        load: f64,
        destinations: f64,
        ranks: f64,
    ) -> Key {
        let (first, second) = match &self.shape {
            Shape::Deviation(weights) => {
                let deviation = |at: usize| {
                    let mean = sums[at] / self.hosts;
                    weights[at] * (squares[at] / self.hosts - mean * mean).max(0.0).sqrt()
                };
                ((0..weights.len()).filter(|at| weights[*at] > 0.0).map(deviation).sum(), 0.0)
            }
            Shape::Peak => (peak, load),
            Shape::Fewest => (destinations, -load),
            Shape::Ranks => (ranks, load),
        };
        Key { first, second }
    }

    /// A lower bound of every score that a placement with this key can reach by adding zones; none if there is none.
    pub(super) fn bound(&self, Key { first, second }: Key) -> Option<Key> {
        match self.shape {
            Shape::Peak | Shape::Ranks => Some(Key { first, second }),
            Shape::Fewest => Some(Key { first, second: f64::NEG_INFINITY }),
            Shape::Deviation(_) => None,
        }
    }

    /// The load of a host.
    pub(super) fn load(&self, host: usize) -> f64 {
        load(&self.now[host])
    }
}

fn load(metric: &Metric) -> f64 {
    metric.iter().copied().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::rng::Rng;

    #[test]
    fn what_is_kept_is_what_is_there() {
        for shape in [Shape::Peak, Shape::Fewest, Shape::Ranks, Shape::Deviation([1.0, 0.5, 2.0])] {
            let counts = [true, true, false, true];
            let per = vec![[0.5, 0.25, 1.0], [1.0, 0.0, 1.0], [1.0, 1.0, 1.0], [0.1, 0.2, 0.3]];
            let mut score = Score::new(shape.clone(), &counts, per.clone(), vec![[0.1, 0.2, 0.3]; 4]);
            let mut rng = Rng::new(3);
            let mut all = Vec::new();
            let same = |a: Key, b: Key| assert!(!a.beats(b) && !b.beats(a), "{shape:?}: {a:?}, {b:?}");
            for _ in 0..500 {
                let amount = std::array::from_fn(|_| rng.below(100) as f64 / 50.0);
                let change = ScoreDelta { host: rng.below(4), amount, sign: 1.0, rank: 1.0 };
                let then = score.with(&change);
                score.apply(&change);
                same(then, score.key());
                all.push(change);
                if rng.below(3) > 0 {
                    let back = all.swap_remove(rng.below(all.len()));
                    score.apply(&ScoreDelta { sign: -1.0, ..back });
                }
            }
            let fresh = Score::new(shape.clone(), &counts, per, score.now.clone());
            let Score { destinations, ranks, .. } = score;
            same(Score { destinations, ranks, ..fresh }.key(), score.key());
        }
    }

    #[test]
    fn the_first_number_counts_before_the_second() {
        let key = |first, second| Key { first, second };
        assert!(key(1.0, 9.0).beats(key(2.0, 0.0)));
        assert!(key(1.0, 0.0).beats(key(1.0, 1.0)));
        assert!(!key(1.0, 1.0).beats(key(1.0 + 1e-14, 1.0)));
    }
}
