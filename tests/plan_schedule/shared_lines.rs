//! The bandwidth of moves, and how they would slow each other down.

use sysadm_planner::plan::{
    BlockedReason, Breach, Costs, Dirty, Fleet, HostIx, NeverConverges, Plan, Rules, Terms, ZoneIx, schedule,
    simulate,
};

use super::generate::{Case, GB, MB, host, to, zone};
use super::{forecast, plan, terms, wrong};

/// So many zones of 4 GB from one host to another with a connection of 100 MB/s each; each writes so many bytes
/// per second, to the same part again every 20 s.
fn two_hosts(zones: u32, dirty: u64) -> Case {
    let mut fleet = Fleet {
        hosts: vec![host("a", 99 * GB, 0, 100 * MB), host("b", 99 * GB, 99 * GB, 100 * MB)],
        zones: (0..zones).map(|number| zone(&format!("z{number}"), "a", 4 * GB)).collect(),
    };
    for zone in &mut fleet.zones {
        zone.dirty = Some(Dirty { hot: 20 * dirty, hot_ms: 20_000, rate: 0 });
    }
    let moves: Vec<_> = (0..zones).map(|number| (number, 1)).collect();
    Case { fleet, rules: Rules::default(), placement: to(&moves), trunks: Vec::new() }
}

/// The same moves, all begun at once, each as fast as possible.
fn at_once(plan: &Plan) -> Plan {
    let mut plan = plan.clone();
    plan.moves.iter_mut().for_each(|one| one.start_ms = 0);
    plan
}

#[test]
fn one_after_the_other_is_faster_than_two_that_share_a_line() {
    let case = two_hosts(2, 40 * MB);
    let plan = plan(&case, false);
    let any = |_, _| true;
    let play = |plan: &Plan| simulate(&case.fleet, &case.rules, plan, &terms(&case, &any));
    let (row, heap) = (play(&plan), play(&at_once(&plan)));
    assert_eq!((row.makespan_ms, row.breaches.len()), (plan.makespan_ms, 0));
    assert!(heap.makespan_ms > row.makespan_ms * 5 / 4, "{} against {}", heap.makespan_ms, row.makespan_ms);
}

#[test]
fn two_that_share_a_line_may_both_never_end() {
    let case = two_hosts(2, 60 * MB);
    let plan = plan(&case, false);
    assert_eq!((plan.blocked.len(), plan.moves.len()), (0, 2));
    let heap = simulate(&case.fleet, &case.rules, &at_once(&plan), &terms(&case, &|_, _| true));
    assert_eq!(heap.ends_ms, [None, None]);
    let stand_still: Vec<_> =
        [0, 1].map(|zone| Breach::NeverConverges { at_ms: 0, zone: ZoneIx(zone) }).into();
    assert_eq!(heap.breaches, stand_still);
}

#[test]
fn a_zone_that_never_arrives_live_is_not_sent() {
    let plan = plan(&two_hosts(1, 150 * MB), false);
    assert_eq!(plan.moves, []);
    assert_eq!(
        plan.blocked[0].obstacles,
        [BlockedReason::NeverConverges(NeverConverges { dirty: 150 * MB, rate: 100 * MB })]
    );
}

#[test]
fn a_stream_that_cannot_fill_the_line_gets_company() {
    let case = two_hosts(6, 0);
    let with = |stream| {
        let terms = Terms { stream, ..terms(&case, &|_, _| false) };
        schedule(&case.fleet, &case.rules, &case.placement, &terms)
    };
    let (alone, few) = (with(None), with(Some(40 * MB)));
    assert!(alone.moves.iter().all(|one| one.rate == 100 * MB));
    assert_eq!(few.moves.iter().filter(|one| one.start_ms == 0).count(), 3);
    assert!(few.moves.iter().all(|one| one.rate == 100 * MB / 3));
    assert!(few.makespan_ms < alone.makespan_ms * 101 / 100);
}

#[test]
fn the_rules_bandwidth_is_the_most_that_a_move_gets() {
    let mut case = two_hosts(6, 0);
    case.rules.bandwidth = Some(20 * MB);
    case.rules.outbound = 2;
    let plan = plan(&case, false);
    assert!(plan.moves.iter().all(|one| one.rate == 20 * MB));
    assert_eq!((wrong(&case, &plan), plan.makespan_ms), (None, 3 * (4 * GB / (20 * MB)) * 1000));
}

