//! `sysadm` empties a host of its zones before maintenance, and fills it again afterwards.
//!
//! A *zone* is a guest of a host: a KVM or LXC domain of libvirt, or a simulated one. An administrator sets
//! where zones go (`sysadm target`), takes the host out of service (`sysadm maintain -s`), moves all zones to
//! other hosts, live where possible (`sysadm evacuate`), works, and brings them back (`sysadm evacuate -r`).
//! README.md shows that from the outside; this page is the way in for those who want to read the code.
//!
//! # The one idea
//!
//! A [`Host`](host::Host) is symmetrical: this host ([`Local`](host::Local)) and another one
//! ([`Remote`](host::Remote)) answer the same questions. So moving a zone is
//! [`migrate(from, to)`](migration::migrate) in either direction: an evacuation has this host as `from`, a return
//! has it as `to`, and nothing else differs. Everything that crosses the network, a hypervisor's memory
//! stream too, goes through the one authenticated connection of the target's URI.
//!
//! # The layers
//!
//! Each module uses only modules on lines below its own; a test holds every import against this picture.
//!
//! ```text
//! cli, fuzzing, testing               what is typed and seen; what fuzzers, benchmarks and other programs of tests reach
//! agent, admin                        serves this host to others; ONE zone by hand: detach, attach, create
//! failover                            what a host leaves with others in case it is lost; does another host have this zone?
//! evacuation                          ALL zones: select, check, move many at once, stop in place, recover, report
//! migration                           ONE zone from a host to a host: live, cold or by a restart
//! peers                               the other hosts: each is connected to once; all are asked how they are
//! host                                all that a host can be asked: Local answers itself, Remote asks over a transport
//! maintenance, software               the lock; what is installed on a host
//! platform                            libvirt or simulated
//! cancel                              how a run is told to end: by signals, a deadline, another terminal
//! run_lock, zonepath                  one run at a time; a zone's folder
//! store, config, boot_lock            SQLite; sysadm.toml; who may boot a zone
//! failpoints, backoff, paths          fail points; retries; where everything lies
//! transport                           authenticated streams to other hosts (a crate: src/transport)
//! plan, policy                        who goes where and when; what an administrator wants (pure; a crate: src/planner)
//! exec, file, folder                  the only places that start programs, write whole files, make folders (a crate: src/os)
//! model                               plain data for all of them, without I/O (a crate: src/model)
//! ```
//!
//! # What is promised
//!
//! 1. A zone never runs on two hosts. A host that cannot be asked counts as running it.
//! 2. A zone is never lost: its configuration is whole on at least one host at every moment, and `sysadm` can
//!    name that host.
//! 3. A zone is not touched before its destination has been checked and has reserved room for it.
//! 4. A zone that cannot move stays as it was, where it was, and stops no other one.
//! 5. The lock is below the tool: while it is held, libvirt itself refuses `virsh start` and arrivals.
//! 6. The lock, the targets, the list of zones that are away and the journal survive `kill -9`, power loss and
//!    reboot. The next run asks both hosts what is true, then finishes or undoes each half-done move.
//! 7. The exit status is 0 only when what was asked is wholly done.
//! 8. Nothing is forced off: a zone that is restarted or stopped is asked to shut down, and runs on if it does not.
//! 9. A zone that was shut down in order to move runs at its destination, or is booted here again.
//!
//! # Where to start reading
//!
//! - [`migration`]: how one zone moves, and the three ways in which that can end.
//! - `migration::recovery`: the table of what is done after an interruption.
//! - `platform::libvirt::live`: why a zone is held at its destination until its source has ended.
//! - [`maintenance`] and `platform::libvirt::hooks`: the lock, and how libvirt comes to respect it.
//! - [`host`]: all that a host can be asked, in one list.

// Tests start what they need: sshd, ssh-keygen, the tool itself. See clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
#![allow(rustdoc::private_intra_doc_links, reason = "the documentation is for those who work on the code")]
// The fuzzers are built without default features: what the compiler says of that build is an error there.
#![cfg_attr(feature = "fuzzing", deny(warnings))]

mod admin;
mod agent;
mod backoff;
mod boot_lock;
mod cancel;
pub mod cli;
mod config;
#[cfg(test)]
mod dependencies;
mod evacuation;
mod failover;
mod failpoints;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod host;
#[cfg(test)]
mod layers;
mod maintenance;
mod migration;
#[cfg(test)]
mod names;
mod paths;
mod peers;
mod platform;
mod run_lock;
mod software;
mod store;
#[doc(hidden)]
pub mod testing;
mod zonepath;

use sysadm_model as model;
use sysadm_os::{exec, file, folder};
use sysadm_planner::{plan, policy};
use sysadm_transport as transport;

/// So that tests name the crate as those in a program of their own do.
#[cfg(test)]
extern crate self as sysadm;

/// What takes more than one module: tests that drive the engine as the command line does.
#[cfg(test)]
#[path = "../tests"]
mod tests {
    mod engine;
}
