//! The whole tool on real hosts: libvirt, QEMU, LXC and sshd, set up by `lab.sh`.
//!
//! Every test has a lab of its own. Needs root and what `tests/lab/lab.sh install` installs; if something is
//! missing the tests fail.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod harness;

mod actions;
mod admin;
mod bad_input;
mod bad_luck;
mod blockers;
mod cancel;
mod dry_run;
mod failpoints;
mod hardware;
mod inventory;
mod lock;
mod migrating;
mod names;
mod networks;
mod oddities;
mod outages;
mod policies;
mod returning;
mod schema;
mod setup;
mod skipped;
mod software;
mod standby;
mod story;
mod things;
#[path = "../fixtures/tokens.rs"]
mod tokens;
mod two_at_once;
mod unmanaged;
mod watching;
