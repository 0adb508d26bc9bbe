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

mod arriving;
mod documents;
mod events;
mod leaving;
mod owner;
mod process;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) use arriving::Arriving;
pub(super) use documents::Documents;
pub(super) use leaving::Leaving;
pub(super) use owner::let_qemu_in;
pub(super) use process::{end_of, has_arrived};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
