//! Placements satisfy all rules, and give the reasons if that is impossible.

use std::collections::BTreeSet;

use sysadm_planner::plan::{
    Action, Assignment, Fleet, FleetHost, FleetZone, Goal, HostIx, HugePages, NumaNode, Placement,
    PlacementRequest, Refusal, Rules, Version, ZoneIx, place,
};

use super::checker::violations;
use super::samples::{small, wild};

#[test]
fn no_placement_breaks_a_rule() {
    for seed in 0..500 {
        for sample in [wild(seed), small(seed, 12, 4)] {
            let placement = place(&sample.fleet, &sample.rules, &sample.question);
            let wrong = violations(&sample.fleet, &sample.rules, &sample.question, &placement);
            assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
        }
    }
}

#[test]
fn the_same_question_gets_the_same_answer() {
    for seed in 0..50 {
        let sample = wild(seed);
        let ask = || place(&sample.fleet, &sample.rules, &sample.question);
        assert_eq!(ask(), ask(), "seed {seed}");
    }
}

#[test]
fn no_more_steps_are_needed_to_keep_to_the_rules() {
    for seed in 0..200 {
        let mut sample = wild(seed);
        sample.rules.steps = 0;
        let placement = place(&sample.fleet, &sample.rules, &sample.question);
        let wrong = violations(&sample.fleet, &sample.rules, &sample.question, &placement);
        assert!(wrong.is_empty(), "seed {seed}: {wrong:#?}");
    }
}

/// Zones on a host that is emptied, and other hosts.
fn ask(rules: &Rules, zones: Vec<FleetZone>, hosts: Vec<FleetHost>) -> Placement {
    let old = FleetHost::new("old".parse().unwrap());
    let question = PlacementRequest {
        zones: (0..zones.len()).map(|at| ZoneIx(at as u32)).collect(),
        drained: vec![HostIx(0)],
    };
    place(&Fleet { hosts: [vec![old], hosts].concat(), zones }, rules, &question)
}

fn zone(name: &str) -> FleetZone {
    FleetZone {
        running: true,
        memory: 10,
        memory_used: 8,
        ..FleetZone::new(name.parse().unwrap(), "old".parse().unwrap())
    }
}

