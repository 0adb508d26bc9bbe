//! Every limited resource is a stock: memory of a host, bandwidth of a connection, the right to be the only one
//! of a group that moves. A move *takes* from stocks at its begin, *gives* to stocks at its end, and *holds* what
//! it takes and gives back. So one idea covers memory on both hosts, connections, slots and groups.

use std::collections::HashMap;

use super::plan::{PlannedMove, Resource};
use crate::plan::HostIx;

/// What a stock is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::plan) enum What {
    /// A resource of a host.
    Room(HostIx, Resource),
    /// The place of a group's only zone on a host.
    Apart(HostIx, usize),
    /// Bytes per second that leave a host.
    LineOut(HostIx),
    /// Bytes per second that arrive at a host.
    LineIn(HostIx),
    /// Bytes per second that all moves share.
    Switch,
    /// Moves that leave a host.
    SlotsOut(HostIx),
    /// Moves that arrive at a host.
    SlotsIn(HostIx),
    /// Bytes per second that leave the hosts of a trunk.
    TrunkOut(usize),
    /// Bytes per second that arrive at the hosts of a trunk.
    TrunkIn(usize),
    /// The right to be the only one of a group that moves.
    OneByOne(usize),
}

/// An amount of a stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) stock: usize,
    pub(super) amount: i64,
}

/// All stocks, with their levels at the begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Stocks {
    pub(super) what: Vec<What>,
    pub(super) levels: Vec<i64>,
    places: HashMap<What, usize>,
}

impl Stocks {
    /// An amount of a stock whose first level is `level`.
    pub(super) fn of(&mut self, what: What, amount: u64, level: impl FnOnce() -> i64) -> Use {
        let stock = *self.places.entry(what).or_insert_with(|| {
            self.what.push(what);
            self.levels.push(level());
            self.what.len() - 1
        });
        Use { stock, amount: signed(amount) }
    }
}

/// One move, for the search.
#[derive(Clone, Debug)]
pub(super) struct SearchMove {
    /// The move of the plan, without its times.
    pub(super) draft: PlannedMove,
    /// In milliseconds.
    pub(super) length: u64,
    /// By how many milliseconds it may be late.
    pub(super) late: u64,
    /// Not before this, in ms.
    pub(super) ready: u64,
    pub(super) priority: i32,
    pub(super) takes: Vec<Use>,
    pub(super) gives: Vec<Use>,
    pub(super) holds: Vec<Use>,
    /// Jobs that must have ended.
    pub(super) after: Vec<usize>,
}

/// What is to be scheduled.
#[derive(Clone, Debug, Default)]
pub(super) struct ScheduleProblem {
    pub(super) jobs: Vec<SearchMove>,
    pub(super) stocks: Stocks,
}

impl SearchMove {
    /// Everything that it needs from its begin on, for a while or for good.
    pub(super) fn needs(&self) -> impl Iterator<Item = &Use> {
        self.takes.iter().chain(&self.holds)
    }
}

pub(super) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX / 4)
}
