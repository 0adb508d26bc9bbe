//! Authenticated byte streams to another host, and the first messages on each of them.
//!
//! ```text
//!   dial() ──► Ssh:  one SSH session, `sysadm agent --stdio` at its far end   ┐
//!          └─► Rads: one TLS 1.3 connection to `sysadm agent --listen`        ┴─► ByteStream ─► hello::open()
//! ```
//!
//! Every stream begins with a [`hello`]: the client sends versions and purpose, the server answers with the
//! chosen version or a refusal. Then the stream carries [`rpc`] frames, or bytes of a hypervisor.

// Tests start the programs they need: see clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod cert;
mod error;
pub mod frame;
pub mod hello;
mod options;
pub mod rads;
pub mod relay;
pub mod rpc;
#[cfg(feature = "ssh")]
pub mod ssh;
mod stream;

pub use error::DialError;
pub use options::{Connect, DialOptions, Ssh};
pub use relay::relay;
pub use stream::{ByteStream, Duplex};

use std::path::PathBuf;

use sysadm_model as model;
use sysadm_os::{file, folder};

use crate::model::{HostUri, Scheme};

/// So that this crate's tests and those of others can share a server.
#[cfg(test)]
extern crate self as sysadm_transport;

/// Dials other hosts.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// Timeouts, addresses and the settings of SSH.
    pub options: DialOptions,
    /// The folder of this host's certificates.
    pub tls: PathBuf,
}

impl Dialer {
    /// Opens one stream to the agent of another host. Never prompts, and gives up after the connect timeout of
    /// the configuration (10 s).
    ///
    /// # Errors
    /// Each [`DialError`] names the host and what to do.
    pub async fn dial(&self, uri: &HostUri) -> Result<ByteStream, DialError> {
        match uri.scheme {
            Scheme::Rads => rads::dial(uri, &self.options, &self.tls).await,
            #[cfg(feature = "ssh")]
            Scheme::Ssh => ssh::dial(uri, &self.options, ssh::Surroundings::from_environment()).await,
            #[cfg(not(feature = "ssh"))]
            Scheme::Ssh => Err(DialError::NotBuilt { uri: uri.clone() }),
        }
    }
}
