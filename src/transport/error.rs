//! Why no stream to another host could be opened.

use crate::model::{Hinted, HostUri, Message, Scheme};

/// Why a host could not be reached, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No connection at all.
    #[error("cannot connect to {uri}")]
    Connect {
        /// The host.
        uri: HostUri,
        /// Why.
        source: std::io::Error,
    },
    /// Not within the connect timeout.
    #[error("{uri} did not answer within {seconds} s")]
    Timeout {
        /// The host.
        uri: HostUri,
        /// The limit.
        seconds: u64,
    },
    /// It is not known to be who it should be.
    #[error("{uri}: {what}")]
    Identity {
        /// The host.
        uri: HostUri,
        /// What is wrong with its key or certificate.
        what: Message,
    },
    /// It does not know us.
    #[error("{uri} did not accept our credentials: {what}")]
    Login {
        /// The host.
        uri: HostUri,
        /// What was tried.
        what: Message,
    },
    /// The far side has no usable agent.
    #[error("{uri}: no agent there: {what}")]
    NoAgent {
        /// The host.
        uri: HostUri,
        /// What came instead.
        what: Message,
    },
    /// The far side speaks other versions of the protocol.
    #[error("{uri} runs sysadm {theirs}, this is sysadm {ours}: no common protocol version")]
    Version {
        /// The host.
        uri: HostUri,
        /// Its software and what it speaks.
        theirs: String,
        /// Our software and what we speak.
        ours: String,
    },
    /// The far side refused the stream.
    #[error("{uri} refuses: {what}")]
    Refused {
        /// The host.
        uri: HostUri,
        /// Its words.
        what: Message,
        /// Whether it may accept the same stream in a while.
        transient: bool,
    },
    /// Our own side is not set up.
    #[error("cannot use {uri}: {what}")]
    Setup {
        /// The host.
        uri: HostUri,
        /// What is missing here.
        what: Message,
    },
    /// A build without SSH.
    #[error("cannot use {uri}: this sysadm was built without ssh")]
    NotBuilt {
        /// The host.
        uri: HostUri,
    },
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
