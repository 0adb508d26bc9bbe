//! Zones that wait for each other.

use std::collections::BTreeSet;

use sysadm_planner::plan::{
    Blocked, BlockedReason, Fleet, HostIx, Leg, Plan, Resource, Rules, ZoneIx, schedule,
};

use super::generate::{Case, GB, MB, host, ring, to, zone};
use super::{detours, plan, terms, world, wrong};

#[test]
fn in_a_ring_one_zone_steps_aside_and_comes_back() {
    for hosts in 2..7 {
        let case = ring(hosts, true);
        let plan = plan(&case, true);
        assert_eq!((wrong(&case, &plan), plan.blocked.len()), (None, 0), "{hosts} hosts");
        assert_eq!(plan.moves.len() as u32, hosts + 1, "{hosts} hosts: one detour is enough");
        let aside: Vec<_> = (0..hosts).filter_map(|zone| plan.via(ZoneIx(zone))).collect();
        assert_eq!(aside, [HostIx(hosts)], "{hosts} hosts");
    }
}

#[test]
fn a_ring_without_room_says_who_waits_for_whom() {
    let plan = plan(&ring(3, false), true);
    assert_eq!((plan.moves.len(), plan.makespan_ms, plan.lower_bound_ms), (0, 0, 0));
    for (number, blocked) in plan.blocked.iter().enumerate() {
        let waits_for = BTreeSet::from([ZoneIx((number as u32 + 1) % 3)]);
        let memory = BlockedReason::Room { resource: Resource::Memory, missing: 4 * GB, waits_for };
        assert_eq!(blocked.obstacles, [memory]);
    }
}

#[test]
fn a_host_on_which_zones_may_not_be_is_no_way_round() {
    assert_eq!(plan(&ring(3, true), false).blocked.len(), 3);
    let mut case = ring(3, true);
    case.fleet.hosts[3].maintenance = Some("root".to_owned());
    assert_eq!(plan(&case, true).blocked.len(), 3);
}

#[test]
fn zones_that_must_not_meet_go_round_each_other() {
    let mut case = ring(2, true);
    for host in &mut case.fleet.hosts {
        host.memory_free = 100 * GB;
    }
    for zone in &mut case.fleet.zones {
        zone.apart.insert("db".to_owned());
    }
    let found = plan(&case, true);
    assert_eq!((wrong(&case, &found), found.blocked.len(), found.moves.len()), (None, 0, 3));
    let stuck = plan(&case, false);
    let met =
        |zone| BlockedReason::Apart { group: "db".to_owned(), waits_for: BTreeSet::from([ZoneIx(zone)]) };
    let obstacles: Vec<_> = stuck.blocked.iter().map(|one| one.obstacles.clone()).collect();
    assert_eq!(obstacles, [[met(1)], [met(0)]]);
}

#[test]
fn two_small_zones_step_aside_where_no_host_has_room_for_the_large_one() {
    let hosts = [("h0", 0), ("h1", 0), ("s0", 4), ("s1", 4)];
    let zones = [("large", "h0", 8), ("small0", "h1", 4), ("small1", "h1", 4)];
    let case = Case {
        fleet: Fleet {
            hosts: hosts.map(|(name, free)| host(name, 8 * GB, free * GB, 100 * MB)).into(),
            zones: zones.map(|(name, at, size)| zone(name, at, size * GB)).into(),
        },
        rules: Rules::default(),
        placement: to(&[(0, 1), (1, 0), (2, 0)]),
        trunks: Vec::new(),
    };
    let plan = plan(&case, true);
    assert_eq!((wrong(&case, &plan), plan.blocked.len(), plan.moves.len()), (None, 0, 5));
    assert_eq!(plan.via(ZoneIx(0)), None);
    assert_eq!(plan.moves.iter().filter(|one| one.leg == Leg::First).count(), 2);
}

#[test]
fn many_rings_beside_each_other_are_each_opened() {
    let mut case = ring(2, true);
    case.placement.moves.clear();
    let names = |number: u32| format!("h{number}");
    case.fleet.hosts = (0..60).map(|number| host(&names(number), 4 * GB, 0, 100 * MB)).collect();
    case.fleet.zones = (0..60).map(|number| zone(&format!("z{number}"), &names(number), 4 * GB)).collect();
    case.fleet.hosts.push(host("spare", 4 * GB, 4 * GB, 100 * MB));
    case.placement = to(&(0..60).map(|number| (number, number ^ 1)).collect::<Vec<_>>());
    let plan = plan(&case, true);
    assert_eq!((wrong(&case, &plan), plan.blocked.len(), plan.moves.len()), (None, 0, 90));
}

