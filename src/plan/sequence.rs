//! What comes after what: an order that keeps to it, and the rings that no order can keep to. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

/// For each of some things, by their numbers, those that come before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    before: Vec<BTreeSet<usize>>,
}

/// Things that come after each other in a ring: each after the next one, the last after the first.
pub type Ring = Vec<usize>;

impl Sequence {
    /// Of so many things; `before` gives what comes before each. None comes before itself.
    pub fn new(count: usize, before: impl Fn(usize) -> BTreeSet<usize>) -> Self {
        let others = |number| before(number).into_iter().filter(move |one| *one != number && *one < count);
        let before = (0..count).map(others).map(Iterator::collect).collect();
        Self { before }
    }

    /// What comes before that one.
    pub fn before(&self, number: usize) -> &BTreeSet<usize> {
        const NONE: &BTreeSet<usize> = &BTreeSet::new();
        self.before.get(number).unwrap_or(NONE)
    }

    /// All of them, each after what comes before it, and else by number. What is in a ring, or after one, is left out.
    pub fn order(&self) -> Vec<usize> {
        let mut waits: Vec<_> = self.before.iter().map(BTreeSet::len).collect();
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); waits.len()];
        for (number, before) in self.before.iter().enumerate() {
            for &other in before {
                if let Some(next) = next.get_mut(other) {
                    next.push(number);
                }
            }
        }
        let free =
            waits.iter().enumerate().filter(|(_, waits)| **waits == 0).map(|(number, _)| Reverse(number));
        let mut free: BinaryHeap<_> = free.collect();
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

    /// Breaks every ring: the first in it, by number, no longer comes after the others of it. Gives a ring for each that
    /// was broken.
    pub fn break_rings(&mut self) -> Vec<Ring> {
        let mut broken = Vec::new();
        loop {
            let free: BTreeSet<_> = self.order().into_iter().collect();
            let stuck = (0..self.before.len()).filter(|number| !free.contains(number));
            let Some(ring) = stuck.into_iter().find_map(|number| self.ring_of(number)) else { return broken };
            let Some(&first) = ring.first() else { return broken };
            let kept: BTreeSet<_> = self
                .before(first)
                .iter()
                .copied()
                .filter(|other| self.way(*other, first).is_none())
                .collect();
            if let Some(before) = self.before.get_mut(first) {
                *before = kept;
            }
            broken.push(ring);
        }
    }

    /// The shortest ring that it is in.
    fn ring_of(&self, number: usize) -> Option<Ring> {
        let ways = self.before(number).iter().filter_map(|other| self.way(*other, number));
        let mut ring = ways.min_by_key(Vec::len)?;
        ring.rotate_right(1);
        Some(ring)
    }

    /// The shortest way from one to another one, each after the next, with both ends.
    fn way(&self, from: usize, to: usize) -> Option<Vec<usize>> {
        let mut came_from = vec![None; self.before.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(number) = queue.pop_front() {
            if number == to {
                let steps = std::iter::successors(Some(number), |at| {
                    came_from.get(*at).copied().flatten().filter(|_| *at != from)
                });
                let mut way: Vec<_> = steps.collect();
                way.reverse();
                return Some(way);
            }
            for &other in self.before(number) {
                if let Some(place @ None) = came_from.get_mut(other) {
                    *place = Some(number);
                    queue.push_back(other);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sequence(before: &[&[usize]]) -> Sequence {
        Sequence::new(before.len(), |number| before[number].iter().copied().collect())
    }

    #[test]
    fn each_comes_after_what_is_before_it_and_else_by_number() {
        let cases: [(&[&[usize]], &[usize]); 6] = [
            (&[], &[]),
            (&[&[], &[], &[]], &[0, 1, 2]),
            (&[&[2], &[], &[]], &[1, 2, 0]),
            (&[&[1], &[2], &[]], &[2, 1, 0]),
            (&[&[3], &[], &[], &[]], &[1, 2, 3, 0]),
            // Itself, and what is not there.
            (&[&[0, 9], &[]], &[0, 1]),
        ];
        for (before, expected) in cases {
            let mut sequence = sequence(before);
            assert_eq!(sequence.order(), expected, "{before:?}");
            assert_eq!(sequence.break_rings(), [] as [Ring; 0]);
        }
    }

    #[test]
    fn of_a_ring_the_first_one_goes_first_and_what_is_behind_it_still_after_it() {
        let cases: [(&[&[usize]], &[&[usize]], &[usize]); 4] = [
            (&[&[1], &[0]], &[&[0, 1]], &[0, 1]),
            // 0 is in none, but after one.
            (&[&[1], &[2], &[1]], &[&[1, 2]], &[1, 0, 2]),
            (&[&[2], &[0], &[1, 3], &[]], &[&[0, 2, 1]], &[0, 1, 3, 2]),
            (&[&[1], &[0, 2], &[1]], &[&[0, 1], &[1, 2]], &[0, 1, 2]),
        ];
        for (before, rings, expected) in cases {
            let mut sequence = sequence(before);
            assert!(sequence.order().len() < before.len(), "{before:?}");
            assert_eq!(sequence.break_rings(), rings, "{before:?}");
            assert_eq!(sequence.order(), expected, "{before:?}");
        }
    }

    #[test]
    fn thousands_that_come_after_thousands_take_no_time() {
        let many = Sequence::new(
            4000,
            |number| if number < 2000 { (2000..4000).collect() } else { BTreeSet::new() },
        );
        assert_eq!(many.order()[..2], [2000, 2001]);
    }

    proptest! {
        #[test]
        fn every_order_keeps_to_all_that_no_ring_forbids(
            pairs in prop::collection::vec((0..8_usize, 0..8_usize), 0..16), acyclic: bool,
        ) {
            let pairs: BTreeSet<_> =
                pairs.into_iter().map(|(one, other)| if acyclic { (one.max(other), one.min(other)) } else { (one, other) }).collect();
            let asked = Sequence::new(8, |number| {
                pairs.iter().filter(|(one, _)| *one == number).map(|(_, other)| *other).collect()
            });
            let mut kept = asked.clone();
            let rings = kept.break_rings();
            prop_assert!(!acyclic || rings.is_empty());
            for ring in &rings {
                for (place, number) in ring.iter().enumerate() {
                    prop_assert!(asked.before(*number).contains(&ring[(place + 1) % ring.len()]), "{:?}", ring);
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
                        // Only what was in a ring is given up.
                        prop_assert!(asked.way(other, number).is_some());
                    }
                }
            }
        }
    }
}
