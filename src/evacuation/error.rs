//! Why an evacuation or a return was not begun.

use crate::cancel::CancelReason;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{Inventory, UnmanagedGuest, ZoneName};
use crate::run_lock::LockError;
use crate::store::StoreError;

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum EvacuationError {
    /// An evacuation needs the lock.
    #[error(
        "this host is not in maintenance; start it with 'sysadm maintain -s' so that no zone starts or arrives while others leave"
    )]
    NotInMaintenance,
    /// A return needs the lock gone.
    #[error("this host is in maintenance ({0}); zones cannot return before 'sysadm maintain -e'")]
    InMaintenance(String),
    /// Zones were named that are not there.
    #[error("no such zone: {}", .0.join(", "))]
    NoSuchZone(Vec<String>),
    /// A zone was named that is there and cannot be handled.
    #[error("{0}")]
    Unhandled(UnmanagedGuest),
    /// Zones were named that are not away.
    #[error("not away from this host: {}; 'sysadm evacuate -l' lists what is", .0.join(", "))]
    NotAway(Vec<String>),
    /// This host itself does not answer.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A plan that no longer holds.
    #[error("the plan does not hold any more: {}", .0.join("; "))]
    Changed(Vec<String>),
    /// A plan that is not about this host.
    #[error("the plan moves no zone of {0}")]
    NotPlanned(String),
    /// It was given up before it knew what to do.
    #[error("given up before any zone was moved")]
    GivenUp(CancelReason),
    /// A configuration that no document can hold.
    #[error("the configuration cannot be kept")]
    Document(#[from] DocumentError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run lock.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl EvacuationError {
    /// These are no zones of the host.
    ///
    /// # Errors
    /// That they are not, if there are any.
    pub(crate) fn not_zones(inventory: &Inventory, names: &[&ZoneName]) -> Result<(), Self> {
        match names.iter().find_map(|name| inventory.called(name)) {
            Some(unmanaged_guest) => Err(Self::Unhandled(unmanaged_guest.clone())),
            None if names.is_empty() => Ok(()),
            None => Err(Self::NoSuchZone(names.iter().map(ToString::to_string).collect())),
        }
    }
}
