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
    /// An evacuation requires maintenance.
    #[error(
        "this host is not in maintenance; start it with 'sysadm maintain -s' so that no zone starts or arrives while others leave"
    )]
    NotInMaintenance,
    /// A return requires that maintenance has ended.
    #[error("this host is in maintenance ({0}); zones cannot return before 'sysadm maintain -e'")]
    InMaintenance(String),
    /// Named zones do not exist.
    #[error("no such zone: {}", .0.join(", "))]
    NoSuchZone(Vec<String>),
    /// A named zone cannot be handled.
    #[error("{0}")]
    Unhandled(UnmanagedGuest),
    /// Named zones are not away.
    #[error("not away from this host: {}; 'sysadm evacuate -l' lists what is", .0.join(", "))]
    NotAway(Vec<String>),
    /// This host itself does not answer.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The plan is outdated.
    #[error("the plan does not hold any more: {}", .0.join("; "))]
    Changed(Vec<String>),
    /// The plan is of another host.
    #[error("the plan moves no zone of {0}")]
    NotPlanned(String),
    /// The run was cancelled before it knew what to do.
    #[error("given up before any zone was moved")]
    GivenUp(CancelReason),
    /// A configuration cannot be written as a document.
    #[error("the configuration cannot be kept")]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl EvacuationError {
    /// # Errors
    /// If any of these is not a zone of the host.
    pub(crate) fn not_zones(inventory: &Inventory, names: &[&ZoneName]) -> Result<(), Self> {
        match names.iter().find_map(|name| inventory.called(name)) {
            Some(unmanaged_guest) => Err(Self::Unhandled(unmanaged_guest.clone())),
            None if names.is_empty() => Ok(()),
            None => Err(Self::NoSuchZone(names.iter().map(ToString::to_string).collect())),
        }
    }
}
