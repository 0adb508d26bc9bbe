//! Which moves may begin now: follows a plan's order, whatever time moves really take.
//!
//! ```text
//!   waiting ──begin──► under way ──leave──► over
//!      ▲                   │
//!    queue               pause       (it is tried again after a while)
//!      └────── paused ◄────┘
//! ```
//!
//! A move begins when a slot is free at both hosts, the moves that it comes after are over, no other move of a
//! one-by-one group is in progress, and all moves on the same network connection can share it (see
//! [`super::forecast::sharers`]). Of the moves that could begin, the earliest in the plan does; one that cannot
//! begin yet holds up only those that wait for it.

use std::collections::{BTreeMap, BTreeSet};

use super::HostKey;

/// One move of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMove {
    /// The host that it leaves.
    pub from: HostKey,
    /// The host at which it arrives.
    pub to: HostKey,
    /// The moves that must be over before, by their positions in the plan.
    pub after: BTreeSet<usize>,
    /// Groups of which only one may be in progress at a time.
    pub one_by_one: BTreeSet<String>,
    /// Maximum number of moves on the connections of its two hosts while it is in progress, itself included;
    /// none: no limit.
    pub sharers: Option<usize>,
}

impl QueuedMove {
    /// A move that waits for no other.
    pub const fn new(from: HostKey, to: HostKey) -> Self {
        Self { from, to, after: BTreeSet::new(), one_by_one: BTreeSet::new(), sharers: None }
    }
}

/// Maximum numbers of simultaneous moves. Zero counts as one: a plan always makes progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// In all.
    pub jobs: usize,
    /// Away from one host.
    pub outbound: usize,
    /// To one host.
    pub inbound: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    UnderWay,
    Paused,
    Over,
}

/// The state of a plan that is being carried out. Moves are identified by their positions in it.
///
/// The cost of ending a move does not grow with the plan: the next move is searched only among the few that wait
/// for nothing but a slot, and only as long as there is one.
#[derive(Clone, Debug)]
pub struct Dispatch {
    items: Vec<QueuedMove>,
    slots: Slots,
    phases: Vec<Phase>,
    /// For each move, the number of moves that must be over before and are not.
    before: Vec<usize>,
    /// For each move, those that come after it.
    behind: Vec<Vec<usize>>,
    /// Moves that wait, but for no other move.
    ready: BTreeSet<usize>,
    under_way: BTreeSet<usize>,
    /// The number of moves that were looked at in all.
    #[cfg(test)]
    looked: usize,
}

/// What is in use now.
#[derive(Default)]
struct Taken<'a> {
    jobs: usize,
    outbound: BTreeMap<&'a HostKey, HostQueue>,
    inbound: BTreeMap<&'a HostKey, HostQueue>,
    groups: BTreeSet<&'a str>,
}

/// One direction of a host's network connection.
#[derive(Clone, Copy, Default)]
struct HostQueue {
    moves: usize,
    /// Maximum number of moves that may share it.
    most: Option<usize>,
}

impl HostQueue {
    fn take(&mut self, item: &QueuedMove) {
        self.moves += 1;
        self.most = self.most.into_iter().chain(item.sharers).min();
    }

    fn has_room(self, item: &QueuedMove, slots: usize) -> bool {
        let most = self.most.into_iter().chain(item.sharers).chain([slots]).min().unwrap_or(slots);
        self.moves < most.max(1)
    }
}

impl<'a> Taken<'a> {
    fn take(&mut self, item: &'a QueuedMove) {
        self.jobs += 1;
        self.outbound.entry(&item.from).or_default().take(item);
        self.inbound.entry(&item.to).or_default().take(item);
        self.groups.extend(item.one_by_one.iter().map(String::as_str));
    }

    fn has_room(&self, item: &QueuedMove, slots: Slots) -> bool {
        let line = |side: &BTreeMap<&HostKey, HostQueue>, host: &HostKey| {
            side.get(host).copied().unwrap_or_default()
        };
        self.jobs < slots.jobs.max(1)
            && line(&self.outbound, &item.from).has_room(item, slots.outbound)
            && line(&self.inbound, &item.to).has_room(item, slots.inbound)
            && !item.one_by_one.iter().any(|group| self.groups.contains(group.as_str()))
    }
}

