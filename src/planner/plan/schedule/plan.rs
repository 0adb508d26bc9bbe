//! The answer to "when": moves with begin and end, and those that cannot be made, with all reasons.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::Method;
use crate::plan::{Action, HostIx, NeverConverges, ZoneIx};

/// Which move begins when. Times are milliseconds from the begin of the whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// By begin. A zone that goes through a third host has two.
    pub moves: Vec<PlannedMove>,
    /// Zones that cannot move. They stay where they are.
    pub blocked: Vec<Blocked>,
    /// When the last move ends.
    pub makespan_ms: u64,
    /// No order of these moves ends sooner than this.
    pub lower_bound_ms: u64,
    /// In 19 of 20 cases the last move ends at most that much later.
    pub margin_ms: u64,
}

/// Which part of a zone's way a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    /// All of it.
    Whole,
    /// To a third host, because there is no room at its destination before others have left, and they wait for it.
    First,
    /// On from the third host.
    Second,
}

/// One move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMove {
    /// The zone.
    pub zone: ZoneIx,
    /// The host that it leaves.
    pub from: HostIx,
    /// The host at which this move ends.
    pub to: HostIx,
    /// Which part of its way this is.
    pub leg: Leg,
    /// Live or cold.
    pub kind: Method,
    /// What is done with the zone.
    pub action: Action,
    /// When it begins, ms.
    pub start_ms: u64,
    /// When it ends, ms.
    pub end_ms: u64,
    /// How long the zone does not answer, ms.
    pub downtime_ms: u64,
    /// Bytes a second that it gets.
    pub rate: u64,
}

/// A zone that cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// The zone.
    pub zone: ZoneIx,
    /// Where it was to go.
    pub to: HostIx,
    /// All that stands against it, once everything that can move has moved.
    pub obstacles: Vec<BlockedReason>,
}

/// Something of which a host has so much and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    /// Bytes of memory, without the headroom.
    Memory,
    /// Bytes of huge pages of this size.
    HugePages(u64),
    /// Bytes of storage of its own.
    Disk,
    /// Virtual processors.
    Cpus,
    /// Zones.
    Zones,
}

/// One reason why a zone cannot move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedReason {
    /// Its destination has not enough of something before others have left, and they cannot leave either.
    Room {
        /// What.
        resource: Resource,
        /// How much of it is missing.
        missing: u64,
        /// The zones that would make room, and wait themselves. None: nobody who is to move would.
        waits_for: BTreeSet<ZoneIx>,
    },
    /// A zone of which it must be kept apart is at its destination and does not leave.
    Apart {
        /// The group.
        group: String,
        /// The zones of this group that wait to leave. None: the one that is there stays.
        waits_for: BTreeSet<ZoneIx>,
    },
    /// A zone that must move before it cannot.
    After(ZoneIx),
    /// A zone with which it must be together cannot move.
    Together(ZoneIx),
    /// Moved live it would never arrive.
    NeverConverges(NeverConverges),
    /// Between the two hosts nothing can be sent.
    NoLine,
    /// It runs, and its brand cannot move live.
    NotLive,
    /// What is done with it is not a move.
    Stays(Action),
}

impl Plan {
    /// The third host through which a zone goes.
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
