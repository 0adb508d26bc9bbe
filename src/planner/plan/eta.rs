//! What is left of a plan that is being carried out: the remaining time, and the estimate of each zone. Pure.

use std::collections::BTreeMap;

use super::{BuiltPlan, PlannedMove, ZoneIx};
use crate::model::{Method, ZoneName};

/// The estimate of a zone's move. Times in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MoveEta {
    /// From now until it begins.
    pub start_ms: u64,
    /// From its begin to its end.
    pub duration_ms: u64,
    /// The zone's downtime; none if it does not run.
    pub downtime_ms: Option<u64>,
}

/// How fast a plan progresses. The rest is expected to be as much slower than planned as what is over was.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pace {
    /// The plan's time that is over, in ms.
    over: u64,
    /// Real time divided by planned time.
    slower: f64,
}

impl Pace {
    /// Converts ms of the plan to real ms.
    fn really(self, ms: u64) -> u64 {
        (ms as f64 * self.slower).round() as u64
    }

    /// From now to that time of the plan, in ms.
    fn until(self, ms: u64) -> u64 {
        self.really(ms.saturating_sub(self.over))
    }
}

impl BuiltPlan {
    fn is_over(&self, zone: ZoneIx, ended: &[&ZoneName]) -> bool {
        self.zone(zone).is_some_and(|zone| ended.contains(&&zone.name))
    }

    fn pace(&self, ended: &[&ZoneName], elapsed: u64) -> Pace {
        let (over, left): (Vec<&PlannedMove>, Vec<_>) =
            self.plan.moves.iter().partition(|one| self.is_over(one.zone, ended));
        let over = over.iter().map(|one| one.end_ms).max().unwrap_or(0);
        /// The time that is over must be at least this, in ms, to say anything about the pace.
        const LITTLE: u64 = 1000;
        // A move that ended early does not mean that the others have ended.
        match left.iter().map(|one| one.end_ms).fold(over, u64::min) {
            0..LITTLE => Pace { over: elapsed, slower: 1.0 },
            over => Pace { over, slower: (elapsed as f64 / over as f64).clamp(0.2, 20.0) },
        }
    }

    /// How many milliseconds are left until the last move ends, and by how many it may be later, when `elapsed`
    /// ms have passed and these zones have moved.
    pub fn remaining(&self, ended: &[&ZoneName], elapsed: u64) -> (u64, u64) {
        let pace = self.pace(ended, elapsed);
        let left = self.plan.moves.iter().filter(|one| !self.is_over(one.zone, ended));
        let Some(end) = left.map(|one| one.end_ms).max() else { return (0, 0) };
        let left = pace.until(end);
        let share = (left as f64 / self.plan.makespan_ms.max(1) as f64).min(1.0);
        (left, (pace.really(self.plan.margin_ms) as f64 * share).round() as u64)
    }

    /// The estimates of zones by name, of everything that has not begun when `elapsed` ms have passed and these
    /// zones have moved.
    pub fn etas(&self, ended: &[&ZoneName], elapsed: u64) -> BTreeMap<&ZoneName, MoveEta> {
        let pace = self.pace(ended, elapsed);
        let mut found = BTreeMap::<&ZoneName, MoveEta>::new();
        for one in &self.plan.moves {
            let Some(zone) = self.zone(one.zone) else { continue };
            let eta = MoveEta {
                start_ms: pace.until(one.start_ms),
                duration_ms: pace.really(one.end_ms.saturating_sub(one.start_ms)),
                downtime_ms: downtime(one),
            };
            // The two legs of a detour are one move.
            found
                .entry(&zone.name)
                .and_modify(|known| {
                    known.start_ms = known.start_ms.min(eta.start_ms);
                    known.duration_ms = known.duration_ms.saturating_add(eta.duration_ms);
                    known.downtime_ms =
                        known.downtime_ms.zip(eta.downtime_ms).map(|(a, b)| a.saturating_add(b));
                })
                .or_insert(eta);
        }
        found
    }
}

