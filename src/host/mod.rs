//! A host, and all requests to it.
//!
//! [`Host`] is symmetrical: this host ([`Local`]) and another one ([`Remote`]) answer the same requests, so a
//! migration is `migrate(zone, from: &dyn Host, to: &dyn Host)` in either direction. The requests are listed
//! once, in `api`: that list generates the trait, the messages on the wire, the remote implementation, and the
//! role that each request needs.

mod admin;
mod api;
mod capacity;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod local;
mod remote;
mod rights;
mod sockets;
mod storage_probe;

pub use admin::LocalAdmin;
pub use api::{Call, Host};
pub use error::HostError;
pub use local::Local;
pub use remote::Remote;
#[cfg(test)]
pub use rights::Relation;
pub use rights::{Access, Named, Standing};
pub use storage_probe::{DiskView, Exported, ProbeTicket};

use crate::transport::ByteStream;

/// A socket at the source to which the hypervisor there will connect.
#[async_trait::async_trait]
pub trait Pending: Send {
    /// Waits for the hypervisor's connection, and returns the stream to it.
    async fn accept(&mut self) -> Result<ByteStream, HostError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Token;

    #[test]
    fn a_token_is_not_shown_by_accident() {
        let token = Token::random();
        let call = Call::close_incoming { token: token.clone() };
        assert!(!format!("{token:?}{call:?}").contains(token.as_str()));
    }
}
