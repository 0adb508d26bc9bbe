//! The level of a stock over time.

/// The level from a time on, until the next one. The first time is 0, and there are no duplicates.
#[derive(Clone, Debug)]
pub(super) struct Timeline(Vec<(u64, i64)>);

impl Timeline {
    pub(super) fn new(level: i64) -> Self {
        Self(vec![(0, level)])
    }

    /// Adds to the level from `start` until `end`.
    pub(super) fn add(&mut self, start: u64, end: u64, amount: i64) {
        let first = self.cut(start);
        let last = if end == u64::MAX { self.0.len() } else { self.cut(end) };
        for step in self.0.iter_mut().take(last).skip(first) {
            step.1 = step.1.saturating_add(amount);
        }
    }

    /// The level at the end.
    pub(super) fn last(&self) -> i64 {
        self.0.last().map_or(0, |step| step.1)
    }

    /// The first time from `start` on from which the level stays at least `amount` for ever; none if there is none.
    pub(super) fn for_good(&self, start: u64, amount: i64) -> Option<u64> {
        let short = self.0.iter().rposition(|step| step.1 < amount);
        match short {
            None => Some(start),
            Some(place) => self.0.get(place + 1).map(|step| step.0.max(start)),
        }
    }

    /// The first time from `start` on from which the level is at least `amount` for `length`; none if there is none.
    pub(super) fn for_a_while(&self, start: u64, length: u64, amount: i64) -> Option<u64> {
        let mut start = start;
        let mut place = self.0.partition_point(|step| step.0 <= start).saturating_sub(1);
        while let Some(step) = self.0.get(place) {
            if step.0 >= start.saturating_add(length) {
                break;
            }
            place += 1;
            if step.1 < amount {
                start = self.0.get(place)?.0.max(start);
            }
        }
        Some(start)
    }

    /// The index of the step that begins at `time`, which is inserted if necessary.
    fn cut(&mut self, time: u64) -> usize {
        let place = self.0.partition_point(|step| step.0 < time);
        match self.0.get(place) {
            Some(step) if step.0 == time => place,
            _ => {
                let level = self.0.get(place.wrapping_sub(1)).map_or(0, |step| step.1);
                self.0.insert(place, (time, level));
                place
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found_only_if_it_is_long_enough() {
        let mut line = Timeline::new(10);
        line.add(0, 20, -10);
        line.add(30, 50, -6);
        assert_eq!(line.for_a_while(0, 10, 10), Some(20));
        assert_eq!(line.for_a_while(0, 11, 10), Some(50));
        assert_eq!(line.for_a_while(0, 11, 4), Some(20));
        assert_eq!(line.for_a_while(25, 5, 10), Some(25));
        assert_eq!(line.for_a_while(0, 1, 11), None);
    }

    #[test]
    fn what_is_taken_for_good_must_be_there_at_all_times_to_come() {
        let mut memory = Timeline::new(10);
        memory.add(40, u64::MAX, -8);
        memory.add(60, u64::MAX, 5);
        assert_eq!(memory.for_good(0, 2), Some(0));
        assert_eq!(memory.for_good(0, 7), Some(60));
        assert_eq!(memory.for_good(70, 7), Some(70));
        assert_eq!(memory.for_good(0, 8), None);
        assert_eq!(memory.last(), 7);
    }
}
