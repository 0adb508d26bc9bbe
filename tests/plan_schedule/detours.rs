//! Whether a way exists at all: all places that zones can reach, one move after the other, are searched.

use std::collections::{BTreeSet, HashSet};

use super::generate::{Case, Dice, GB, MB, host, to, zone};
use sysadm_planner::plan::{HostIx, ZoneIx};

use super::world::{Way, World};

/// Which zone may be on which host for a while.
pub type Aside = Vec<Vec<bool>>;

/// Up to six zones on up to four hosts that have hardly more than they need: most wait for each other.
pub fn cyclic(seed: u64) -> (Case, Aside) {
    let mut dice = Dice(seed);
    let (hosts, zones) = (2 + dice.roll(3), 2 + dice.roll(5));
    // So many hosts exchange zones, the others do not take part.
    let ring = 2 + dice.roll(hosts - 1);
    let mut moves = Vec::new();
    let mut case = Case {
        fleet: sysadm_planner::plan::Fleet::default(),
        rules: sysadm_planner::plan::Rules { steps: 2000, seed, ..Default::default() },
        placement: to(&[]),
        trunks: Vec::new(),
    };
    let (mut before, mut after) = (vec![0; hosts as usize], vec![0; hosts as usize]);
    for number in 0..zones {
        let home = dice.roll(ring);
        let mut one = zone(&format!("z{number}"), &format!("h{home}"), (1 + dice.roll(3)) * GB);
        let stays = dice.once_in(12);
        let end = if stays { home } else { (home + 1 + dice.roll(ring - 1)) % ring };
        if !stays {
            moves.push((number as u32, end as u32));
        }
        before[home as usize] += one.memory;
        after[end as usize] += one.memory;
        if dice.once_in(8) {
            one.apart.insert(format!("a{}", dice.roll(2)));
        }
        if dice.once_in(12) && number > 0 {
            one.after.insert(format!("z{}", dice.roll(number)).parse().expect("a name"));
        }
        one.disk = dice.roll(6) / 5 * GB;
        case.fleet.zones.push(one);
    }
    for number in 0..hosts as usize {
        let spare = if number as u64 >= ring || dice.once_in(8) { dice.roll(4) * GB } else { 0 };
        let most = before[number].max(after[number]) + spare;
        let mut one = host(&format!("h{number}"), most, most - before[number], 100 * MB);
        one.disk_free = (1 + dice.roll(3)) * GB;
        one.maintenance = dice.once_in(12).then(|| "root".to_owned());
        case.fleet.hosts.push(one);
    }
    case.rules.max_zones = dice.once_in(6).then_some(zones as u32 / 2 + 1);
    case.placement = to(&moves);
    let aside = (0..zones).map(|_| (0..hosts).map(|_| !dice.once_in(4)).collect()).collect();
    (case, aside)
}

/// The minimum number of detours so that all zones get where they are to go, if that is possible.
pub fn fewest(world: &World<'_>, case: &Case, may: &dyn Fn(ZoneIx, HostIx) -> bool) -> Option<usize> {
    let arrives = |most: usize| {
        let mut search = Search { world, case, may, most, seen: HashSet::new() };
        let places = world.fleet.zones.iter().map(|zone| world.host(&zone.host)).collect();
        search.arrives(places, BTreeSet::new())
    };
    let all = case.placement.moves.len();
    arrives(all).then(|| (0..all).find(|&most| arrives(most)).unwrap_or(all))
}

struct Search<'a> {
    world: &'a World<'a>,
    case: &'a Case,
    may: &'a dyn Fn(ZoneIx, HostIx) -> bool,
    /// Maximum number of detours.
    most: usize,
    seen: HashSet<(Vec<usize>, BTreeSet<usize>)>,
}

impl Search<'_> {
    /// Whether all arrive from here, if these have made a detour.
    fn arrives(&mut self, places: Vec<usize>, stepped: BTreeSet<usize>) -> bool {
        let moves: Vec<_> =
            self.case.placement.moves.iter().map(|one| (one.zone.0 as usize, one.to.0 as usize)).collect();
        if moves.iter().all(|&(zone, to)| places[zone] == to) {
            return true;
        }
        if !self.seen.insert((places.clone(), stepped.clone())) {
            return false;
        }
        let has_ended = |other: usize| moves.iter().all(|&(zone, to)| zone != other || places[zone] == to);
        for &(zone, to) in moves.iter().filter(|&&(zone, to)| places[zone] != to) {
            let home = self.world.host(&self.world.fleet.zones[zone].host);
            for host in 0..self.world.fleet.hosts.len() {
                let steps = host != to;
                let may_step = places[zone] == home
                    && stepped.len() < self.most
                    && (self.may)(ZoneIx(zone as u32), HostIx(host as u32))
                    && self.world.fleet.hosts[host].maintenance.is_none();
                let begins = places[zone] != home || self.world.may_begin(zone, has_ended);
                if host == places[zone] || !begins || steps && !may_step {
                    continue;
                }
                let way = Way { zone, from: places[zone], to: host, rate: 0, start: 0, end: 1 };
                if self.world.wrong(&places, &[way]).is_some() {
                    continue;
                }
                let (mut next, mut aside) = (places.clone(), stepped.clone());
                next[zone] = host;
                if steps {
                    aside.insert(zone);
                }
                if self.arrives(next, aside) {
                    return true;
                }
            }
        }
        false
    }
}