impl Dispatch {
    /// A plan of which nothing has begun.
    pub fn new(items: Vec<QueuedMove>, slots: Slots) -> Self {
        let (mut before, mut behind) = (vec![0; items.len()], vec![Vec::new(); items.len()]);
        for (place, item) in items.iter().enumerate() {
            for other in &item.after {
                if let (Some(behind), Some(before)) = (behind.get_mut(*other), before.get_mut(place)) {
                    behind.push(place);
                    *before += 1;
                }
            }
        }
        let free = before.iter().enumerate().filter(|(_, before)| **before == 0);
        Self {
            ready: free.map(|(place, _)| place).collect(),
            phases: vec![Phase::Waiting; items.len()],
            under_way: BTreeSet::new(),
            items,
            slots,
            before,
            behind,
            #[cfg(test)]
            looked: 0,
        }
    }

    /// Begins all moves that may begin now, and returns them in the order of the plan.
    pub fn start(&mut self) -> Vec<usize> {
        let (found, _looked) = self.startable();
        #[cfg(test)]
        {
            self.looked += _looked;
        }
        found.iter().for_each(|place| self.put(*place, Phase::UnderWay));
        found
    }

    /// The moves that may begin now, and how many were looked at.
    fn startable(&self) -> (Vec<usize>, usize) {
        let item = |place: &usize| self.items.get(*place).map(|item| (*place, item));
        let (mut taken, mut looked) = (Taken::default(), self.under_way.len());
        self.under_way.iter().filter_map(item).for_each(|(_, item)| taken.take(item));
        let mut found = Vec::new();
        for (place, item) in self.ready.iter().filter_map(item) {
            if taken.jobs >= self.slots.jobs.max(1) {
                break;
            }
            looked += 1;
            if taken.has_room(item, self.slots) {
                taken.take(item);
                found.push(place);
            }
        }
        (found, looked)
    }

    /// A move is over, however it ended.
    pub fn leave(&mut self, place: usize) {
        if self.phase(place) == Phase::Over {
            return;
        }
        self.put(place, Phase::Over);
        for next in self.behind.get(place).cloned().unwrap_or_default() {
            if let Some(before) = self.before.get_mut(next) {
                *before -= 1;
            }
            self.put(next, self.phase(next));
        }
    }

    /// A move in progress will be tried again later. Moves that come after it wait; its slot is free.
    pub fn pause(&mut self, place: usize) {
        if self.phase(place) == Phase::UnderWay {
            self.put(place, Phase::Paused);
        }
    }

    /// A paused move waits for its turn again.
    pub fn queue(&mut self, place: usize) {
        if self.phase(place) == Phase::Paused {
            self.put(place, Phase::Waiting);
        }
    }

    /// The phase of a move; one that is not in the plan is over.
    fn phase(&self, place: usize) -> Phase {
        self.phases.get(place).copied().unwrap_or(Phase::Over)
    }

    /// Sets a phase, and updates which moves are ready and in progress.
    fn put(&mut self, place: usize, phase: Phase) {
        self.set(place, phase);
        self.under_way.remove(&place);
        self.ready.remove(&place);
        match phase {
            Phase::Waiting if self.before.get(place) == Some(&0) => drop(self.ready.insert(place)),
            Phase::UnderWay => drop(self.under_way.insert(place)),
            Phase::Waiting | Phase::Paused | Phase::Over => {}
        }
    }

