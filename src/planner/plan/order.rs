//! Dependencies: an order that satisfies them, and the cycles that no order can satisfy. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

/// For each of some numbered things, those that come before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DependencyGraph {
    before: Vec<BTreeSet<usize>>,
}

/// Things that come after each other in a cycle: each after the next one, the last after the first.
pub type Cycle = Vec<usize>;

impl DependencyGraph {
    /// Of that many things; `before` says what comes before each. Nothing comes before itself.
    pub fn new(count: usize, before: impl Fn(usize) -> BTreeSet<usize>) -> Self {
        let others = |number| before(number).into_iter().filter(move |one| *one != number && *one < count);
        let before = (0..count).map(others).map(Iterator::collect).collect();
        Self { before }
    }

    pub fn before(&self, number: usize) -> &BTreeSet<usize> {
        const NONE: &BTreeSet<usize> = &BTreeSet::new();
        self.before.get(number).unwrap_or(NONE)
    }

    /// For each, those that come directly after it.
    fn next(&self) -> Vec<Vec<usize>> {
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); self.before.len()];
        for (number, before) in self.before.iter().enumerate() {
            for &other in before {
                if let Some(next) = next.get_mut(other) {
                    next.push(number);
                }
            }
        }
        next
    }

    /// All of them, each after those that come before it, otherwise by number. What is in a cycle, or after one,
    /// is left out.
    pub fn order(&self) -> Vec<usize> {
        let next = self.next();
        let mut waits: Vec<_> = self.before.iter().map(BTreeSet::len).collect();
        let free = waits.iter().enumerate().filter(|(_, waits)| **waits == 0);
        let mut free: BinaryHeap<_> = free.map(|(number, _)| Reverse(number)).collect();
        let mut order = Vec::with_capacity(waits.len());
        while let Some(Reverse(number)) = free.pop() {
            order.push(number);
            for &other in next.get(number).into_iter().flatten() {
                if let Some(left) = waits.get_mut(other) {
                    *left -= 1;
                    if *left == 0 {
                        free.push(Reverse(other));
                    }
                }
            }
        }
        order
    }

    /// Breaks every cycle: the first thing in it, by number, no longer comes after the others. Returns a cycle
    /// for each that was broken.
    pub fn break_cycles(&mut self) -> Vec<Cycle> {
        let next = self.next();
        let mut broken = Vec::new();
        loop {
            let free: BTreeSet<_> = self.order().into_iter().collect();
            let mut stuck = (0..self.before.len()).filter(|number| !free.contains(number));
            let Some(cycle) = stuck.find_map(|number| self.cycle_of(number)) else { return broken };
            let Some(&first) = cycle.first() else { return broken };
            let behind = self.behind(first, &next);
            if let Some(before) = self.before.get_mut(first) {
                before.retain(|other| !behind.contains(other));
            }
            broken.push(cycle);
        }
    }

    /// The shortest cycle that it is in.
    fn cycle_of(&self, number: usize) -> Option<Cycle> {
        let mut came_from = vec![None; self.before.len()];
        let mut queue = VecDeque::from([number]);
        while let Some(at) = queue.pop_front() {
            let before = self.before(at);
            if before.contains(&number) {
                let way = std::iter::successors(Some(at), |at| came_from.get(*at).copied().flatten());
                let mut cycle: Cycle = way.collect();
                cycle.reverse();
                return Some(cycle);
            }
            for &other in before {
                if let Some(place @ None) = came_from.get_mut(other) {
                    *place = Some(at);
                    queue.push_back(other);
                }
            }
        }
        None
    }

    /// All that come after it, directly or not.
    fn behind(&self, number: usize, next: &[Vec<usize>]) -> BTreeSet<usize> {
        let (mut behind, mut queue) = (BTreeSet::new(), vec![number]);
        while let Some(at) = queue.pop() {
            for &other in next.get(at).into_iter().flatten() {
                // Some dependencies were removed when another cycle was broken.
                if self.before(other).contains(&at) && behind.insert(other) {
                    queue.push(other);
                }
            }
        }
        behind
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(before: &[&[usize]]) -> DependencyGraph {
        DependencyGraph::new(before.len(), |number| before[number].iter().copied().collect())
    }

    #[test]
    fn each_comes_after_what_is_before_it_and_else_by_number() {
        let cases: [(&[&[usize]], &[usize]); 6] = [
            (&[], &[]),
            (&[&[], &[], &[]], &[0, 1, 2]),
            (&[&[2], &[], &[]], &[1, 2, 0]),
            (&[&[1], &[2], &[]], &[2, 1, 0]),
            (&[&[3], &[], &[], &[]], &[1, 2, 3, 0]),
            // Itself, and a number that does not exist.
            (&[&[0, 9], &[]], &[0, 1]),
        ];
        for (before, expected) in cases {
            let mut graph = graph(before);
            assert_eq!(graph.order(), expected, "{before:?}");
            assert_eq!(graph.break_cycles(), [] as [Cycle; 0]);
        }
    }

    #[test]
    fn of_a_ring_the_first_one_goes_first_and_what_is_behind_it_still_after_it() {
        type List = &'static [usize];
        let cases: [(&[List], &[List], List); 4] = [
            (&[&[1], &[0]], &[&[0, 1]], &[0, 1]),
            // 0 is in no cycle, but after one.
            (&[&[1], &[2], &[1]], &[&[1, 2]], &[1, 0, 2]),
            (&[&[2], &[0], &[1, 3], &[]], &[&[0, 2, 1]], &[0, 1, 3, 2]),
            (&[&[1], &[0, 2], &[1]], &[&[0, 1], &[1, 2]], &[0, 1, 2]),
        ];
        for (before, cycles, expected) in cases {
            let mut graph = graph(before);
            assert!(graph.order().len() < before.len(), "{before:?}");
            assert_eq!(graph.break_cycles(), cycles, "{before:?}");
            assert_eq!(graph.order(), expected, "{before:?}");
        }
    }

    #[test]
    fn many_that_come_after_many_take_no_time_even_in_a_ring() {
        let [first, second] = [(0..100).collect(), (100..200).collect::<BTreeSet<_>>()];
        let one_way = |number| if number < 100 { second.clone() } else { BTreeSet::new() };
        assert_eq!(DependencyGraph::new(200, one_way).order()[..2], [100, 101]);
        let mut cycle =
            DependencyGraph::new(
                200,
                |number| if number < 100 { second.clone() } else { BTreeSet::clone(&first) },
            );
        assert_eq!(cycle.break_cycles().len(), 100);
        assert_eq!(cycle.order(), (0..200).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn every_order_keeps_to_all_that_no_ring_forbids(
            pairs in prop::collection::vec((0..8_usize, 0..8_usize), 0..16), acyclic: bool,
        ) {
            let pairs: BTreeSet<_> =
                pairs.into_iter().map(|(one, other)| if acyclic { (one.max(other), one.min(other)) } else { (one, other) }).collect();
            let asked = DependencyGraph::new(8, |number| {
                pairs.iter().filter(|(one, _)| *one == number).map(|(_, other)| *other).collect()
            });
            let mut kept = asked.clone();
            let cycles = kept.break_cycles();
            prop_assert!(!acyclic || cycles.is_empty());
            for cycle in &cycles {
                for (place, number) in cycle.iter().enumerate() {
                    prop_assert!(asked.before(*number).contains(&cycle[(place + 1) % cycle.len()]), "{:?}", cycle);
                }
            }
            let order = kept.order();
            prop_assert_eq!(order.iter().copied().collect::<BTreeSet<_>>().len(), 8);
            let place = |number: usize| order.iter().position(|one| *one == number).unwrap();
            for number in 0..8 {
                for &other in asked.before(number) {
                    if kept.before(number).contains(&other) {
                        prop_assert!(place(other) < place(number), "{} before {} in {:?}", other, number, order);
                    } else {
                        // Only dependencies in cycles are removed.
                        prop_assert!(asked.behind(number, &asked.next()).contains(&other));
                    }
                }
            }
        }
    }
}
