//! Packing compared with a known optimum: hosts that were filled to the last byte, and emptied again.

use sysadm_planner::plan::{
    Fleet, FleetHost, FleetZone, Goal, HostIx, PlacementRequest, Rules, ZoneIx, place,
};

use super::samples::Dice;

const GIB: u64 = 1 << 30;

/// So many full hosts, divided into zones; there are as many hosts again to choose from.
fn cut(seed: u64, full: u64) -> (Fleet, PlacementRequest) {
    let mut dice = Dice::new(seed);
    let size = (48 + dice.roll(80)) * GIB;
    let mut fleet = Fleet::default();
    for at in 0..=2 * full {
        let host = FleetHost {
            memory: size,
            memory_free: size,
            ..FleetHost::new(format!("h{at}").parse().unwrap())
        };
        fleet.hosts.push(host);
    }
    for _ in 0..full {
        let mut left = size;
        while left > 0 {
            let memory = ((1 + dice.roll(24)) * GIB).min(left);
            left -= memory;
            let name = format!("z{}", fleet.zones.len());
            let zone = FleetZone {
                running: true,
                memory,
                memory_used: memory,
                ..FleetZone::new(name.parse().unwrap(), "h0".parse().unwrap())
            };
            fleet.zones.push(zone);
        }
    }
    let zones = (0..fleet.zones.len()).map(|at| ZoneIx(at as u32)).collect();
    (fleet, PlacementRequest { zones, drained: vec![HostIx(0)] })
}

#[test]
fn packing_takes_at_most_one_host_in_a_hundred_more_than_needed() {
    let (mut most, mut taken) = (0, 0);
    for seed in 0..5 {
        let (fleet, question) = cut(seed, 100);
        let rules = Rules { goal: Goal::Pack, ..Rules::default() };
        let placement = place(&fleet, &rules, &question);
        assert_eq!(placement.unplaced, []);
        let mut hosts: Vec<_> = placement.moves.iter().map(|step| step.to).collect();
        hosts.sort_unstable();
        hosts.dedup();
        most = most.max(hosts.len());
        taken += hosts.len();
    }
    println!("{taken} hosts for 500 that were full, {most} for 100 at most");
    assert!(most <= 101, "{most} hosts for what fills 100");
}