#[test]
fn a_zone_that_must_go_together_with_one_of_a_ring_stays_with_it() {
    let mut case = ring(2, false);
    let mut mate = zone("mate", "h0", 0);
    mate.running = false;
    case.fleet.zones.push(mate);
    case.placement = to(&[(0, 1), (1, 0), (2, 1)]);
    assert_eq!(plan(&case, false).moves.len(), 1);
    case.fleet.zones[0].together.insert("app".to_owned());
    case.fleet.zones[2].together.insert("app".to_owned());
    let torn = plan(&case, false);
    assert_eq!((torn.moves.len(), torn.blocked.len()), (0, 3));
    let mate = torn.blocked.iter().find(|one| one.zone == ZoneIx(2)).unwrap();
    assert_eq!(mate.obstacles, [BlockedReason::Together(ZoneIx(0))]);
}

/// A zone without room waits for those at its destination that are left themselves, and for no others.
fn names_who_is_there(case: &Case, plan: &Plan, blocked: &Blocked) {
    let there = &case.fleet.hosts[blocked.to.0 as usize].name;
    let left = plan.blocked.iter().map(|one| one.zone);
    let at = |zone: &ZoneIx| &case.fleet.zones[zone.0 as usize];
    let left: Vec<_> = left.filter(|zone| at(zone).host == *there).collect();
    assert!(!blocked.obstacles.is_empty(), "{blocked:?}");
    for obstacle in &blocked.obstacles {
        let (waits_for, gives): (_, BTreeSet<_>) = match obstacle {
            BlockedReason::Room { resource: Resource::Disk, waits_for, .. } => {
                (waits_for, left.iter().filter(|zone| at(zone).disk > 0).copied().collect())
            }
            BlockedReason::Room { waits_for, .. } => (waits_for, left.iter().copied().collect()),
            BlockedReason::Apart { group, waits_for } => {
                (waits_for, left.iter().filter(|zone| at(zone).apart.contains(group)).copied().collect())
            }
            BlockedReason::After(_) => continue,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(*waits_for, gives, "{blocked:?}");
    }
}

#[test]
fn a_way_with_at_most_one_detour_is_always_found_and_none_where_there_is_none() {
    // By the number of detours: how often such a way was found, and how often it was not.
    let (mut found, mut missed, mut impossible) = ([0; 7], [0; 7], 0);
    for seed in 0..1500 {
        let (mut case, may) = detours::cyclic(seed);
        let may = |zone: ZoneIx, host: HostIx| may[zone.0 as usize][host.0 as usize];
        // A direct way is soon found, and how good it is does not matter here.
        let steps = std::mem::take(&mut case.rules.steps);
        let mut plan = plan(&case, false);
        if !plan.blocked.is_empty() {
            case.rules.steps = steps;
            plan = schedule(&case.fleet, &case.rules, &case.placement, &terms(&case, &may));
        }
        assert_eq!(wrong(&case, &plan), None, "seed {seed}");
        let first: Vec<_> = plan.moves.iter().filter(|one| one.leg == Leg::First).collect();
        assert!(first.iter().all(|one| may(one.zone, one.to)), "seed {seed}");
        if plan.blocked.is_empty() {
            found[first.len()] += 1;
            continue;
        }
        plan.blocked.iter().for_each(|one| names_who_is_there(&case, &plan, one));
        match detours::fewest(&world(&case), &case, &may) {
            None => impossible += 1,
            Some(few) => {
                assert!(few > 1, "seed {seed}: {few} detours are enough");
                missed[few] += 1;
            }
        }
    }
    println!("found with so many detours: {found:?}, missed: {missed:?}; {impossible} have no way");
    assert!(found[1] > 50 && impossible > 100, "{found:?}, {impossible}");
    assert!(missed.iter().sum::<u32>() * 10 <= found[2..].iter().sum(), "{missed:?} of {found:?}");
}
