//! What an administrator wants of an evacuation: a file that says where zones may go, what a good placement is, which
//! limits hold, and what is done with which zone.
//!
//! ```text
//!   policies/*.toml ─► form::parse ─► Policy ─┬─► rules()     what the planner keeps to
//!   (or /etc/sysadm)   (all mistakes,         ├─► apply()     what holds for each zone of a Fleet
//!                       with line, column)    ├─► hosts()     whom to ask before planning
//!                                             └─► explain()   the same in sentences
//! ```
//!
//! A policy is read from a text here; who finds, reads and installs the files is the command line.
//!
//! **Which blocks hold.** Every `[[zones]]` block whose `match` fits a zone holds for it, in the order of the file: of
//! two that say different things (`action`, `priority`, `targets`) the later one wins, and what can be said several
//! times (`apart`, `together`, `after`, `one_by_one`) adds up. So general rules stand above, exceptions below.

mod apply;
mod cycles;
mod diagnostic;
mod explain;
mod form;
mod read;
mod shipped;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;

pub use cycles::describe as describe_cycle;
pub use diagnostic::Diagnostic;
pub use explain::explain;
pub use form::parse;
pub use shipped::SHIPPED;
pub use values::{HostRef, Pattern, Rate, Share};

use crate::model::{Brand, HostUri, Identifier, words};
use crate::plan::{Action, Goal, Rules};

/// A policy. Its form in serde is that of its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Policy {
    /// What it does, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The only hosts to which zones may go; none: those that each zone's targets allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<HostRef>,
    /// How often a move is tried again that failed for a reason that may pass; none: as the command line says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// In which order zones come back.
    pub return_order: ReturnOrder,
    /// Groups of hosts, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Identifier, Vec<HostUri>>,
    /// What a good placement is.
    #[serde(serialize_with = "form::write_goal")]
    pub goal: Goal,
    /// What a plan must keep to.
    pub limits: Limits,
    /// When a live migration is given up.
    pub convergence: Convergence,
    /// What holds for which zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Block>,
}

words! {
    /// In which order zones come back.
    ReturnOrder, "return order" {
        /// As a plan of the return has it.
        Planned = "planned",
        /// The last one that left, or was stopped, comes first.
        Reverse = "reverse",
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that declares it has no place for an attribute")]
impl Default for ReturnOrder {
    fn default() -> Self {
        Self::Planned
    }
}

/// `[limits]`: what a plan must keep to. What is none is as [`Rules::default`] has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// The part of each host's memory that must stay free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headroom: Option<Share>,
    /// Zones on one host, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_zones: Option<u32>,
    /// Moves that leave one host at once, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<u32>,
    /// Moves that arrive at one host at once, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<u32>,
    /// What one move may take of the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Rate>,
    /// Virtual processors of running zones for each processor of a host, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpus_per_cpu: Option<f64>,
}

/// `[convergence]`: keys of `[migration]` in sysadm.toml that are otherwise under this policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Convergence {
    /// Seconds without any progress until a live migration is given up; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<u64>,
    /// For how long a zone may be stopped at the end of it, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime: Option<u64>,
    /// Passes over its memory until it is given up; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<u32>,
}

/// `[[zones]]`: what holds for the zones that it matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Block {
    /// Which zones.
    #[serde(rename = "match", skip_serializing_if = "Match::is_all")]
    pub selects: Match,
    /// The only hosts to which they may go, in order of preference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<HostRef>,
    /// What is done with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Higher goes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// They go when these have gone (moved, been stopped or suspended), or could not. On return from rest they are
    /// before them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Pattern>,
    /// A group of which no two zones may be on their way, or down, at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_by_one: Option<Identifier>,
    /// A group of which no two zones may be on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart: Option<Identifier>,
    /// A group of which all zones that move must go to one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub together: Option<Identifier>,
}

/// Which zones a block is about: those of which all that is said is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Match {
    /// Their names are like that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Pattern>,
    /// Their brand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// One of their tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Match {
    /// Whether every zone is meant.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

impl Policy {
    /// What a plan must keep to.
    pub fn rules(&self) -> Rules {
        let (limits, defaults) = (&self.limits, Rules::default());
        Rules {
            goal: self.goal,
            headroom: limits.headroom.map_or(defaults.headroom, Share::part),
            cpu_ratio: limits.vcpus_per_cpu.or(defaults.cpu_ratio),
            max_zones: limits.max_zones.or(defaults.max_zones),
            outbound: limits.outbound.unwrap_or(defaults.outbound),
            inbound: limits.inbound.unwrap_or(defaults.inbound),
            bandwidth: limits.bandwidth.map(Rate::bytes).or(defaults.bandwidth),
            seed: defaults.seed,
            steps: defaults.steps,
        }
    }

    /// What of it holds for one zone whose destination somebody has named: how a move is carried out, not where zones
    /// go and what is done with them.
    #[must_use]
    pub fn of_one_move(&self) -> Self {
        let limits = Limits { bandwidth: self.limits.bandwidth, ..Limits::default() };
        Self { retries: self.retries, limits, convergence: self.convergence, ..Self::default() }
    }

    /// Every host that it names, each once: whom to ask, beside the targets of the zones, before a plan is made.
    pub fn hosts(&self) -> Vec<&HostUri> {
        let refs = self.destinations.iter().chain(self.zones.iter().flat_map(|block| &block.targets));
        let mut hosts: Vec<&HostUri> = refs.flat_map(|host| self.members(host)).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The same, with other names of the hosts that it names.
    #[must_use]
    pub fn renamed(&self, name_of: impl Fn(&HostUri) -> HostUri) -> Self {
        let mut policy = self.clone();
        let listed = policy.groups.values_mut().flatten();
        let refs = policy
            .destinations
            .iter_mut()
            .chain(policy.zones.iter_mut().flat_map(|block| &mut block.targets));
        let named = refs.filter_map(|host| match host {
            HostRef::Host(uri) => Some(uri),
            HostRef::Group(_) => None,
        });
        listed.chain(named).for_each(|uri| *uri = name_of(uri));
        policy
    }

    /// The hosts that are meant.
    fn members<'a>(&'a self, host: &'a HostRef) -> &'a [HostUri] {
        match host {
            HostRef::Host(uri) => std::slice::from_ref(uri),
            HostRef::Group(name) => self.groups.get(name).map_or(&[], Vec::as_slice),
        }
    }
}
