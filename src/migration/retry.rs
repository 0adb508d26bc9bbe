//! What may pass, and is tried again, and what will not. Pure.
//!
//! A line that broke may be mended, a hypervisor that is busy may be done. Room
//! comes and goes. A destination's other reasons stay: no storage, maintenance. So does everything that was decided here: a move that
//! was cancelled, that stood still, that did not converge. And where it is not known what became of the zone, nothing
//! is done before both hosts have been asked.

use std::time::Duration;

use super::MoveError;

impl MoveError {
    /// Whether the move may succeed if it is tried again in a while. The zone is where it was, then.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Undone { may_pass, .. } => *may_pass,
            Self::Leftover { .. } | Self::Cancelled | Self::Unknown { .. } => false,
        }
    }
}

/// How long is waited after that many attempts: 5 s, then twice as long each time, two minutes at most. A line that
/// broke is given up after fifteen seconds, so it has had some time already.
pub fn pause(attempts: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(120);
    let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_secs(5).saturating_mul(factor).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::HostError;
    use crate::model::{Blocker, BlockerKind, Shortage, Step};

    fn failed(reason: &str, transient: bool) -> HostError {
        HostError::Failed { host: "h2".into(), reason: reason.into(), transient }
    }

    #[test]
    fn lost_lines_and_busy_hypervisors_may_pass_and_reasons_stay() {
        let blockers = vec![Blocker::new(BlockerKind::Maintenance, "h2 is in maintenance")];
        let shortage = Some(Shortage { missing: 1, may_free_up: false });
        let no_room = vec![Blocker { shortage, ..Blocker::new(BlockerKind::Memory, "no room") }];
        let both = [no_room.clone(), blockers.clone()].concat();
        let zone: crate::model::ZoneName = "web".parse().unwrap();
        let host = || "h2".to_owned();
        let cases = [
            (HostError::NoAnswer { host: host(), reason: "the line is dead".into() }, true),
            (HostError::Refused { host: host(), zone: zone.clone(), blockers }, false),
            (HostError::Refused { host: host(), zone: zone.clone(), blockers: no_room }, true),
            (HostError::Refused { host: host(), zone: zone.clone(), blockers: both }, false),
            (HostError::NoSuchZone { host: host(), zone }, false),
            (
                HostError::NotAllowed {
                    host: host(),
                    peer: "h1".into(),
                    call: "reserve".into(),
                    role: "migrate".into(),
                },
                false,
            ),
            (HostError::unsupported("h2", "failed to understand the question"), false),
            (failed("zone 'web': the line to the destination broke: it was cut", true), true),
            (failed("failed to write the journal: Broken pipe", false), false),
        ];
        for (error, passes) in cases {
            assert_eq!(error.is_transient(), passes, "{error}");
            assert_eq!(MoveError::because(Step::Transfer, &error).may_pass(), passes, "{error}");
        }
    }

    #[test]
    fn what_was_decided_or_is_not_known_is_never_tried_again() {
        assert!(!MoveError::Cancelled.may_pass());
        assert!(!MoveError::undone(Step::Transfer, "made no progress for 60 s").may_pass());
        let lost = HostError::NoAnswer { host: "h2".into(), reason: "cut".into() };
        assert!(!MoveError::unknown(Step::Switch, lost).may_pass());
    }

    #[test]
    fn pauses_grow_up_to_two_minutes() {
        let pauses: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 40].map(|attempts| pause(attempts).as_secs()).into();
        assert_eq!(pauses, [5, 10, 20, 40, 80, 120, 120, 120]);
    }
}
