//! Whether a live migration stalls. Pure: the caller has the clock.
//!
//! The duration of a migration says nothing: a large zone over a slow connection takes hours. But one that sends
//! nothing at all for longer than any hypervisor pauses is lost, and only a timer will ever end it.

use std::time::Duration;

/// A sample of a migration. Any change is a sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes of memory that passed through the streams.
    pub passed: u64,
    /// Bytes sent, according to the hypervisor.
    pub sent: u64,
    /// Bytes that remain, according to the hypervisor. Pages of zeros are removed from these but hardly sent.
    pub remaining: u64,
}

/// Watches one migration.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    patience: Option<Duration>,
    last: Sample,
    since: Duration,
}

impl Stall {
    /// A migration that begins now. Without a limit it may stall for ever.
    pub fn new(patience: Option<Duration>) -> Self {
        Self { patience, last: Sample::default(), since: Duration::ZERO }
    }

    /// Takes a sample at that time since the beginning. Returns how long the migration has stalled, if that is
    /// too long.
    pub fn look(&mut self, at: Duration, seen: Sample) -> Option<Duration> {
        if seen != self.last {
            (self.last, self.since) = (seen, at);
        }
        let still = at.saturating_sub(self.since);
        self.patience.filter(|patience| still >= *patience).map(|_| still)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

    /// Takes samples at those moments; returns the second at which the migration counts as stalled.
    fn stalled_at(patience: Option<Duration>, moments: &[(u64, [u64; 3])]) -> Option<u64> {
        let mut stall = Stall::new(patience);
        let look = |&(at, [passed, sent, remaining]): &(u64, [u64; 3])| {
            stall.look(Duration::from_secs(at), Sample { passed, sent, remaining }).map(|_| at)
        };
        moments.iter().find_map(look)
    }

    #[test]
    fn it_stalls_when_nothing_at_all_has_changed_for_that_long() {
        type Case<'a> = (&'a str, &'a [(u64, [u64; 3])], Option<u64>);
        let cases: &[Case<'_>] = &[
            ("never begins", &[(30, [0, 0, 0]), (59, [0, 0, 0]), (60, [0, 0, 0])], Some(60)),
            ("stops", &[(10, [5, 0, 0]), (69, [5, 0, 0]), (70, [5, 0, 0])], Some(70)),
            ("passes here", &[(50, [1, 0, 0]), (100, [2, 0, 0]), (150, [3, 0, 0])], None),
            ("is sent, says the hypervisor", &[(50, [0, 1, 0]), (100, [0, 2, 0]), (150, [0, 3, 0])], None),
            ("is ticked off", &[(50, [1, 1, 9]), (100, [1, 1, 8]), (150, [1, 1, 7])], None),
            ("goes on late", &[(50, [1, 0, 0]), (109, [2, 0, 0]), (168, [3, 0, 0])], None),
        ];
        for (what, moments, expected) in cases {
            assert_eq!(stalled_at(MINUTE, moments), *expected, "{what}");
        }
    }

    #[test]
    fn without_patience_it_may_stand_for_ever() {
        assert_eq!(stalled_at(None, &[(1, [0, 0, 0]), (1_000_000, [0, 0, 0])]), None);
    }
}