const fn downtime(one: &PlannedMove) -> Option<u64> {
    match one.method {
        Method::Live | Method::Restart => Some(one.downtime_ms),
        Method::Cold => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::ZoneName;
    use crate::plan::{BuiltPlan, Fleet, FleetHost, FleetZone, History, PlacementRequest, Rules, build};

    /// Four zones that leave one after another: a, b, c, d.
    fn built() -> BuiltPlan {
        let host = |name: &str| FleetHost {
            memory: 64 << 30,
            memory_free: 32 << 30,
            bandwidth: Some(100_000_000),
            ..FleetHost::new(name.parse().unwrap())
        };
        let zone = |name: &str| FleetZone {
            running: name != "d",
            memory: 1_000_000_000,
            memory_used: 1_000_000_000,
            ..FleetZone::new(name.parse().unwrap(), "h1".parse().unwrap())
        };
        let fleet =
            Fleet { hosts: vec![host("h1"), host("h2")], zones: ["a", "b", "c", "d"].map(zone).to_vec() };
        let question = PlacementRequest::drain(&fleet, &["h1".parse().unwrap()], true);
        build(fleet, Rules { outbound: 1, ..Rules::default() }, &question, &History::default())
    }

    fn named(name: &str) -> ZoneName {
        name.parse().unwrap()
    }

    /// The first zone of the plan and its end, and the second one.
    fn first_two(built: &BuiltPlan) -> (&ZoneName, u64, &ZoneName) {
        let mut running = built.plan.moves.iter().filter(|one| one.end_ms > one.start_ms);
        let (first, second) = (running.next().unwrap(), running.next().unwrap());
        assert!(second.start_ms >= first.end_ms);
        (&built.zone(first.zone).unwrap().name, first.end_ms, &built.zone(second.zone).unwrap().name)
    }

    #[test]
    fn what_is_left_is_expected_to_be_as_slow_as_what_is_over() {
        let built = built();
        let all = built.plan.makespan_ms;
        assert_eq!(built.remaining(&[], 0).0, all);
        assert_eq!(built.remaining(&[], 1000).0, all - 1000);
        let (name, end, _) = first_two(&built);
        assert_eq!(built.remaining(&[name], end).0, all - end);
        let late = built.remaining(&[name], end * 3).0;
        assert!(late.abs_diff((all - end) * 3) <= 1, "{late}");
        assert_eq!(built.remaining(&["a", "b", "c", "d"].map(named).each_ref(), 9).0, 0);
    }

    #[test]
    fn the_last_zone_of_a_plan_that_moves_first_does_not_make_the_others_done() {
        let built = built();
        let last = built.plan.moves.iter().max_by_key(|one| one.end_ms).unwrap();
        let name = &built.zone(last.zone).unwrap().name;
        let (left, _) = built.remaining(&[name], 10_000);
        assert!(left >= 10_000, "{left}");
    }

    #[test]
    fn a_zone_that_waits_is_expected_later_after_moves_that_were_slower_than_planned() {
        let built = built();
        let (first, end, second) = first_two(&built);
        let planned = built.etas(&[], 0)[second];
        let one = built.plan.moves.iter().find(|one| built.zone(one.zone).unwrap().name == *second).unwrap();
        assert_eq!((planned.start_ms, planned.duration_ms), (end, one.end_ms - one.start_ms));
        assert_eq!(planned.downtime_ms, Some(one.downtime_ms));
        // (zones that are over, ms that have passed, from now until it begins, how long it takes)
        let half = planned.duration_ms / 2;
        for (ended, elapsed, start, duration) in [
            (&[][..], end - 10, 10, planned.duration_ms),
            (&[], end + 10, 0, planned.duration_ms),
            (&[first], end, 0, planned.duration_ms),
            (&[first], end * 3, 0, planned.duration_ms * 3),
            (&[first], end / 2, 0, half),
        ] {
            let eta = built.etas(ended, elapsed)[second];
            assert_eq!(eta.start_ms, start, "{ended:?} {elapsed}");
            assert!(eta.duration_ms.abs_diff(duration) <= 1, "{ended:?} {elapsed}: {eta:?}");
        }
        let last = built.plan.moves.iter().max_by_key(|one| one.start_ms).unwrap();
        let last = (&built.zone(last.zone).unwrap().name, last.start_ms);
        let late = built.etas(&[first], end * 3)[last.0];
        assert!(late.start_ms.abs_diff((last.1 - end) * 3) <= 1, "{late:?}");
    }

    #[test]
    fn a_zone_that_does_not_run_takes_a_moment_and_has_no_downtime() {
        let eta = built().etas(&[], 0)[&named("d")];
        assert_eq!((eta.duration_ms, eta.downtime_ms), (1000, None));
    }
}
