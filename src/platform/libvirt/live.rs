//! Live migration of a KVM zone with libvirt, and how it is made sure that it never runs twice.
//!
//! ```text
//!   source                               destination
//!   virsh migrate --p2p --suspend  ──►   QEMU receives, and is left paused
//!   [stopped, memory sent]               [whole, paused]
//!   QEMU ends  ──────────────────────►   virsh resume, on our word only
//! ```
//!
//! Left to itself, libvirt lets the zone run at the destination and *then* hears at the source whether that
//! went well; if the line breaks just there, the source lets it run again, and it runs twice. So the
//! destination holds it (`--suspend`), and lets it go only after the source's QEMU process has ended. The end of
//! that process is waited for directly (pidfd): virsh itself returns some 200 ms later.

mod documents;
mod events;
mod incoming;
mod outgoing;
mod process;
mod socket_owner;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use documents::Documents;
pub(super) use incoming::Incoming;
pub(super) use outgoing::Outgoing;
pub(super) use process::{end_of, has_arrived};
pub(super) use socket_owner::let_qemu_in;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
