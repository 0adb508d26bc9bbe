//! The schedule: moves with begin and end, and those that cannot be made, with all reasons.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::Method;
use crate::plan::{Action, HostIx, NeverConverges, ZoneIx};

/// Which move begins when. Times are milliseconds from the begin of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// By begin. A zone that makes a detour has two moves.
    pub moves: Vec<PlannedMove>,
    /// Zones that cannot move. They stay where they are.
    pub blocked: Vec<Blocked>,
    /// When the last move ends.
    pub makespan_ms: u64,
    /// No order of these moves ends sooner than this.
    pub lower_bound_ms: u64,
    /// With a probability of 95 % the last move ends at most that much later.
    pub margin_ms: u64,
}

/// Which part of a zone's way a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// The whole way.
    Whole,
    /// To a third host, because there is no room at the destination before others have left, which wait for this
    /// zone.
    First,
    /// On from the third host.
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMove {
    pub zone: ZoneIx,
    /// The host that it leaves.
    pub from: HostIx,
    /// The host at which this move ends.
    pub to: HostIx,
    /// Which part of its way this is.
    pub leg: Leg,
    pub method: Method,
    /// What is done with the zone.
    pub action: Action,
    /// In ms.
    pub start_ms: u64,
    /// In ms.
    pub end_ms: u64,
    /// The zone's downtime, in ms.
    pub downtime_ms: u64,
    /// The bandwidth that it gets, in bytes per second.
    pub rate: u64,
}

/// A zone that cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub zone: ZoneIx,
    /// Where it was to go.
    pub to: HostIx,
    /// All reasons, after everything that can move has moved.
    pub obstacles: Vec<BlockedReason>,
}

/// A limited resource of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Bytes of memory, without the headroom.
    Memory,
    /// Bytes of huge pages of this size.
    HugePages(u64),
    /// Bytes of its own storage.
    Disk,
    /// Virtual CPUs.
    Cpus,
    /// Number of zones.
    Zones,
}

/// One reason why a zone cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedReason {
    /// Its destination lacks room before others have left, and they cannot leave either.
    Room {
        resource: Resource,
        /// How much of it is missing.
        missing: u64,
        /// The zones that would make room, and wait themselves. Empty: no zone that is to move would.
        waits_for: BTreeSet<ZoneIx>,
    },
    /// A zone from which it must be kept apart is at its destination and does not leave.
    Apart {
        group: String,
        /// The zones of this group that wait to leave. Empty: the one that is there stays.
        waits_for: BTreeSet<ZoneIx>,
    },
    /// A zone that must move before it cannot.
    After(ZoneIx),
    /// A zone with which it must be together cannot move.
    Together(ZoneIx),
    /// Its live migration would never end.
    NeverConverges(NeverConverges),
    /// There is no bandwidth between the two hosts.
    NoLine,
    /// It runs, and its brand cannot migrate live.
    NotLive,
    /// Its action is not a move.
    Stays(Action),
}

impl Plan {
    /// The third host of a zone's detour.
    pub fn via(&self, zone: ZoneIx) -> Option<HostIx> {
        self.moves.iter().find(|a_move| a_move.zone == zone && a_move.leg == Leg::First).map(|first| first.to)
    }

    /// By which part the last move ends later than the lower bound: 0.02 is 2 %.
    pub fn gap(&self) -> f64 {
        match self.lower_bound_ms {
            0 => 0.0,
            bound => self.makespan_ms.saturating_sub(bound) as f64 / bound as f64,
        }
    }
}
