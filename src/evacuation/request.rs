//! What an operator asks for.

use std::collections::BTreeMap;

use crate::model::{HostUri, Method, ZoneName};
use crate::plan::{Action, PlanFile};
use crate::policy::Policy;

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
