//! Why a host did not answer a request.

use std::error::Error;
use std::io;

use serde::{Deserialize, Serialize};

use crate::model::{Blocker, ZoneName, chain};
use crate::platform::{PlatformError, is_lost_connection};

/// Why a host did not carry out a request. It is sent over the wire, so it is plain data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostError {
    /// No reply arrived. The request may have been carried out or not.
    #[error("{host} did not answer: {reason}")]
    NoAnswer {
        host: String,
        /// What was seen instead.
        reason: String,
    },
    /// The host does not accept the zone.
    #[error("{host} refuses {zone}: {}", join(.blockers))]
    Refused { host: String, zone: ZoneName, blockers: Vec<Blocker> },
    /// The host has no such zone.
    #[error("{host}: no such zone: {zone}")]
    NoSuchZone { host: String, zone: ZoneName },
    /// The peer's role does not allow it.
    #[error(
        "{host} does not let {peer} do that: {call} needs role '{role}' (see [roles] in sysadm.toml there)"
    )]
    NotAllowed {
        host: String,
        peer: String,
        /// The request.
        call: String,
        /// The role that it needs.
        role: String,
    },
    /// The zone is not the peer's own.
    #[error("{host} does not let {peer} do that: '{call}' is for a host's own zones, and {reason}")]
    NotItsOwn {
        host: String,
        peer: String,
        /// The request.
        call: String,
        /// Whose zone it is.
        reason: String,
    },
    /// The host tried and failed.
    #[error("{host}: {reason}")]
    Failed {
        host: String,
        /// The causes, outermost first, separated by `: `.
        reason: String,
        /// Whether the same request may succeed later.
        #[serde(default)]
        transient: bool,
    },
    /// The host does not support the request, or its form: its sysadm is too old, or its platform does not have
    /// the ability.
    #[error("{host}: {reason}")]
    Unsupported {
        host: String,
        /// What it does not support.
        reason: String,
    },
}

impl HostError {
    /// A failure with all its causes: transient if a cause is, unsupported if the platform does not have the ability.
    pub fn failed(host: &str, error: &(dyn Error + 'static)) -> Self {
        let (host, reason) = (host.to_owned(), chain(error));
        match error.downcast_ref() {
            Some(PlatformError::Unsupported { .. }) => Self::Unsupported { host, reason },
            _ => Self::Failed { host, reason, transient: is_transient(error) },
        }
    }

    /// A failure that the same request would meet again.
    pub fn permanent(host: &str, reason: impl Into<String>) -> Self {
        Self::Failed { host: host.to_owned(), reason: reason.into(), transient: false }
    }

    /// A request that the host does not know.
    pub fn unsupported(host: &str, reason: impl Into<String>) -> Self {
        Self::Unsupported { host: host.to_owned(), reason: reason.into() }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Refused { blockers, .. } => blockers.iter().all(|blocker| blocker.shortage.is_some()),
            Self::Failed { transient, .. } => *transient,
            Self::NoSuchZone { .. }
            | Self::NotAllowed { .. }
            | Self::NotItsOwn { .. }
            | Self::Unsupported { .. } => false,
        }
    }

    /// Whether the outcome of the request is unknown.
    pub const fn is_no_answer(&self) -> bool {
        matches!(self, Self::NoAnswer { .. })
    }
}

/// Whether the failure or one of its causes may pass.
fn is_transient(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<PlatformError>().is_some_and(PlatformError::is_transient)
        || error.downcast_ref::<io::Error>().is_some_and(is_lost_connection)
        || error.source().is_some_and(is_transient)
}

fn join(blockers: &[Blocker]) -> String {
    blockers.iter().map(|blocker| blocker.reason.as_str()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A failure with a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("failed to open the stream")]
    struct Outer(#[source] io::Error);

    #[test]
    fn a_failure_is_transient_if_one_of_its_causes_is() {
        let failure = |kind: io::ErrorKind| HostError::failed("h2", &Outer(kind.into()));
        assert!(failure(io::ErrorKind::ConnectionReset).is_transient());
        assert!(failure(io::ErrorKind::BrokenPipe).is_transient());
        assert!(!failure(io::ErrorKind::NotFound).is_transient());
        let zone: ZoneName = "web".parse().unwrap();
        for transient in [true, false] {
            let error = PlatformError::NotSent { zone: zone.clone(), what: "it was cut".into(), transient };
            assert_eq!(HostError::failed("h2", &error).is_transient(), transient);
        }
    }

    #[test]
    fn whether_a_failure_is_transient_crosses_the_wire() {
        for transient in [true, false] {
            let error = HostError::Failed { host: "h2".into(), reason: "busy".into(), transient };
            let wire = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<HostError>(&wire).unwrap(), error);
        }
    }
}
