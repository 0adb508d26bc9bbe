//! The agent: serves this host to other hosts.
//!
//! [`serve()`] serves one stream over any transport; [`stdio`] takes the stream from sshd, [`listen`] over TLS.

mod access;
mod connection_limit;
mod ledger;
pub mod listen;
mod replies;
mod rpc;
mod serve;
pub mod stdio;
mod token_owners;

pub use ledger::{Ledger, PeerQuota, WEIGHT};
pub use serve::{Peer, ServeError, serve};
pub use token_owners::TokenOwners;
