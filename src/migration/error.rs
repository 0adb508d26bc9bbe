//! Why a move failed, and where its zone is then.

use crate::host::HostError;
use crate::model::{Hinted, Message, Step};

/// Why a move failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The zone is as it was, where it was.
    #[error("{reason}")]
    Undone {
        step: Step,
        reason: Message,
        /// Whether the reason may pass: a broken connection, a busy hypervisor, a lack of room.
        is_transient: bool,
    },
    /// The zone is as it was, where it was, but something of it may be left at the destination. The next run
    /// removes that.
    #[error("{reason}")]
    Leftover { step: Step, reason: Message },
    /// The move was cancelled; the zone is as it was, where it was.
    #[error("cancelled")]
    Cancelled,
    /// It is not known where the zone is.
    #[error("{reason}")]
    Unknown {
        step: Step,
        /// The reason, and what is known.
        reason: Message,
    },
}

impl Hinted for MoveError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Undone { reason, .. } | Self::Leftover { reason, .. } | Self::Unknown { reason, .. } => {
                reason.hints.clone()
            }
            Self::Cancelled => Vec::new(),
        }
    }
}

impl MoveError {
    /// Undone, for a permanent reason.
    pub(crate) fn undone(step: Step, reason: impl Into<Message>) -> Self {
        Self::Undone { step, reason: reason.into(), is_transient: false }
    }

    /// Undone because of a host's error.
    pub(super) fn because(step: Step, error: &HostError) -> Self {
        Self::Undone { step, reason: Message::of(error), is_transient: error.is_transient() }
    }

    /// The step at which the move failed.
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Undone { step, .. } | Self::Leftover { step, .. } | Self::Unknown { step, .. } => {
                Some(*step)
            }
            Self::Cancelled => None,
        }
    }

    /// The error as that of the last of so many attempts.
    #[must_use]
    pub fn after(self, attempts: u32) -> Self {
        match self {
            Self::Undone { step, reason, is_transient } if attempts > 1 => {
                let reason = reason.map(|reason| format!("{reason}; tried {attempts} times"));
                Self::Undone { step, reason, is_transient }
            }
            other => other,
        }
    }

    /// The same, with what it is about.
    #[must_use]
    pub(super) fn about(self, what: impl std::fmt::Display) -> Self {
        match self {
            Self::Undone { step, reason, is_transient } => {
                Self::Undone { step, reason: reason.about(what), is_transient }
            }
            other => other,
        }
    }

    /// Where the zone is cannot be told.
    pub(crate) fn unknown(step: Step, reason: impl Into<Message>) -> Self {
        Self::Unknown { step, reason: reason.into() }
    }

    /// Whether the zone is as it was, so that what was begun can be undone.
    pub const fn is_undoable(&self) -> bool {
        !matches!(self, Self::Unknown { .. })
    }

    /// The error as one after the point of no return.
    #[must_use]
    pub fn into_unknown(self, step: Step) -> Self {
        match self {
            error @ Self::Unknown { .. } => error,
            error => Self::unknown(error.step().unwrap_or(step), error),
        }
    }

    /// Whether the move may succeed if it is tried again later. The zone is where it was then. A decision of this
    /// host is final, and if the zone may be on another host nothing is done before both hosts have been asked.
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Undone { is_transient, .. } => *is_transient,
            Self::Leftover { .. } | Self::Cancelled | Self::Unknown { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Blocker, BlockerKind, Shortage};

    fn failed(reason: &str, transient: bool) -> HostError {
        HostError::Failed { host: "h2".into(), reason: reason.into(), transient }
    }

    #[test]
    fn lost_lines_and_busy_hypervisors_are_transient_and_reasons_stay() {
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
            (failed("zone 'web': lost the connection to the destination: it was cut", true), true),
            (failed("failed to write the journal: Broken pipe", false), false),
        ];
        for (error, passes) in cases {
            assert_eq!(error.is_transient(), passes, "{error}");
            assert_eq!(MoveError::because(Step::Transfer, &error).is_transient(), passes, "{error}");
        }
    }

    #[test]
    fn what_was_decided_or_is_not_known_is_never_tried_again() {
        assert!(!MoveError::Cancelled.is_transient());
        assert!(!MoveError::undone(Step::Transfer, "made no progress for 60 s").is_transient());
        let lost = HostError::NoAnswer { host: "h2".into(), reason: "cut".into() };
        assert!(!MoveError::unknown(Step::Switch, lost).is_transient());
    }
}
