//! Fleets from a seed of which hosts are emptied, with everything that a plan must respect on the way.

use sysadm_planner::plan::{Dirty, HostIx, HostKey, PlacementRequest, Rules};

use super::super::samples::{Dice, Sample, wild};

/// As [`wild`], with dependencies, one-by-one groups, priorities, slots and busy zones. One to three hosts are
/// emptied, or any zones move that the sample says; the others have about as much memory as is needed.
pub fn sample(seed: u64) -> Sample {
    let mut dice = Dice::new(seed ^ 0x5ca1e);
    let mut sample = wild(seed);
    let hosts = sample.fleet.hosts.len();
    if !dice.one_in(3) {
        let first = dice.roll(hosts as u64) as usize;
        let drained = (first..hosts.min(first + 1 + dice.roll(3) as usize))
            .map(|host| HostKey::Name(format!("h{host}")));
        let drained: Vec<_> = drained.collect();
        sample.question = PlacementRequest::drain(&sample.fleet, &drained, !dice.one_in(4));
    }
    orders(&mut dice, &mut sample);
    room(&mut dice, &mut sample);
    for host in &mut sample.fleet.hosts {
        host.cpu_features = dice.one_in(3).then(|| dice.some(&["aes", "avx2"], 2));
        host.bandwidth = (!dice.one_in(8)).then(|| 200 + dice.roll(1000));
    }
    sample.rules = Rules {
        outbound: dice.roll(4) as u32,
        inbound: dice.roll(4) as u32,
        bandwidth: dice.one_in(4).then(|| 50 + dice.roll(400)),
        steps: 2_000,
        seed,
        ..sample.rules
    };
    sample
}

/// The rules between zones, and how busy they are.
fn orders(dice: &mut Dice, sample: &mut Sample) {
    let zones = sample.fleet.zones.len() as u64;
    for at in 0..sample.fleet.zones.len() {
        let zone = &mut sample.fleet.zones[at];
        zone.cpu_features = dice.some(&["aes", "avx2"], 10);
        zone.one_by_one = dice.some(&["o", "p"], 6);
        zone.priority = if dice.one_in(4) { dice.roll(3) as i32 } else { 0 };
        if dice.one_in(6) {
            // Now and then a cycle.
            let other = if dice.one_in(5) { dice.roll(zones) } else { dice.roll(at as u64 + 1) };
            zone.after.insert(format!("z{other}").parse().unwrap());
        }
        let hot = dice.roll(20);
        zone.dirty = dice.one_in(3).then(|| Dirty { hot, hot_ms: 1 + dice.roll(200), rate: dice.roll(20) });
    }
}

/// The hosts that take zones have from half to twice of what is needed.
fn room(dice: &mut Dice, sample: &mut Sample) {
    let zones = sample.question.zones.iter().map(|zone| &sample.fleet.zones[zone.0 as usize]);
    let needed: u64 = zones.filter(|zone| zone.running).map(|zone| zone.memory).sum();
    let drained = |host: usize| sample.question.drained.contains(&HostIx(host as u32));
    let takers = (0..sample.fleet.hosts.len()).filter(|host| !drained(*host)).count().max(1) as u64;
    let tight = 60 + dice.roll(90);
    for host in &mut sample.fleet.hosts {
        host.memory_free = needed * tight / 100 / takers * (50 + dice.roll(100)) / 100;
        host.memory = host.memory_free + dice.roll(60);
        let nodes = host.numa.len().max(1) as u64;
        for node in &mut host.numa {
            node.memory_free = host.memory_free / nodes;
        }
    }
}
