//! The far end: serves this host to others.
//!
//! [`serve()`] does one stream, whatever carries it; [`stdio`] gives it what sshd hands over, [`listen`] what comes over TLS.

mod connection_limit;
mod ledger;
pub mod listen;
mod rpc;
mod serve;
pub mod stdio;
mod token_owners;

pub use ledger::{Ledger, PeerQuota, WEIGHT};
pub use serve::{Peer, ServeError, serve};
pub use token_owners::TokenOwners;
