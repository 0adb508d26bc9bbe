//! Why an evacuation or a return was not begun.

use crate::cancel::CancelReason;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{Hinted, Inventory, UnmanagedGuest, ZoneName};
use crate::run_lock::LockError;
use crate::store::StoreError;

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum EvacuationError {
    /// An evacuation requires maintenance.
    #[error("this host is not in maintenance")]
    NotInMaintenance,
    /// A return requires that maintenance has ended.
    #[error("this host is in maintenance ({0}); zones cannot return")]
    InMaintenance(String),
    /// Named zones do not exist.
    #[error("no such zone: {}", .0.join(", "))]
    NoSuchZone(Vec<String>),
    /// A named zone cannot be handled.
    #[error("{0}")]
    Unhandled(UnmanagedGuest),
    /// Named zones are not away.
    #[error("not away from this host: {}", .0.join(", "))]
    NotAway(Vec<String>),
    /// This host itself does not answer.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The plan is outdated.
    #[error("the plan is out of date: {}", .0.join("; "))]
    Changed(Vec<String>),
    /// The plan is of another host.
    #[error("the plan moves no zone of {0}")]
    NotPlanned(String),
    /// The run was cancelled before it knew what to do.
    #[error("cancelled before any zone was moved")]
    GivenUp(CancelReason),
    /// A configuration cannot be written as a document.
    #[error("failed to record a configuration")]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Hinted for EvacuationError {
    fn hints(&self) -> Vec<String> {
        match self {
            Self::NotInMaintenance => vec![
                "run 'sysadm maintain -s' first, so that no zone starts or arrives while others leave"
                    .to_owned(),
            ],
            Self::InMaintenance(_) => vec!["run 'sysadm maintain -e' first".to_owned()],
            Self::NotAway(_) => vec!["'sysadm evacuate -l' lists the zones that are away".to_owned()],
            Self::Unhandled(unmanaged_guest) => unmanaged_guest.message().hints,
            Self::Changed(_) => vec!["make a new plan".to_owned()],
            Self::Host(error) => error.hints(),
            Self::Document(error) => error.hints(),
            Self::Store(error) => error.hints(),
            Self::Lock(error) => error.hints(),
            Self::NoSuchZone(_) | Self::NotPlanned(_) | Self::GivenUp(_) => Vec::new(),
        }
    }
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
