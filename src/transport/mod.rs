//! Authenticated streams of bytes to another host, and what is said first on each of them.
//!
//! ```text
//!   dial() ──► Ssh:  one SSH session, `sysadm agent --stdio` at its far end   ┐
//!          └─► Rads: one TLS 1.3 connection to `sysadm agent --listen`        ┴─► ByteStream ─► hello::open()
//! ```
//!
//! Every stream begins with a [`hello`]: versions and purpose from here, the chosen version or a refusal from
//! there. Then it carries [`rpc`] frames, or bytes of a hypervisor.

pub mod cert;
mod error;
pub mod frame;
pub mod hello;
pub mod rads;
pub mod relay;
pub mod rpc;
#[cfg(feature = "ssh")]
pub mod ssh;
mod stream;

pub use error::DialError;
pub use relay::relay;
pub use stream::{ByteStream, Duplex};

use std::sync::Arc;

use crate::config::Config;
use crate::model::{HostUri, Scheme};
use crate::paths::Paths;

/// What is needed to reach other hosts.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// Timeouts, and how SSH is used.
    pub config: Arc<Config>,
    /// Where the certificates lie.
    pub paths: Paths,
}

impl Dialer {
    /// Opens one stream to the agent of another host.
    ///
    /// # Errors
    /// One [`DialError`] for each way in which it can fail, that names the host and what to do. It never
    /// prompts, and gives up after the connect timeout of the configuration (10 s).
    pub async fn dial(&self, uri: &HostUri) -> Result<ByteStream, DialError> {
        match uri.scheme {
            Scheme::Rads => rads::dial(uri, &self.config, &self.paths).await,
            #[cfg(feature = "ssh")]
            Scheme::Ssh => ssh::dial(uri, &self.config, ssh::Surroundings::from_environment()).await,
            #[cfg(not(feature = "ssh"))]
            Scheme::Ssh => Err(DialError::NotBuilt { uri: uri.clone() }),
        }
    }
}
