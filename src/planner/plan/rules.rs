//! What a policy requires of a plan, in the planner's own terms.

use serde::{Deserialize, Serialize};

use crate::model::words;

words! {
    /// What is done with a zone when its host is emptied.
    #[derive(Default)]
    Action, "action" {
        /// The zone moves: live if it runs, and only its configuration if it does not.
        #[default]
        Live = "live",
        /// The zone is shut down in order, moved, and booted at its destination; if that fails it is booted here
        /// again.
        Restart = "restart",
        /// The zone is shut down in order and stays; it is booted again on return.
        Stop = "stop",
        /// The zone's memory is saved to a file and it stays; it is restored on return.
        Suspend = "suspend",
        /// The zone is left running: the evacuation does not wait for it.
        Leave = "leave",
    }
}

impl Action {
    /// Whether it ends a running zone, which stays.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Stop | Self::Suspend)
    }
}

/// What a good placement is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Each zone where most room is left after its move: the fullest host is as empty as possible.
    #[default]
    Spread,
    /// As few hosts as possible receive zones.
    Pack,
    /// An even share of memory, CPU and network on all hosts, with these weights.
    Balance(Weights),
    /// The first of the zone's targets that can accept it.
    Pinned,
    /// The shortest evacuation: network connections are used evenly.
    Fastest,
    /// A balanced cluster by the score of Ganeti's `hbal`: the deviations of memory, virtual CPUs and number of
    /// zones.
    Ganeti,
}

/// The weight of each resource.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    pub memory: f64,
    pub cpu: f64,
    pub network: f64,
}

impl Default for Weights {
    fn default() -> Self {
        Self { memory: 1.0, cpu: 1.0, network: 1.0 }
    }
}

/// Everything that a plan must satisfy, besides what hosts and zones themselves require.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rules {
    pub goal: Goal,
    /// The part of a host's memory that must stay free, 0 to 1.
    pub headroom: f64,
    /// Maximum number of virtual CPUs of running zones per CPU of a host; none: no limit.
    pub cpu_ratio: Option<f64>,
    /// Maximum number of zones on one host.
    pub max_zones: Option<u32>,
    /// Maximum number of simultaneous moves away from one host.
    pub outbound: u32,
    /// Maximum number of simultaneous moves to one host.
    pub inbound: u32,
    /// Maximum bandwidth of one move in bytes per second; none: as much as the network has.
    pub bandwidth: Option<u64>,
    /// The seed of random numbers.
    pub seed: u64,
    /// The length of the search for a better placement, in steps.
    pub steps: u64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            goal: Goal::default(),
            headroom: 0.0,
            cpu_ratio: None,
            max_zones: None,
            outbound: 3,
            inbound: 4,
            bandwidth: None,
            seed: 1,
            steps: 50_000,
        }
    }
}
