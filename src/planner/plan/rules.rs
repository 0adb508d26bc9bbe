//! What a policy asks of a plan, in the planner's own terms.

use serde::{Deserialize, Serialize};

use crate::model::words;

words! {
    /// What is done with a zone when its host is emptied.
    #[derive(Default)]
    Action, "action" {
        /// It moves: live if it runs, and its configuration alone if it does not.
        #[default]
        Live = "live",
        /// It is shut down in order, moves, and is booted there; on failure it is booted here again.
        Restart = "restart",
        /// It is shut down in order and stays; booted again on return.
        Stop = "stop",
        /// Its memory is saved to a file and it stays; restored on return.
        Suspend = "suspend",
        /// It is left alone: the evacuation does not wait for it.
        Leave = "leave",
    }
}

impl Action {
    /// Whether a zone that runs is ended by it, and stays.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Stop | Self::Suspend)
    }
}

/// What a good placement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Each zone where most is left after its move: the fullest host is as empty as can be.
    #[default]
    Spread,
    /// The fewest hosts take zones.
    Pack,
    /// An even share of memory, processors and network on all hosts, so weighted.
    Balance(Weights),
    /// The first of the zone's targets that can take it.
    Pinned,
    /// The shortest evacuation: lines are filled evenly.
    Fastest,
    /// An even cluster as `hbal` of Ganeti scores it: the deviations of memory, of virtual processors and of the
    /// number of zones.
    Ganeti,
}

/// How much each resource counts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Memory.
    pub memory: f64,
    /// Processors.
    pub cpu: f64,
    /// Network.
    pub network: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { memory: 1.0, cpu: 1.0, network: 1.0 }
    }
}

/// All that a plan must keep to, beside what hosts and zones themselves say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    /// What a good placement is.
    pub goal: Goal,
    /// The part of a host's memory that must stay free, 0 to 1.
    pub headroom: f64,
    /// Virtual processors of running zones for each processor of a host, at most; none: any number.
    pub cpu_ratio: Option<f64>,
    /// Zones on one host, at most.
    pub max_zones: Option<u32>,
    /// Moves that leave one host at once, at most.
    pub outbound: u32,
    /// Moves that arrive at one host at once, at most.
    pub inbound: u32,
    /// Bytes a second that one move may take; none: as much as the line carries.
    pub bandwidth: Option<u64>,
    /// Rng is drawn from this.
    pub seed: u64,
    /// How long a search for a better placement goes on, in steps.
    pub steps: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            goal: Goal::default(),
            headroom: 0.0,
            cpu_ratio: None,
            max_zones: None,
            outbound: 4,
            inbound: 4,
            bandwidth: None,
            seed: 1,
            steps: 50_000,
        }
    }
}
