//! The order in which zones are stopped.

use super::*;
use crate::model::Brand;
use crate::store::StopMethod;
use proptest::prelude::*;

fn candidate(zone: &str, stops: bool) -> Job {
    let stop = Operation::Stop { uuid: uuid::Uuid::nil(), method: StopMethod::Stop };
    Job::new(zone.parse().unwrap(), Brand::KVM, if stops { stop } else { Operation::Keep })
}

fn zone(name: &str, priority: i32, after: &[&str]) -> FleetZone {
    let after = after.iter().map(|name| name.parse().unwrap()).collect();
    FleetZone { priority, after, ..FleetZone::new(name.parse().unwrap(), "host".parse().unwrap()) }
}

fn ordered(mut candidates: Vec<Job>, zones: &[FleetZone], named: &[&str]) -> Vec<String> {
    let named: Vec<ZoneName> = named.iter().map(|name| name.parse().unwrap()).collect();
    order_stops(&mut candidates, zones.iter(), &named);
    candidates.iter().map(|one| one.zone.to_string()).collect()
}

#[test]
fn after_holds_always_then_as_named_then_by_priority_then_by_name() {
    let none: &[&str] = &[];
    let cases = [
        ([zone("app", 0, &[]), zone("db", 0, &[]), zone("web", 0, &[])], none, ["app", "db", "web"]),
        ([zone("app", 0, &[]), zone("db", -9, &[]), zone("web", 9, &[])], none, ["web", "app", "db"]),
        (
            [zone("app", 0, &["web"]), zone("db", 0, &["app", "web"]), zone("web", 0, &[])],
            none,
            ["web", "app", "db"],
        ),
        // What others wait for is stopped early, and what waits late, whatever their priorities are.
        (
            [zone("app", 5, &["web"]), zone("db", 9, &["web"]), zone("web", -9, &[])],
            none,
            ["web", "db", "app"],
        ),
        (
            [zone("app", 5, &[]), zone("db", 9, &[]), zone("web", 0, &[])],
            &["web", "app", "db"],
            ["web", "app", "db"],
        ),
        (
            [zone("app", 5, &["db"]), zone("db", 9, &[]), zone("web", 0, &[])],
            &["web", "app", "db"],
            ["web", "db", "app"],
        ),
        // A zone that does not exist, and a cycle.
        (
            [zone("app", 0, &["x"]), zone("db", 0, &["web"]), zone("web", 0, &["db"])],
            none,
            ["app", "db", "web"],
        ),
    ];
    for (zones, named, expected) in cases {
        let candidates = ["web", "db", "app"].map(|name| candidate(name, true)).to_vec();
        assert_eq!(ordered(candidates, &zones, named), expected, "{zones:?} {named:?}");
    }
}

#[test]
fn those_that_do_not_rest_stay_in_front_as_they_are() {
    let candidates =
        vec![candidate("z", false), candidate("b", true), candidate("a", false), candidate("c", true)];
    assert_eq!(ordered(candidates, &[zone("b", 0, &["c", "a"])], &[]), ["z", "a", "c", "b"]);
}

proptest! {
    #[test]
    fn nobody_is_lost_and_every_after_holds(
        shape in prop::collection::vec((-2..3_i32, prop::collection::btree_set(0..9_usize, 0..4)), 9),
        named in prop::collection::vec(0..9_usize, 0..9), rests in prop::collection::vec(any::<bool>(), 9),
    ) {
        let name = |number: usize| format!("z{number}");
        // Each zone comes only after those with lower numbers.
        let zones: Vec<_> = shape.iter().enumerate().map(|(number, (priority, after))| FleetZone {
            after: after.iter().filter(|other| **other < number).map(|other| name(*other).parse().unwrap()).collect(),
            ..zone(&name(number), *priority, &[])
        }).collect();
        let candidates: Vec<_> = (0..9).rev().map(|number| candidate(&name(number), rests[number])).collect();
        let named: Vec<_> = named.into_iter().map(name).collect();
        let order = ordered(candidates, &zones, &named.iter().map(String::as_str).collect::<Vec<_>>());
        let place = |name: &str| order.iter().position(|one| one == name);
        for (number, zone) in zones.iter().enumerate() {
            let own = place(zone.name.as_str());
            prop_assert!(own.is_some());
            for other in zone.after.iter().filter(|_| rests[number]) {
                prop_assert!(place(other.as_str()) < own, "{} after {}: {:?}", zone.name, other, order);
            }
        }
    }
}
