//! Why no stream to another host could be opened.

use crate::model::HostUri;

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
        what: String,
    },
    /// The host does not accept our authentication.
    #[error("{uri} did not accept our credentials: {what}")]
    Login {
        uri: HostUri,
        /// What was tried, and what to do.
        what: String,
    },
    /// The host has no usable agent.
    #[error("{uri}: no agent there: {what}")]
    NoAgent {
        uri: HostUri,
        /// What it sent instead, and what to do.
        what: String,
    },
    /// The host speaks other versions of the protocol.
    #[error(
        "{uri} runs sysadm {theirs}, this is sysadm {ours}: no common protocol version; update the older one"
    )]
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
        what: String,
        /// Whether it may accept the same stream later.
        transient: bool,
    },
    /// This host is not set up.
    #[error("cannot use {uri}: {what}")]
    Setup {
        uri: HostUri,
        /// What is missing, and the command that creates it.
        what: String,
    },
    /// This program was built without SSH.
    #[error(
        "cannot use {uri}: this sysadm was built without ssh; use rads://, or build with the 'ssh' feature"
    )]
    NotBuilt { uri: HostUri },
}