#[test]
fn what_a_line_carries_anyway_is_left_to_it() {
    let mut case = two_hosts(1, 0);
    case.fleet.hosts[0].network_load = 40 * MB;
    assert_eq!(plan(&case, false).moves[0].rate, 60 * MB);
    case.fleet.hosts[0].network_load = 200 * MB;
    assert_eq!(plan(&case, false).moves[0].rate, 10 * MB);
}

#[test]
fn higher_priorities_go_first() {
    let mut case = two_hosts(5, 0);
    case.fleet.zones[3].priority = 2;
    case.fleet.zones[4].priority = 1;
    let order: Vec<_> = plan(&case, false).moves.iter().map(|one| one.zone.0).collect();
    assert_eq!(order[..2], [3, 4]);
}

#[test]
fn nothing_arrives_before_its_host_is_there() {
    let case = two_hosts(3, 0);
    let terms = Terms { ready: [(HostIx(1), 120_000)].into(), ..terms(&case, &|_, _| false) };
    let plan = schedule(&case.fleet, &case.rules, &case.placement, &terms);
    assert_eq!(plan.moves[0].start_ms, 120_000);
    assert_eq!((plan.lower_bound_ms, plan.makespan_ms), (240_000, 240_000));
}

#[test]
fn moves_that_share_a_switch_share_what_it_carries() {
    let mut case = two_hosts(2, 0);
    case.fleet.hosts.extend([host("c", 99 * GB, 99 * GB, 100 * MB), host("d", 99 * GB, 0, 100 * MB)]);
    case.fleet.zones[1].host = "d".parse().unwrap();
    case.placement = to(&[(0, 1), (1, 2)]);
    let with = |switch| {
        let terms = Terms { switch, ..terms(&case, &|_, _| false) };
        schedule(&case.fleet, &case.rules, &case.placement, &terms).makespan_ms
    };
    assert_eq!((with(None), with(Some(200 * MB)), with(Some(150 * MB))), (40_000, 40_000, 80_000));
}

#[test]
fn a_plan_that_is_not_kept_to_is_seen_through() {
    let mut case = two_hosts(3, 0);
    case.fleet.hosts[1].memory_free = 6 * GB;
    case.fleet.hosts[1].memory = 10 * GB;
    case.rules.inbound = 2;
    case.fleet.zones[1].after.insert("z0".parse().unwrap());
    case.fleet.zones[2].one_by_one.insert("o".to_owned());
    case.fleet.zones[1].one_by_one.insert("o".to_owned());
    let mut roomy = two_hosts(3, 0);
    roomy.rules.inbound = 3;
    let careless = at_once(&plan(&roomy, false));
    let played = simulate(&case.fleet, &case.rules, &careless, &terms(&case, &|_, _| true));
    let (b, z) = (HostIx(1), ZoneIx);
    assert_eq!(
        played.breaches,
        [
            Breach::Memory { at_ms: 0, host: b, missing: 2 * GB },
            Breach::After { at_ms: 0, zones: (z(1), z(0)) },
            Breach::Memory { at_ms: 0, host: b, missing: 6 * GB },
            Breach::Slots { at_ms: 0, host: b },
            Breach::OneByOne { at_ms: 0, zones: (z(2), z(1)) },
        ]
    );
}

#[test]
fn the_margin_grows_with_what_is_not_known() {
    let case = two_hosts(4, 0);
    let late = |trip: &sysadm_planner::plan::Trip<'_>| {
        forecast(trip).map(|all| sysadm_planner::plan::Forecast { late_ms: all.total_ms + 3000, ..all })
    };
    let terms = Terms { forecast: &late, ..terms(&case, &|_, _| false) };
    let unsure = schedule(&case.fleet, &case.rules, &case.placement, &terms);
    assert_eq!((plan(&case, false).margin_ms, unsure.margin_ms), (0, 6000), "four times 3 s, as squares");
}

#[test]
fn a_restart_is_down_for_as_long_as_it_moves() {
    let mut case = two_hosts(1, 0);
    case.fleet.zones[0].action = sysadm_planner::plan::Action::Restart;
    let plan = plan(&case, false);
    let costs = Costs::default();
    assert_eq!(plan.moves[0].downtime_ms, costs.shutdown_ms + costs.boot_ms);
}
