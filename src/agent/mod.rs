//! The far end: serves this host to others.
//!
//! [`serve()`] does one stream, whatever carries it; [`stdio`] gives it what sshd hands over, [`listen`] what comes over TLS.

mod claims;
mod ledger;
pub mod listen;
mod questions;
mod serve;
mod shares;
pub mod stdio;

pub use claims::Claims;
pub use ledger::{Ledger, Limits, WEIGHT};
pub use serve::{Peer, ServeError, serve};