fn host(name: &str) -> FleetHost {
    FleetHost { memory: 100, memory_free: 100, ..FleetHost::new(name.parse().unwrap()) }
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The reasons against this zone on this host.
fn against(rules: &Rules, zone: FleetZone, host: FleetHost) -> Vec<Refusal> {
    let placement = ask(rules, vec![zone], vec![host]);
    let unplaced = &placement.unplaced[0];
    assert_eq!(unplaced.refusals[0].1.first(), Some(&Refusal::Drained), "all hosts are told");
    unplaced.refusals[1].1.clone()
}

#[test]
fn every_refusal_says_what_is_missing() {
    let rules = Rules::default();
    let all = |zone, host| against(&rules, zone, host);
    let why = "rebooting".to_owned();
    assert_eq!(
        all(zone("z"), FleetHost { maintenance: Some(why.clone()), ..host("h") }),
        [Refusal::Maintenance(why.clone())]
    );
    assert_eq!(
        all(zone("z"), FleetHost { announced: Some(why.clone()), ..host("h") }),
        [Refusal::Announced(why)]
    );
    assert_eq!(
        all(
            FleetZone { arch: "x86_64".to_owned(), ..zone("z") },
            FleetHost { arch: "aarch64".to_owned(), ..host("h") }
        ),
        [Refusal::Architecture("aarch64".to_owned())]
    );
    assert_eq!(
        all(
            FleetZone { cpu_features: words(&["avx2", "aes"]), ..zone("z") },
            FleetHost { cpu_features: Some(words(&["aes"])), ..host("h") }
        ),
        [Refusal::CpuFeatures(vec!["avx2".to_owned()])]
    );
    assert_eq!(
        all(
            FleetZone { networks: words(&["blue"]), storage: words(&["san"]), ..zone("z") },
            FleetHost { networks: Some(words(&[])), storage: Some(words(&["nas"])), ..host("h") }
        ),
        [Refusal::Networks(vec!["blue".to_owned()]), Refusal::Storage(vec!["san".to_owned()])]
    );
    let map = r#"{ "blue": "red", "lan": "office", "green": "teal" }"#;
    let calls_otherwise = FleetHost {
        networks: Some(words(&["blue", "teal"])),
        net_map: serde_json::from_str(map).unwrap(),
        ..host("h")
    };
    let needs = words(&["blue", "green", "network:lan", "white"]);
    let mapped = |there: &str, here: &str| Refusal::MappedNetwork(there.to_owned(), here.to_owned());
    assert_eq!(
        all(FleetZone { networks: needs, ..zone("z") }, calls_otherwise),
        [
            Refusal::Networks(vec!["white".to_owned()]),
            mapped("red", "blue"),
            mapped("network:office", "network:lan")
        ]
    );
    assert_eq!(
        all(
            FleetZone { hypervisor: Some(Version(9, 0, 0)), ..zone("z") },
            FleetHost { hypervisor: Some(Version(8, 2, 0)), ..host("h") }
        ),
        [Refusal::Hypervisor(Version(8, 2, 0))]
    );
    assert_eq!(
        all(FleetZone { targets: Some(vec!["x".parse().unwrap()]), ..zone("z") }, host("h")),
        [Refusal::NotATarget]
    );
    assert_eq!(all(FleetZone { memory: 103, ..zone("z") }, host("h")), [Refusal::Memory(3)]);
    assert_eq!(
        all(FleetZone { disk: 7, ..zone("z") }, FleetHost { disk_free: 5, ..host("h") }),
        [Refusal::Disk(2)]
    );
    assert_eq!(all(FleetZone { huge_page: Some(4), ..zone("z") }, host("h")), [Refusal::HugePages(12)]);
    let pages = vec![HugePages { size: 4, free: 1 }];
    assert_eq!(
        all(FleetZone { huge_page: Some(4), ..zone("z") }, FleetHost { huge_pages: pages, ..host("h") }),
        [Refusal::HugePages(8)]
    );
    let no_live = true;
    assert_eq!(all(FleetZone { no_live, ..zone("z") }, host("h")), [Refusal::NotLive]);
    assert_eq!(
        all(FleetZone { no_live, running: false, memory: 103, disk: 1, ..zone("z") }, host("h")),
        [Refusal::Disk(1)]
    );
    let node = NumaNode { memory: 50, memory_free: 6, cpus: 1 };
    assert_eq!(
        all(
            FleetZone { one_node: true, ..zone("z") },
            FleetHost { numa: vec![node.clone(), node], ..host("h") }
        ),
        [Refusal::Node(4)]
    );
}

#[test]
fn the_rules_limit_what_a_host_takes() {
    let full = |rules: &Rules| {
        against(rules, FleetZone { cpus: 5, ..zone("z") }, FleetHost { cpus: 2, ..host("h") })
    };
    assert_eq!(full(&Rules { headroom: 0.95, ..Rules::default() }), [Refusal::Memory(5)]);
    assert_eq!(full(&Rules { cpu_ratio: Some(2.0), ..Rules::default() }), [Refusal::Cpus(1)]);
    assert_eq!(full(&Rules { max_zones: Some(0), ..Rules::default() }), [Refusal::MaxZones(0)]);
}

#[test]
fn what_is_not_known_restricts_nothing() {
    let picky = FleetZone {
        arch: "x86_64".to_owned(),
        cpu_features: words(&["avx2"]),
        networks: words(&["blue"]),
        storage: words(&["san"]),
        hypervisor: Some(Version(9, 0, 0)),
        one_node: true,
        cpus: 500,
        ..zone("z")
    };
    let placement = ask(&Rules { cpu_ratio: Some(1.0), ..Rules::default() }, vec![picky], vec![host("h")]);
    assert_eq!(placement.moves.len(), 1);
}

#[test]
fn zones_that_do_not_run_need_no_memory() {
    let placement =
        ask(&Rules::default(), vec![FleetZone { running: false, memory: 500, ..zone("z") }], vec![host("h")]);
    assert_eq!(placement.moves.len(), 1);
}

#[test]
fn zones_that_are_not_to_move_are_no_part_of_the_answer() {
    let zones =
        [Action::Stop, Action::Suspend, Action::Leave].map(|action| FleetZone { action, ..zone("z") });
    assert_eq!(ask(&Rules::default(), zones.to_vec(), vec![host("h")]), Placement::default());
}

#[test]
fn zones_are_kept_apart_and_the_reason_names_the_other_one() {
    let zones = ["a", "b", "c"].map(|name| FleetZone { apart: words(&["web"]), ..zone(name) });
    let placement = ask(&Rules::default(), zones.to_vec(), vec![host("h1"), host("h2")]);
    assert_eq!((placement.moves.len(), placement.unplaced.len()), (2, 1));
    for (_, why) in &placement.unplaced[0].refusals[1..] {
        assert!(matches!(&why[..], [Refusal::Apart(group, _)] if group == "web"), "{why:?}");
    }
}

#[test]
fn a_zone_that_waits_for_one_that_is_left_keeps_no_room_from_others() {
    let after = |name: &str, other: &str| FleetZone {
        after: [other.parse().unwrap()].into(),
        memory: 60,
        ..zone(name)
    };
    let large = FleetZone { memory: 500, ..zone("large") };
    let zones = vec![large, after("late", "large"), FleetZone { memory: 50, ..zone("small") }];
    let placement = ask(&Rules::default(), zones, vec![host("h")]);
    assert_eq!(placement.moves, [Assignment { zone: ZoneIx(2), to: HostIx(1) }]);
    let late = &placement.unplaced[1].refusals[1].1;
    assert_eq!(*late, [Refusal::Memory(10), Refusal::After("large".parse().unwrap())]);
    // Nor does one in a cycle.
    let zones = vec![after("a", "b"), after("b", "a"), after("c", "elsewhere")];
    let placement = ask(&Rules::default(), zones, vec![host("h")]);
    assert_eq!(placement.moves, [Assignment { zone: ZoneIx(2), to: HostIx(1) }]);
    let zones = vec![after("b", "a"), FleetZone { memory: 40, ..zone("a") }];
    assert_eq!(ask(&Rules::default(), zones, vec![host("h")]).moves.len(), 2);
}

#[test]
fn a_container_that_cannot_move_live_keeps_no_room_from_others() {
    let container = FleetZone { no_live: true, memory: 90, ..zone("box") };
    let zones = vec![container, FleetZone { memory: 50, ..zone("small") }];
    let placement = ask(&Rules::default(), zones, vec![host("h")]);
    assert_eq!(placement.moves, [Assignment { zone: ZoneIx(1), to: HostIx(1) }]);
    assert!(placement.unplaced[0].refusals[1].1.contains(&Refusal::NotLive));
}

#[test]
fn zones_go_together_or_not_at_all() {
    let zones = ["a", "b"].map(|name| FleetZone { together: words(&["app"]), memory: 60, ..zone(name) });
    let placement = ask(&Rules::default(), zones.to_vec(), vec![host("h1"), host("h2")]);
    assert_eq!((placement.moves.len(), placement.unplaced.len()), (0, 2));
    assert_eq!(
        placement.unplaced[0].refusals[1].1,
        [Refusal::Together("app".to_owned(), "b".parse().unwrap())]
    );
    let large = FleetHost { memory: 200, memory_free: 120, ..host("large") };
    let placement = ask(&Rules::default(), zones.to_vec(), vec![host("h1"), large]);
    assert!(placement.moves.iter().all(|step| step.to == HostIx(2)) && placement.moves.len() == 2);
}

#[test]
fn two_zones_can_change_places() {
    let at = |name: &str, on: &str| FleetZone {
        host: on.parse().unwrap(),
        memory: 90,
        memory_used: 90,
        ..zone(name)
    };
    let full = |name: &str| FleetHost { memory_free: 10, ..host(name) };
    let fleet = Fleet { hosts: vec![full("h1"), full("h2")], zones: vec![at("a", "h1"), at("b", "h2")] };
    let both = PlacementRequest { zones: vec![ZoneIx(0), ZoneIx(1)], drained: Vec::new() };
    assert_eq!(place(&fleet, &Rules::default(), &both).moves.len(), 2);
    let one = PlacementRequest { zones: vec![ZoneIx(0)], drained: Vec::new() };
    let placement = place(&fleet, &Rules::default(), &one);
    assert_eq!(
        placement.unplaced[0].refusals,
        [(HostIx(0), vec![Refusal::Home]), (HostIx(1), vec![Refusal::Memory(80)]),]
    );
}

#[test]
fn a_pinned_zone_goes_to_the_first_target_that_takes_it() {
    let targets = Some(vec!["h2".parse().unwrap(), "h1".parse().unwrap()]);
    let zones = ["a", "b"].map(|name| FleetZone { targets: targets.clone(), memory: 60, ..zone(name) });
    let rules = Rules { goal: Goal::Pinned, ..Rules::default() };
    let one = ask(&rules, zones[..1].to_vec(), vec![host("h1"), host("h2")]);
    assert_eq!(one.moves[0].to, HostIx(2));
    let mut both: Vec<_> =
        ask(&rules, zones.to_vec(), vec![host("h1"), host("h2")]).moves.iter().map(|m| m.to.0).collect();
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
}