    fn set(&mut self, place: usize, phase: Phase) {
        if let Some(slot) = self.phases.get_mut(place) {
            *slot = phase;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(from: &str, to: &str, after: &[usize], group: Option<&str>) -> QueuedMove {
        QueuedMove {
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            after: after.iter().copied().collect(),
            one_by_one: group.into_iter().map(str::to_owned).collect(),
            sharers: None,
        }
    }

    const WIDE: Slots = Slots { jobs: 9, outbound: 9, inbound: 9 };

    #[test]
    fn the_order_of_the_plan_decides_who_gets_a_slot() {
        let items = vec![item("h1", "h2", &[], None); 3];
        let mut plan = Dispatch::new(items, Slots { jobs: 2, ..WIDE });
        assert_eq!(plan.start(), [0, 1]);
        assert_eq!(plan.start(), [] as [usize; 0]);
        plan.leave(1);
        assert_eq!(plan.start(), [2]);
    }

    #[test]
    fn a_full_destination_holds_up_only_those_that_go_there() {
        let items =
            vec![item("h1", "h2", &[], None), item("h1", "h2", &[], None), item("h1", "h3", &[], None)];
        let mut plan = Dispatch::new(items, Slots { inbound: 1, ..WIDE });
        assert_eq!(plan.start(), [0, 2]);
    }

    #[test]
    fn as_many_share_a_line_as_each_of_them_bears() {
        let sharing = |to: &str, sharers| QueuedMove { sharers, ..item("h1", to, &[], None) };
        let items = vec![
            sharing("h2", Some(2)),
            sharing("h3", None),
            sharing("h4", None),
            sharing("h5", Some(1)),
            sharing("h6", Some(0)),
        ];
        let mut plan = Dispatch::new(items, WIDE);
        let mut order = Vec::new();
        loop {
            let now = plan.start();
            let Some(first) = now.first().copied() else { break };
            assert_eq!(plan.start(), [] as [usize; 0]);
            now.iter().for_each(|place| plan.leave(*place));
            order.push((first, now.len()));
        }
        assert_eq!(order, [(0, 2), (2, 1), (3, 1), (4, 1)]);
        // Connections of other hosts do not matter.
        let elsewhere = QueuedMove { sharers: Some(1), ..item("h7", "h8", &[], None) };
        assert_eq!(Dispatch::new(vec![sharing("h2", Some(1)), elsewhere], WIDE).start(), [0, 1]);
    }

    #[test]
    fn groups_go_one_by_one_and_dependents_after_what_they_need() {
        let items = vec![
            item("h1", "h2", &[2], None),
            item("h1", "h3", &[], Some("db")),
            item("h1", "h4", &[], Some("db")),
        ];
        let mut plan = Dispatch::new(items, WIDE);
        assert_eq!(plan.start(), [1]);
        plan.leave(1);
        assert_eq!(plan.start(), [2]);
        plan.leave(2);
        assert_eq!(plan.start(), [0]);
    }

    #[test]
    fn one_that_is_tried_again_gives_its_slot_to_others() {
        let mut plan = Dispatch::new(vec![item("h1", "h2", &[], None); 2], Slots { jobs: 1, ..WIDE });
        assert_eq!(plan.start(), [0]);
        plan.pause(0);
        assert_eq!(plan.start(), [1]);
        plan.queue(0);
        assert_eq!(plan.start(), [] as [usize; 0]);
        plan.leave(1);
        assert_eq!(plan.start(), [0]);
        plan.leave(0);
        plan.queue(0);
        plan.pause(0);
        assert_eq!(plan.start(), [] as [usize; 0]);
    }

    #[test]
    fn moves_that_wait_for_each_other_never_begin_and_hold_up_no_other() {
        let items = vec![
            item("h1", "h2", &[1], None),
            item("h1", "h2", &[0], None),
            item("h1", "h2", &[9], None),
            item("h1", "h2", &[0], None),
        ];
        let mut plan = Dispatch::new(items, WIDE);
        assert_eq!(plan.start(), [2]);
        plan.leave(2);
        assert_eq!(plan.start(), [] as [usize; 0]);
    }

    #[test]
    fn what_the_end_of_a_move_costs_does_not_grow_with_the_plan() {
        let looked = |moves: usize| {
            let items = (0..moves).map(|at| item("h1", ["h2", "h3"][at % 2], &[], None)).collect();
            let mut plan = Dispatch::new(items, Slots { jobs: 3, outbound: 3, inbound: 3 });
            let mut under_way = plan.start();
            while let Some(place) = under_way.pop() {
                plan.leave(place);
                under_way.extend(plan.start());
            }
            assert!(plan.phases.iter().all(|phase| *phase == Phase::Over));
            plan.looked
        };
        assert!(looked(100) <= 4 * 100);
        assert!(looked(2000) <= 4 * 2000, "{}", looked(2000));
    }

    proptest! {
        #[test]
        fn every_plan_without_circles_comes_to_its_end(
            shape in prop::collection::vec(
                (0..3_u8, 0..3_u8, 0..4_usize, prop::option::of(0..2_u8), prop::option::of(0..3_usize)), 1..12,
            ),
            jobs in 0..4_usize, outbound in 0..3_usize, inbound in 0..3_usize, picks in prop::collection::vec(0..9_usize, 40),
        ) {
            let items: Vec<_> = shape.iter().enumerate().map(|(place, (from, to, back, group, sharers))| {
                let after: Vec<_> = place.checked_sub(*back + 1).into_iter().collect();
                let group = group.map(|group| group.to_string());
                QueuedMove { sharers: *sharers, ..item(&from.to_string(), &to.to_string(), &after, group.as_deref()) }
            }).collect();
            let mut plan = Dispatch::new(items, Slots { jobs, outbound, inbound });
            let (mut under_way, mut over) = (Vec::new(), 0);
            for pick in picks.into_iter().cycle() {
                under_way.extend(plan.start());
                prop_assert!(under_way.len() <= jobs.max(1));
                if under_way.is_empty() { break }
                plan.leave(under_way.remove(pick % under_way.len()));
                over += 1;
            }
            prop_assert_eq!(over, plan.items.len());
        }
    }
}
