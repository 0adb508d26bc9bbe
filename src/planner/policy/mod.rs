//! What an administrator wants of an evacuation: a file that says where zones may go, what a good placement is,
//! which limits apply, and what is done with which zone.
//!
//! ```text
//!   policies/*.toml ─► form::parse ─► Policy ─┬─► rules()     what a plan must satisfy
//!   (or /etc/sysadm)   (all errors,           ├─► apply()     what applies to each zone of a Fleet
//!                       with line, column)    ├─► hosts()     which hosts to ask before planning
//!                                             └─► explain()   the policy in sentences
//! ```
//!
//! A policy is parsed from a text here; finding, reading and installing the files is up to the command line.
//!
//! **Which blocks apply.** Every `[[zones]]` block whose `match` fits a zone applies to it, in the order of the
//! file: if two say different things (`action`, `priority`, `targets`) the later one wins, and what may be said
//! several times (`apart`, `together`, `after`, `one_by_one`) adds up. So general rules come first, exceptions
//! after them.

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

/// A policy. Its serde format is that of its file.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Policy {
    /// What it does, in a few words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The only hosts to which zones may go; empty: those that each zone's targets allow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<HostRef>,
    /// Number of retries after a transient failure; none: as on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
    /// In which order zones come back.
    pub return_order: ReturnOrder,
    /// Host groups, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<Identifier, Vec<HostUri>>,
    /// What a good placement is.
    #[serde(serialize_with = "form::write_goal")]
    pub goal: Goal,
    /// What a plan must satisfy.
    pub limits: Limits,
    /// When a live migration is given up.
    pub convergence: Convergence,
    /// Rules for certain zones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Block>,
}

words! {
    /// In which order zones come back.
    ReturnOrder, "return order" {
        /// As planned for the return.
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

/// `[limits]`: what a plan must satisfy. None means the value of [`Rules::default`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Limits {
    /// The part of each host's memory that must stay free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headroom: Option<Share>,
    /// Maximum number of zones on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_zones: Option<u32>,
    /// Maximum number of simultaneous moves away from one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outbound: Option<u32>,
    /// Maximum number of simultaneous moves to one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inbound: Option<u32>,
    /// Maximum bandwidth of one move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Rate>,
    /// Maximum number of virtual CPUs of running zones per CPU of a host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vcpus_per_cpu: Option<f64>,
}

/// `[convergence]`: replaces keys of `[migration]` in sysadm.toml.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Convergence {
    /// Seconds without progress after which a live migration is given up; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stall: Option<u64>,
    /// Maximum downtime at its end, in ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downtime: Option<u64>,
    /// Passes over the memory after which it is given up; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passes: Option<u32>,
}

/// `[[zones]]`: rules for the zones that it matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Block {
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
    /// They go after these have gone (moved, been stopped or suspended), or failed to. Zones that were stopped
    /// are booted in the reverse order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Pattern>,
    /// A group of which no two zones may be in a move, or down, at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_by_one: Option<Identifier>,
    /// A group of which no two zones may be on one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub apart: Option<Identifier>,
    /// A group of which all zones that move must go to one host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub together: Option<Identifier>,
}

/// Which zones a block applies to: those that meet all conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Match {
    /// A pattern of names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Pattern>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<Brand>,
    /// One of their tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

impl Match {
    /// Whether it matches every zone.
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }
}

impl Policy {
    /// What a plan must satisfy.
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

    /// The part that applies to one zone with a requested destination: how a move is carried out, not where zones
    /// go and what is done with them.
    #[must_use]
    pub fn of_one_move(&self) -> Self {
        let limits = Limits { bandwidth: self.limits.bandwidth, ..Limits::default() };
        Self { retries: self.retries, limits, convergence: self.convergence, ..Self::default() }
    }

    /// Every host that it names, without duplicates: they are asked, besides the targets of the zones, before a
    /// plan is made.
    pub fn hosts(&self) -> Vec<&HostUri> {
        let refs = self.destinations.iter().chain(self.zones.iter().flat_map(|block| &block.targets));
        let mut hosts: Vec<&HostUri> = refs.flat_map(|host| self.members(host)).collect();
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The policy with other names of its hosts.
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

    /// The hosts of a reference.
    fn members<'a>(&'a self, host: &'a HostRef) -> &'a [HostUri] {
        match host {
            HostRef::Host(uri) => std::slice::from_ref(uri),
            HostRef::Group(name) => self.groups.get(name).map_or(&[], Vec::as_slice),
        }
    }
}
