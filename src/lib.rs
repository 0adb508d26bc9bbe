//! `sysadm` empties a host of its zones before maintenance, and fills it again afterwards.
//!
//! A *zone* is a guest of a host: a KVM or LXC domain of libvirt, or a simulated one. An administrator sets where
//! zones go (`sysadm target`), takes the host out of service (`sysadm maintain -s`), moves all zones to other
//! hosts, live where possible (`sysadm evacuate`), works on the host, and brings the zones back (`sysadm evacuate
//! -r`). README.md shows this from the outside; this page is the introduction for those who want to read the
//! code.
//!
//! # The one idea
//!
//! A [`Host`](host::Host) is symmetrical: this host ([`Local`](host::Local)) and another one
//! ([`Remote`](host::Remote)) answer the same requests. So moving a zone is [`migrate(from,
//! to)`](migration::migrate) in either direction: an evacuation has this host as `from`, a return has it as `to`,
//! and nothing else differs. Everything that crosses the network, including a hypervisor's memory stream, goes
//! through authenticated connections by the scheme of the target's URI.
//!
//! # The layers
//!
//! Each module uses only modules on lines below its own; a test checks every import against this picture.
//!
//! ```text
//! cli, fuzzing, testing               the command line; what fuzzers, benchmarks and other test programs use
//! agent, admin                        serves this host to others; ONE zone by hand: detach, attach, create
//! failover                            replicas in case a host is lost; does another host have this zone?
//! evacuation                          ALL zones: select, check, move many at once, stop in place, recover, report
//! migration                           ONE zone from one host to another: live, cold or by a restart
//! peers                               the other hosts: each is connected to once; all are surveyed
//! host                                all requests to a host: Local answers itself, Remote asks over a transport
//! maintenance, software               the maintenance lock; what is installed on a host
//! platform                            libvirt or simulated
//! cancel                              how a run is cancelled: by signals, a deadline, another terminal
//! run_lock, zonepath                  one run at a time; a zone's folder
//! store, config, boot_lock            SQLite; sysadm.toml; permits and blocks for booting a zone
//! failpoints, backoff, paths          failpoints; retries; where files are
//! transport                           authenticated streams to other hosts (a crate: src/transport)
//! plan, policy                        which zone goes where and when; an administrator's policy (pure; a crate: src/planner)
//! exec, file, folder                  the only place to start programs, write whole files, create folders (a crate: src/os)
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
//! - [`maintenance`] and `platform::libvirt::hooks`: maintenance, and how libvirt enforces it.
//! - [`host`]: all requests to a host, in one list.

// Tests start the programs they need: sshd, ssh-keygen, the tool itself. See clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]
#![allow(rustdoc::private_intra_doc_links, reason = "the documentation is for those who work on the code")]
// The fuzzers are built without default features; warnings in that build are errors.
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

/// Tests of more than one module: they drive the engine as the command line does.
#[cfg(test)]
#[path = "../tests"]
mod tests {
    mod engine;
}
