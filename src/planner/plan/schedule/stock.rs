//! Everything of which there is so much and no more is a stock: memory of a host, a line's bytes a second, the right
//! to be the only one of a group on its way. A move *takes* from stocks at its begin, *gives* to stocks at its end,
//! and *holds* what it takes and gives back. So one idea keeps memory on both hosts, lines, slots and groups.

use std::collections::HashMap;

use super::plan::{PlannedMove, Resource};
use crate::plan::HostIx;

/// What a stock is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::plan) enum What {
    /// Of a host.
    Room(HostIx, Resource),
    /// The place of a group's only zone on a host.
    Apart(HostIx, usize),
    /// Bytes a second that leave a host.
    LineOut(HostIx),
    /// Bytes a second that arrive at a host.
    LineIn(HostIx),
    /// Bytes a second that all moves share.
    Switch,
    /// Moves that leave a host.
    SlotsOut(HostIx),
    /// Moves that arrive at a host.
    SlotsIn(HostIx),
    /// Bytes a second that leave the hosts of a trunk.
    TrunkOut(usize),
    /// Bytes a second that arrive at the hosts of a trunk.
    TrunkIn(usize),
    /// The right to be the only one of a group on its way.
    OneByOne(usize),
}

/// So much of a stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) stock: usize,
    pub(super) amount: i64,
}

/// All stocks, with what there is at the begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Stocks {
    pub(super) what: Vec<What>,
    pub(super) levels: Vec<i64>,
    places: HashMap<What, usize>,
}

impl Stocks {
    /// So much of a stock that begins with `level`.
    pub(super) fn of(&mut self, what: What, amount: u64, level: impl FnOnce() -> i64) -> Use {
        let stock = *self.places.entry(what).or_insert_with(|| {
            self.what.push(what);
            self.levels.push(level());
            self.what.len() - 1
        });
        Use { stock, amount: signed(amount) }
    }
}

/// One move, as the search sees it.
#[derive(Clone, Debug)]
pub(super) struct SearchMove {
    /// As it will stand in the plan, without its times.
    pub(super) draft: PlannedMove,
    /// Milliseconds.
    pub(super) length: u64,
    /// By how many milliseconds it may be late.
    pub(super) late: u64,
    /// Not before this, ms.
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
    /// All that it needs from its begin on, for a while or for good.
    pub(super) fn needs(&self) -> impl Iterator<Item = &Use> {
        self.takes.iter().chain(&self.holds)
    }
}

pub(super) fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX / 4)
}
