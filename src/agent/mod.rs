//! The far end: serves this host to others.
//!
//! [`serve()`] does one stream, whatever carries it; [`stdio`] gives it what sshd hands over, [`listen`] what comes over TLS.

pub mod listen;
mod questions;
mod serve;
pub mod stdio;

pub use serve::{Peer, ServeError, serve};
