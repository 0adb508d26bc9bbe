//! What an operator asks for, and why nothing was begun.

use std::collections::BTreeMap;

use crate::cancel::CancelReason;
use crate::host::HostError;
use crate::model::document::DocumentError;
use crate::model::{HostUri, Inventory, Method, UnmanagedGuest, ZoneName};
use crate::plan::{Action, PlanFile};
use crate::policy::Policy;
use crate::run_lock::LockError;
use crate::store::StoreError;

/// What an operator asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Also zones that do not run.
    pub all: bool,
    /// Only these zones; empty: all.
    pub zones: Vec<ZoneName>,
    /// The action for each zone.
    pub actions: Actions,
    /// Only zones that move by this method.
    pub only: Option<Method>,
    /// The only destination; none: the zones' targets.
    pub destination: Option<HostUri>,
    /// Overwrite configurations of the same zones at the destinations.
    pub overwrite: bool,
    /// Ignore differences in software, platform and networks at the destinations.
    pub force: bool,
    /// Maximum number of simultaneous moves.
    pub jobs: usize,
    /// Number of retries after a transient failure.
    pub retries: u32,
    /// Where zones may go, what a good placement is, which limits apply.
    pub policy: Policy,
    /// A plan to follow exactly, instead of making one.
    pub plan: Option<PlanFile>,
    /// The user.
    pub user: String,
}

/// The action for each zone of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// For all others, if one was requested.
    pub default: Option<Action>,
    /// For these zones.
    pub zones: BTreeMap<ZoneName, Action>,
}

impl Actions {
    /// For that zone.
    pub fn of(&self, zone: &ZoneName) -> Action {
        self.zones.get(zone).copied().or(self.default).unwrap_or_default()
    }
}

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
