//! Whether a live migration stands still. Pure: who calls it has the clock.
//!
//! How long a migration takes says nothing: a big zone over a thin line takes hours. One that sends nothing at all,
//! for a while that no hypervisor needs to think, is lost; nobody but a timer will ever end it.

use std::time::Duration;

/// What can be seen of it. Anything that changes is a sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes of memory that passed through the streams.
    pub passed: u64,
    /// Bytes that the hypervisor says it has sent.
    pub sent: u64,
    /// Bytes that are left, the hypervisor says. Memory of zeros is ticked off here and hardly sent.
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
    /// A migration that begins now. Without patience it may stand still for ever.
    pub fn new(patience: Option<Duration>) -> Self {
        Self { patience, last: Sample::default(), since: Duration::ZERO }
    }

    /// What is seen at that time after its beginning. Gives for how long it has stood still, if that is too long.
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

    /// Looks at those moments; gives the second at which it counts as stalled.
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
