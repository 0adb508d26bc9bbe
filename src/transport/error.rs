//! Why no stream to another host could be opened.

use crate::model::{Hinted, HostUri, Message, Scheme};

/// Why a host could not be reached, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No connection at all.
    #[error("cannot connect to {uri}")]
    Connect { uri: HostUri, source: std::io::Error },
    /// Not within the connect timeout.
    #[error("{uri} did not answer within {seconds} s")]
    Timeout { uri: HostUri, seconds: u64 },
    /// The host could not be authenticated.
    #[error("{uri}: {what}")]
    Identity {
        uri: HostUri,
        /// What is wrong with its key or certificate, and the command that solves it.
        what: Message,
    },
    /// The host does not accept our authentication.
    #[error("{uri} did not accept our credentials: {what}")]
    Login {
        uri: HostUri,
        /// What was tried.
        what: Message,
    },
    /// The host has no usable agent.
    #[error("{uri}: no agent there: {what}")]
    NoAgent {
        uri: HostUri,
        /// What it sent instead, and what to do.
        what: Message,
    },
    /// The host speaks other versions of the protocol.
    #[error("{uri} runs sysadm {theirs}, this is sysadm {ours}: no common protocol version")]
    Version {
        uri: HostUri,
        /// Its version of sysadm and its protocol versions.
        theirs: String,
        /// Our version of sysadm and our protocol versions.
        ours: String,
    },
    /// The host refused the stream.
    #[error("{uri} refuses: {what}")]
    Refused {
        uri: HostUri,
        /// Its reason.
        what: Message,
        /// Whether it may accept the same stream later.
        transient: bool,
    },
    /// This host is not set up.
    #[error("cannot use {uri}: {what}")]
    Setup {
        uri: HostUri,
        /// What is missing here.
        what: Message,
    },
    /// This program was built without SSH.
    #[error("cannot use {uri}: this sysadm was built without ssh")]
    NotBuilt { uri: HostUri },
}

impl Hinted for DialError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Identity { what, .. }
            | Self::Login { what, .. }
            | Self::NoAgent { what, .. }
            | Self::Refused { what, .. }
            | Self::Setup { what, .. } => what.hints.clone(),
            Self::Connect { uri, source } if source.kind() == std::io::ErrorKind::ConnectionRefused => {
                match uri.scheme {
                    Scheme::Rads => vec![format!(
                        "check that 'sysadm agent --listen' is running there, on port {}",
                        uri.rads_port()
                    )],
                    Scheme::Ssh => Vec::new(),
                }
            }
            Self::Version { .. } => vec!["update the older one".to_owned()],
            Self::NotBuilt { .. } => vec!["use rads://, or build it with the 'ssh' feature".to_owned()],
            Self::Connect { .. } | Self::Timeout { .. } => Vec::new(),
        }
    }
}
