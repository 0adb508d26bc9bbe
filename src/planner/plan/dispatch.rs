//! Which moves may begin now: a plan's order, kept while things take as long as they really take.
//!
//! ```text
//!   waiting ──begin──► under way ──leave──► over
//!      ▲                   │
//!    queue               pause       (it is tried again after a while)
//!      └────── paused ◄────┘
//! ```
//!
//! A move begins when a slot is free at both hosts, what must come before it is over, no other of a group that
//! goes one by one is under way, and all that are on the same line can share it (see [`super::forecast::sharers`]). Of those that could begin, the one that is earlier in the plan does; one that cannot
//! begin yet holds up nothing but what waits for it.

use std::collections::{BTreeMap, BTreeSet};

use super::HostKey;

/// One move of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMove {
    /// The host that it leaves.
    pub from: HostKey,
    /// The host at which it arrives.
    pub to: HostKey,
    /// The moves that must be over before, by their places in the plan.
    pub after: BTreeSet<usize>,
    /// Groups of which only one is under way at a time.
    pub one_by_one: BTreeSet<String>,
    /// How many moves may be on the lines of its two hosts while it is, itself among them; none: any number.
    pub sharers: Option<usize>,
}

impl QueuedMove {
    /// A move that waits for no other.
    pub const fn new(from: HostKey, to: HostKey) -> Self {
        Self { from, to, after: BTreeSet::new(), one_by_one: BTreeSet::new(), sharers: None }
    }
}

/// How many may be under way at once. Zero counts as one: a plan always goes on.
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

/// The state of a plan that is carried out. Items are named by their places in it.
///
/// What the end of a move costs does not grow with the plan: who may begin next is looked for among the few that wait
/// for nothing but room, and only as long as there is a slot.
#[derive(Clone, Debug)]
pub struct Dispatch {
    items: Vec<QueuedMove>,
    slots: Slots,
    phases: Vec<Phase>,
    /// How many moves that must be over before are not, for each.
    before: Vec<usize>,
    /// The moves that come after each.
    behind: Vec<Vec<usize>>,
    /// Those that wait, and for no other move.
    ready: BTreeSet<usize>,
    under_way: BTreeSet<usize>,
    /// How many items were looked at in all.
    #[cfg(test)]
    looked: usize,
}

/// What is taken now.
#[derive(Default)]
struct Taken<'a> {
    jobs: usize,
    outbound: BTreeMap<&'a HostKey, HostQueue>,
    inbound: BTreeMap<&'a HostKey, HostQueue>,
    groups: BTreeSet<&'a str>,
}

/// One host's line, one way.
#[derive(Clone, Copy, Default)]
struct HostQueue {
    moves: usize,
    /// So many are borne by all that are on it.
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

    /// Begins all moves that may begin now, and gives them in the order of the plan.
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

    /// A move that was under way is tried again later. What comes after it waits; its slot is free.
    pub fn pause(&mut self, place: usize) {
        if self.phase(place) == Phase::UnderWay {
            self.put(place, Phase::Paused);
        }
    }

    /// It waits for its turn again.
    pub fn queue(&mut self, place: usize) {
        if self.phase(place) == Phase::Paused {
            self.put(place, Phase::Waiting);
        }
    }

    /// The phase of a move; one that is not in the plan is over.
    fn phase(&self, place: usize) -> Phase {
        self.phases.get(place).copied().unwrap_or(Phase::Over)
    }

    /// Sets a phase, and whether the move is ready or under way by it.
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
        // Other lines are none of their business.
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
