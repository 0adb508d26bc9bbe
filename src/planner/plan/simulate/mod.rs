//! Simulates a plan in virtual time, with moves that share connections: to see what a plan does if it is
//! followed, and what other plans would have done.
//!
//! Each move begins when the plan says. It gets its rate, as long as its connections have that bandwidth; moves
//! that together ask for more share evenly, and the rest goes to those that can use it (max-min fairness). A live
//! migration that gets less is slowed down by more than that, as its zone keeps writing; one that gets less than
//! its zone writes makes no progress. Nothing stops a move that violates a rule: the violation is recorded.

mod breach;
mod share;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::fleet::Fleet;
use super::forecast::Trip;
use super::placement::{HostIx, ZoneIx};
use super::rules::Rules;
use super::schedule::{Given, Plan, PlannedMove, Terms, What, lines};
pub use breach::Breach;
use breach::Scene;

/// The result of a simulation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Played {
    /// When the last move ended, in ms.
    pub makespan_ms: u64,
    /// When each move of the plan ended, in ms, in the plan's order; none for one that never ends.
    pub ends_ms: Vec<Option<u64>>,
    /// Each zone's downtime in ms, in all its moves together.
    pub downtime_ms: BTreeMap<ZoneIx, u64>,
    /// The used part of the bandwidth of each host's connection until the last end, outgoing and incoming; 1 is all.
    pub lines: BTreeMap<HostIx, (f64, f64)>,
    /// The violations, by time.
    pub breaches: Vec<Breach>,
}

/// A move in progress.
struct Running {
    place: usize,
    /// How much of it is still to be done; 1 is all.
    left: f64,
    /// Parts that are done per millisecond.
    speed: f64,
    /// In bytes per second.
    rate: u64,
    lines: Vec<What>,
}

/// Simulates a plan.
pub fn simulate(fleet: &Fleet, rules: &Rules, plan: &Plan, terms: &Terms<'_>) -> Played {
    let mut game = Game {
        given: Given { fleet, rules, terms },
        scene: Scene::new(fleet, rules),
        now: 0,
        running: Vec::new(),
        most: HashMap::new(),
        carried: HashMap::new(),
        played: Played { ends_ms: vec![None; plan.moves.len()], ..Played::default() },
    };
    let mut starts: Vec<_> = plan.moves.iter().enumerate().collect();
    starts.sort_by_key(|(place, one)| std::cmp::Reverse((one.start_ms, *place)));
    while !(starts.is_empty() && game.running.is_empty()) {
        let start = starts.last().map(|(_, one)| one.start_ms);
        let Some(next) = [start, game.next_end()].into_iter().flatten().min() else { break };
        game.go_on_until(next);
        game.end(&plan.moves);
        while let Some((place, one)) = starts.pop_if(|(_, one)| one.start_ms <= next) {
            game.begin(place, one, &plan.moves);
        }
        game.share(&plan.moves);
    }
    game.over(&plan.moves)
}

struct Game<'a> {
    given: Given<'a>,
    scene: Scene<'a>,
    now: u64,
    running: Vec<Running>,
    /// The bandwidth of a connection, in bytes per second.
    most: HashMap<What, u64>,
    /// Bytes that it has carried.
    carried: HashMap<What, f64>,
    played: Played,
}

impl Game<'_> {
    fn next_end(&self) -> Option<u64> {
        let moving = self.running.iter().filter(|one| one.speed > 0.0);
        // Less than a thousandth of a millisecond comes from rounding.
        moving.map(|one| self.now + (one.left / one.speed - 0.001).ceil().max(0.0) as u64).min()
    }

    fn go_on_until(&mut self, time: u64) {
        let passed = time.saturating_sub(self.now) as f64;
        for one in &mut self.running {
            one.left -= passed * one.speed;
            for line in &one.lines {
                *self.carried.entry(*line).or_default() += passed * one.rate as f64 / 1000.0;
            }
        }
        self.now = time.max(self.now);
    }

    fn end(&mut self, moves: &[PlannedMove]) {
        let now = self.now;
        let ended = self.running.extract_if(.., |one| one.left <= one.speed * 0.001);
        for place in ended.map(|one| one.place).collect::<Vec<_>>() {
            let Some(one) = moves.get(place) else { continue };
            self.scene.end(one);
            *self.played.downtime_ms.entry(one.zone).or_default() += one.downtime_ms;
            self.played.makespan_ms = now;
            if let Some(end) = self.played.ends_ms.get_mut(place) {
                *end = Some(now);
            }
        }
    }

    fn begin(&mut self, place: usize, one: &PlannedMove, moves: &[PlannedMove]) {
        let open =
            moves.iter().zip(&self.played.ends_ms).filter(|(_, end)| end.is_none()).map(|(one, _)| one.zone);
        let breaches = self.scene.begin(self.now, one, open);
        self.played.breaches.extend(breaches);
        let lines = lines(&self.given, one.from, one.to);
        self.most.extend(lines.iter().copied());
        let lines = lines.into_iter().map(|line| line.0).collect();
        self.running.push(Running { place, left: 1.0, speed: 0.0, rate: 0, lines });
    }

    /// Sets the rate of each move.
    fn share(&mut self, moves: &[PlannedMove]) {
        let asked: Vec<_> =
            self.running.iter().map(|one| moves.get(one.place).map_or(0, |one| one.rate)).collect();
        let ways: Vec<_> = self.running.iter().map(|one| one.lines.as_slice()).collect();
        let shares = share::fair(&asked, &ways, &self.most);
        for (one, rate) in self.running.iter_mut().zip(shares) {
            if one.rate != rate {
                one.rate = rate;
                one.speed = moves.get(one.place).map_or(0.0, |planned| speed(&self.given, planned, rate));
            }
        }
    }

    /// The result. Moves that are still in progress never end.
    fn over(mut self, moves: &[PlannedMove]) -> Played {
        for one in self.running.iter().filter_map(|one| moves.get(one.place)) {
            self.played.breaches.push(Breach::NeverConverges { at_ms: self.now, zone: one.zone });
        }
        let time = self.played.makespan_ms as f64 / 1000.0;
        for (line, carried) in self.carried {
            let most = self.most.get(&line).copied().unwrap_or(0) as f64 * time;
            let part = if most > 0.0 { carried / most } else { 0.0 };
            match line {
                What::LineOut(host) => self.played.lines.entry(host).or_default().0 = part,
                What::LineIn(host) => self.played.lines.entry(host).or_default().1 = part,
                _ => {}
            }
        }
        self.played
    }
}

/// Parts of a move that are done per millisecond at that rate.
fn speed(given: &Given<'_>, planned: &PlannedMove, rate: u64) -> f64 {
    let host = |host: HostIx| given.fleet.hosts.get(host.0 as usize);
    let zone = given.fleet.zones.get(planned.zone.0 as usize);
    let (Some(zone), Some(from), Some(to)) = (zone, host(planned.from), host(planned.to)) else { return 0.0 };
    let forecast = (given.terms.forecast)(&Trip { zone, method: planned.method, from, to, rate });
    forecast.map_or(0.0, |forecast| 1.0 / forecast.total_ms.max(1) as f64)
}
