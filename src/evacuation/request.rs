//! A request for a run.

use std::collections::BTreeMap;

use crate::model::{HostUri, Method, ZoneName};
use crate::plan::{Action, PlanFile};
use crate::policy::Policy;

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
