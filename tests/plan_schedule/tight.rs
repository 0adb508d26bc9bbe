//! Hosts with hardly any room, from seeds.

use proptest::prelude::*;
use sysadm_planner::plan::{BlockedReason, Rules, Trip, simulate};

use super::generate::{Case, Dice, tight};
use super::world::Way;
use super::{exact, forecast, plan, terms, ways, world, wrong};

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, ..ProptestConfig::default() })]

    #[test]
    fn at_every_instant_everything_is_kept_to(seed: u64, zones in 1u64..25, slack in 0u64..8, pivot: bool, kinds in 1u64..4) {
        let mut case = tight(seed, zones, slack);
        let mut dice = Dice(seed);
        case.fleet.zones.iter_mut().for_each(|zone| zone.priority = dice.roll(kinds) as i32);
        let plan = plan(&case, pivot);
        prop_assert_eq!(wrong(&case, &plan), None);
        prop_assert!(plan.lower_bound_ms <= plan.makespan_ms);
        prop_assert!(plan.moves.iter().all(|one| one.end_ms <= plan.makespan_ms));
    }

    #[test]
    fn a_zone_that_is_left_could_not_move_when_all_others_have(seed: u64, zones in 1u64..25, slack in 0u64..3) {
        let case = tight(seed, zones, slack);
        let plan = plan(&case, false);
        let world = world(&case);
        let mut places: Vec<_> = case.fleet.zones.iter().map(|zone| world.host(&zone.host)).collect();
        plan.moves.iter().for_each(|one| places[one.zone.0 as usize] = one.to.0 as usize);
        for left in &plan.blocked {
            prop_assert!(!left.obstacles.is_empty());
            let zone = left.zone.0 as usize;
            let way = Way { zone, from: places[zone], to: left.to.0 as usize, rate: 0, start: 0, end: 1 };
            let ended = |other: usize| plan.blocked.iter().all(|left| left.zone.0 as usize != other);
            prop_assert!(!world.may_begin(zone, ended) || world.wrong(&places, &[way]).is_some());
        }
    }

    #[test]
    fn what_is_played_is_what_was_planned(seed: u64, zones in 1u64..25, slack in 0u64..8) {
        let case = tight(seed, zones, slack);
        let plan = plan(&case, true);
        let played = simulate(&case.fleet, &case.rules, &plan, &terms(&case, &|_, _| true));
        prop_assert_eq!(&played.breaches, &[]);
        let ends: Vec<_> = plan.moves.iter().map(|one| Some(one.end_ms)).collect();
        prop_assert_eq!(played.ends_ms, ends);
        prop_assert!(played.lines.values().all(|(out, into)| *out <= 1.0 + 1e-9 && *into <= 1.0 + 1e-9));
    }

    #[test]
    fn the_same_question_has_the_same_answer(seed: u64) {
        let case = tight(seed, 12, 2);
        prop_assert_eq!(plan(&case, true), plan(&case, true));
    }
}

/// All moves of a case as they would be without any obstruction.
fn free_ways(case: &Case) -> Vec<Way> {
    let way = |one: &sysadm_planner::plan::Assignment| {
        let zone = &case.fleet.zones[one.zone.0 as usize];
        let (from, to) = (world(case).host(&zone.host), one.to.0 as usize);
        let crosses = |trunk: &&sysadm_planner::plan::Trunk| {
            let behind = |host: usize| trunk.hosts.iter().any(|one| one.0 as usize == host);
            behind(from) != behind(to)
        };
        let trunks = case.trunks.iter().filter(crosses);
        let lines = [from, to].map(|host| case.fleet.hosts[host].bandwidth.unwrap());
        let rate = trunks.map(|trunk| trunk.bandwidth).chain(lines).min().unwrap();
        let method = if zone.running { sysadm_model::Method::Live } else { sysadm_model::Method::Cold };
        let hosts = &case.fleet.hosts;
        let end = forecast(&Trip { zone, method, from: &hosts[from], to: &hosts[to], rate })
            .unwrap()
            .total_ms
            .max(1);
        Way { zone: one.zone.0 as usize, from, to, rate, start: 0, end }
    };
    case.placement.moves.iter().map(way).collect()
}

