//! What a host answers instead of an answer.

use serde::{Deserialize, Serialize};

use crate::model::{Blocker, ZoneName, chain};

/// Why a host did not do what it was asked. It crosses the wire, so it is plain data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostError {
    /// No answer arrived. The question may have been carried out or not.
    #[error("{host} did not answer: {reason}")]
    NoAnswer {
        /// The host.
        host: String,
        /// What was seen instead.
        reason: String,
    },
    /// It will not take the zone, for these reasons.
    #[error("{host} refuses {zone}: {}", join(.blockers))]
    Refused {
        /// The host.
        host: String,
        /// The zone.
        zone: ZoneName,
        /// Every reason.
        blockers: Vec<Blocker>,
    },
    /// It has no such zone.
    #[error("{host}: no such zone: {zone}")]
    NoSuchZone {
        /// The host.
        host: String,
        /// The zone asked for.
        zone: ZoneName,
    },
    /// The caller may not ask that.
    #[error(
        "{host} does not let {peer} do that: {call} needs role '{role}' (see [roles] in sysadm.toml there)"
    )]
    NotAllowed {
        /// The host.
        host: String,
        /// Who asked.
        peer: String,
        /// What was asked.
        call: String,
        /// The role that it needs.
        role: String,
    },
    /// The zone is not the caller's.
    #[error("{host} does not let {peer} do that: '{call}' is for a host's own zones, and {reason}")]
    NotItsOwn {
        /// The host.
        host: String,
        /// Who asked.
        peer: String,
        /// What was asked.
        call: String,
        /// Whose it is.
        reason: String,
    },
    /// It tried and failed.
    #[error("{host}: {reason}")]
    Failed {
        /// The host.
        host: String,
        /// The causes, outermost first, separated by `: `.
        reason: String,
    },
}

/// How the reason of an agent begins that does not know a question. Older ones say it so, too.
const NOT_UNDERSTOOD: &str = "failed to understand the question: ";

impl HostError {
    /// An agent's answer to a question that it does not know, or not in this form.
    pub fn not_understood(host: &str, error: &dyn std::error::Error) -> Self {
        Self::Failed { host: host.to_owned(), reason: format!("{NOT_UNDERSTOOD}{error}") }
    }

    /// Whether the host is too old, or too new, for the question.
    pub fn is_not_understood(&self) -> bool {
        matches!(self, Self::Failed { reason, .. } if reason.starts_with(NOT_UNDERSTOOD))
    }

    /// A failure of that host, with all its causes.
    pub fn failed(host: &str, error: &dyn std::error::Error) -> Self {
        Self::Failed { host: host.to_owned(), reason: chain(error) }
    }

    /// Whether the outcome of the question is unknown.
    pub const fn is_no_answer(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }
}

fn join(blockers: &[Blocker]) -> String {
    blockers.iter().map(|blocker| blocker.reason.as_str()).collect::<Vec<_>>().join("; ")
}
