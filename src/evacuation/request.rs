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
    /// Zones that do not run, too.
    pub all: bool,
    /// Only these; none named means all that the rest says.
    pub zones: Vec<ZoneName>,
    /// What is done with each of them.
    pub actions: Actions,
    /// Only those that move in this way, if there is one.
    pub only: Option<Method>,
    /// The only host to which they go; none: the targets of each say where.
    pub destination: Option<HostUri>,
    /// Overwrite configurations of the same zones at the destinations.
    pub overwrite: bool,
    /// What destinations have against the software, platform and networks of the zones does not count.
    pub force: bool,
    /// How many zones move at once.
    pub jobs: usize,
    /// How often a move is tried again that failed for a reason that may pass.
    pub retries: u32,
    /// Where zones may go, what a good placement is, which limits hold.
    pub policy: Policy,
    /// Exactly this is to be done, in place of what a planner would find.
    pub plan: Option<PlanFile>,
    /// Who asks.
    pub user: String,
}

/// What is done with each zone of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// With all others, if somebody has asked for it.
    pub default: Option<Action>,
    /// With these.
    pub zones: BTreeMap<ZoneName, Action>,
}

impl Actions {
    /// With that one.
    pub fn of(&self, zone: &ZoneName) -> Action {
        self.zones.get(zone).copied().or(self.default).unwrap_or_default()
    }
}

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
