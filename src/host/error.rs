//! Why a host did not answer a request.

use std::error::Error;
use std::io;

use serde::{Deserialize, Serialize};

use crate::model::{Blocker, Hinted, Message, ZoneName};
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
        reason: Message,
    },
    /// The host does not accept the zone.
    #[error("{host} refuses {zone}: {}", Blocker::join(.blockers))]
    Refused { host: String, zone: ZoneName, blockers: Vec<Blocker> },
    /// The host has no such zone.
    #[error("{host}: no such zone: {zone}")]
    NoSuchZone { host: String, zone: ZoneName },
    /// The peer's role does not allow it.
    #[error("{host} does not allow {peer} to call {call}, which needs role '{role}'")]
    NotAllowed {
        host: String,
        peer: String,
        /// The request.
        call: String,
        /// The role that it needs.
        role: String,
    },
    /// The zone is not the peer's own.
    #[error("{host} does not allow {peer} to call '{call}', which is for a host's own zones: {reason}")]
    NotItsOwn {
        host: String,
        peer: String,
        /// The request.
        call: String,
        /// Whose zone it is.
        reason: Message,
    },
    /// The host tried and failed.
    #[error("{host}: {reason}")]
    Failed {
        host: String,
        /// The causes, outermost first, separated by `: `.
        reason: Message,
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
        reason: Message,
    },
}

impl HostError {
    /// A failure with all its causes: transient if a cause is, unsupported if the platform does not have the ability.
    pub fn failed(host: &str, error: &(dyn Hinted + 'static)) -> Self {
        let (host, reason) = (host.to_owned(), Message::of(error));
        let error: &(dyn Error + 'static) = error;
        match error.downcast_ref() {
            Some(PlatformError::Unsupported { .. }) => Self::Unsupported { host, reason },
            _ => Self::Failed { host, reason, transient: is_transient(error) },
        }
    }

    /// A failure that the same request would meet again.
    pub fn permanent(host: &str, reason: impl Into<Message>) -> Self {
        Self::Failed { host: host.to_owned(), reason: reason.into(), transient: false }
    }

    /// A request that the host does not know.
    pub fn unsupported(host: &str, reason: impl Into<Message>) -> Self {
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

impl Hinted for HostError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NoAnswer { reason, .. }
            | Self::NotItsOwn { reason, .. }
            | Self::Failed { reason, .. }
            | Self::Unsupported { reason, .. } => reason.hints.clone(),
            Self::Refused { blockers, .. } => Blocker::join(blockers).hints,
            Self::NotAllowed { role, .. } => {
                vec![format!("allow role '{role}' under [roles] in sysadm.toml there")]
            }
            Self::NoSuchZone { .. } => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::BlockerKind;

    /// A failure with a cause.
    #[derive(Debug, thiserror::Error)]
    #[error("failed to open the stream")]
    struct Outer(#[source] io::Error);

    impl Hinted for Outer {}

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

    #[test]
    fn what_to_do_crosses_the_wire_from_a_destination() {
        let blocker =
            |hint: &str| Blocker::new(BlockerKind::Identity, Message::from("in the way").with_hint(hint));
        let refused = HostError::Refused {
            host: "h2".into(),
            zone: "web".parse().unwrap(),
            blockers: vec![blocker("use -w to replace it"), blocker("rename it"), blocker("rename it")],
        };
        let failed =
            HostError::permanent("h2", Message::from("the disk is full").with_hint("free some space"));
        for (error, hints) in
            [(refused, vec!["use -w to replace it", "rename it"]), (failed, vec!["free some space"])]
        {
            let wire = serde_json::to_string(&error).unwrap();
            let received: HostError = serde_json::from_str(&wire).unwrap();
            assert_eq!(received, error);
            assert_eq!(Message::of(&received).hints, hints);
        }
    }
}
