//! The arithmetic of a live migration: the memory is sent while the guest runs, then what the guest changed
//! meanwhile, and so on until the rest is so small that the guest can be stopped for it.

/// Maximum downtime of a guest, in virtual milliseconds.
pub(super) const DOWNTIME: u64 = 300;

/// Maximum number of rounds.
pub(super) const ROUNDS: u32 = 30;

/// What to do next. Sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrecopyAction {
    /// Send that much while the guest runs.
    Round(u64),
    /// Stop the guest, and send that much.
    Last(u64),
    /// Give up, because it will not converge.
    Hopeless,
}

/// A migration under way. Sizes in bytes, rates in bytes per virtual second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Precopy {
    memory: u64,
    dirty_rate: u64,
    bandwidth: u64,
    remaining: u64,
    rounds: u32,
}

impl Precopy {
    pub fn new(memory: u64, dirty_rate: u64, bandwidth: u64) -> Self {
        Self { memory, dirty_rate, bandwidth: bandwidth.max(1), remaining: memory, rounds: 0 }
    }

    /// The time to send that many bytes, in virtual milliseconds.
    pub fn time(&self, bytes: u64) -> u64 {
        scaled(bytes, 1000, self.bandwidth).max(1)
    }

    /// The number of rounds that have begun.
    pub const fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Advances one step. The guest always runs during the first round.
    pub fn next(&mut self) -> PrecopyAction {
        if self.rounds > 0 && self.time(self.remaining) <= DOWNTIME {
            return PrecopyAction::Last(self.remaining);
        }
        if self.rounds == ROUNDS {
            return PrecopyAction::Hopeless;
        }
        let bytes = self.remaining;
        self.rounds += 1;
        self.remaining = self.written_in(self.time(bytes));
        PrecopyAction::Round(bytes)
    }

    /// Records how long the last round took, since other migrations share the network.
    pub fn lasted(&mut self, milliseconds: u64) {
        self.remaining = self.written_in(milliseconds);
    }

    fn written_in(&self, milliseconds: u64) -> u64 {
        scaled(self.dirty_rate, milliseconds, 1000).min(self.memory)
    }

    /// Why it does not converge.
    pub fn hopeless(&self) -> String {
        format!(
            "does not converge: dirties {} MiB/s, the line carries {} MiB/s",
            self.dirty_rate >> 20,
            self.bandwidth >> 20
        )
    }
}

/// `value * times / parts`, rounded up.
fn scaled(value: u64, times: u64, parts: u64) -> u64 {
    let product = u128::from(value) * u128::from(times);
    u64::try_from(product.div_ceil(u128::from(parts.max(1)))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_shrink_until_the_rest_fits_in_the_downtime() {
        let mut copy = Precopy::new(4000, 500, 1000);
        let steps: Vec<_> = std::iter::repeat_with(|| copy.next()).take(5).collect();
        let last = PrecopyAction::Last(250);
        assert_eq!(
            steps,
            [
                PrecopyAction::Round(4000),
                PrecopyAction::Round(2000),
                PrecopyAction::Round(1000),
                PrecopyAction::Round(500),
                last
            ]
        );
    }

    #[test]
    fn a_guest_that_writes_faster_than_the_line_carries_is_hopeless() {
        let mut copy = Precopy::new(1 << 30, 300 << 20, 200 << 20);
        while let PrecopyAction::Round(_) = copy.next() {}
        assert_eq!((copy.next(), copy.rounds()), (PrecopyAction::Hopeless, ROUNDS));
        assert_eq!(copy.hopeless(), "does not converge: dirties 300 MiB/s, the line carries 200 MiB/s");
    }

    proptest! {
        #[test]
        fn it_always_ends_and_never_stops_a_guest_for_too_long(memory: u64, dirty: u64, bandwidth: u64) {
            let mut copy = Precopy::new(memory, dirty, bandwidth);
            let end = std::iter::repeat_with(|| copy.next()).take(ROUNDS as usize + 1)
                .find(|next| !matches!(next, PrecopyAction::Round(_)));
            match end {
                Some(PrecopyAction::Last(bytes)) => prop_assert!(copy.time(bytes) <= DOWNTIME),
                other => prop_assert_eq!(other, Some(PrecopyAction::Hopeless)),
            }
        }
    }
}