#[test]
fn of_up_to_six_moves_the_schedule_is_the_shortest_that_there_is() {
    let (mut possible, mut impossible) = (0, 0);
    for seed in 0..400 {
        let mut case = tight(seed, 1 + seed % 6, seed % 5 / 2);
        case.rules.steps = 20_000;
        let plan = plan(&case, false);
        let least = exact::shortest(&world(&case), &free_ways(&case), u64::MAX);
        match least {
            Some(least) => assert_eq!((plan.blocked.len(), plan.makespan_ms), (0, least), "seed {seed}"),
            None => assert!(!plan.blocked.is_empty(), "seed {seed}: {:?}", ways(&plan)),
        }
        assert!(least.is_none_or(|least| plan.lower_bound_ms <= least), "seed {seed}");
        *if least.is_some() { &mut possible } else { &mut impossible } += 1;
    }
    assert!(possible > 200 && impossible > 20, "{possible} can be done, {impossible} cannot");
}

#[test]
fn more_steps_never_make_it_longer() {
    for seed in 0..40 {
        let mut case = tight(seed, 20, 6);
        let [few, many] = [0, 5000].map(|steps| {
            case.rules = Rules { steps, ..case.rules.clone() };
            plan(&case, false)
        });
        assert!(many.blocked.len() <= few.blocked.len(), "seed {seed}");
        if few.blocked.is_empty() {
            assert!(many.makespan_ms <= few.makespan_ms, "seed {seed}");
        }
    }
}

#[test]
fn a_zone_after_one_that_cannot_move_says_so() {
    let mut case = super::generate::ring(2, false);
    case.fleet.hosts.push(super::generate::host("h2", 8, 8 * super::generate::GB, super::generate::MB));
    let mut last = super::generate::zone("last", "h0", 0);
    last.running = false;
    last.after.insert("z0".parse().unwrap());
    case.fleet.zones.push(last);
    case.placement = super::generate::to(&[(0, 1), (1, 0), (2, 2)]);
    let plan = plan(&case, false);
    let last = plan.blocked.iter().find(|one| one.zone.0 == 2).unwrap();
    assert_eq!(last.obstacles, [BlockedReason::After(sysadm_planner::plan::ZoneIx(0))]);
}

#[test]
fn huge_pages_are_taken_and_given_back_whole() {
    use super::generate::{GB, MB, host, to, zone};
    let page = |free| vec![sysadm_planner::plan::HugePages { size: 4, free }];
    let paged = |name: &str, host: &str| sysadm_planner::plan::FleetZone {
        memory: 6,
        memory_used: 3,
        huge_page: Some(4),
        ..zone(name, host, 0)
    };
    let mut case = Case {
        fleet: sysadm_planner::plan::Fleet {
            hosts: ["a", "b"].map(|name| host(name, 9 * GB, 0, 100 * MB)).into(),
            zones: vec![paged("one", "a"), paged("other", "a")],
        },
        rules: Rules::default(),
        placement: to(&[(0, 1), (1, 1)]),
        trunks: Vec::new(),
    };
    case.fleet.hosts[1].huge_pages = page(3);
    let short = plan(&case, false);
    let missing = |one: &sysadm_planner::plan::Blocked| match one.obstacles[..] {
        [BlockedReason::Room { missing, .. }] => missing,
        _ => 0,
    };
    assert_eq!(wrong(&case, &short), None);
    assert_eq!((short.moves.len(), short.blocked.iter().map(missing).sum::<u64>()), (1, 4), "two pages each");
    // Two come for one that leaves.
    case.fleet.zones.push(paged("first", "b"));
    case.placement = to(&[(0, 1), (2, 0)]);
    case.fleet.hosts[0].huge_pages = page(2);
    case.fleet.hosts[1].huge_pages = page(0);
    let exchange = plan(&case, false);
    assert_eq!((wrong(&case, &exchange), exchange.moves.len()), (None, 2));
    let played = simulate(&case.fleet, &case.rules, &exchange, &terms(&case, &|_, _| false));
    assert_eq!(played.breaches, [], "no ordinary memory is taken");
}
