//! The largest of many numbers that change one at a time: a tournament, in which a change costs one round per level.

/// The tournament. Numbers that do not take part are minus infinity.
#[derive(Clone, Debug)]
pub(super) struct Peak {
    /// The number of leaves, a power of two; the winner of `2i` and `2i + 1` is at `i`.
    leaves: usize,
    tree: Vec<f64>,
}

impl Peak {
    pub(super) fn new(numbers: usize) -> Self {
        let leaves = numbers.next_power_of_two();
        Self { leaves, tree: vec![f64::NEG_INFINITY; 2 * leaves] }
    }

    pub(super) fn set(&mut self, at: usize, number: f64) {
        let mut at = at + self.leaves;
        self.tree[at] = number;
        while at > 1 {
            at /= 2;
            self.tree[at] = self.tree[2 * at].max(self.tree[2 * at + 1]);
        }
    }

    pub(super) fn get(&self, at: usize) -> f64 {
        self.tree[at + self.leaves]
    }

    pub(super) fn max(&self) -> f64 {
        self.tree[1]
    }

    /// The largest of all but this one.
    pub(super) fn max_but(&self, at: usize) -> f64 {
        let (mut at, mut max) = (at + self.leaves, f64::NEG_INFINITY);
        while at > 1 {
            max = max.max(self.tree[at ^ 1]);
            at /= 2;
        }
        max
    }
}

#[cfg(test)]
mod tests {
    use super::Peak;

    #[test]
    fn the_largest_is_known_after_every_change() {
        let mut peak = Peak::new(5);
        for (at, number) in [3.0, 1.0, 4.0, 1.0, 5.0].into_iter().enumerate() {
            peak.set(at, number);
        }
        assert_eq!((peak.max(), peak.max_but(4), peak.max_but(0)), (5.0, 4.0, 5.0));
        peak.set(4, 2.0);
        assert_eq!((peak.max(), peak.max_but(2), peak.get(4)), (4.0, 3.0, 2.0));
    }
}
