//! The shortest schedule of a few moves: moves are begun in every order, each as early as the rules allow once
//! the one before it has begun. One of these is the shortest. What cannot become better than the best is not
//! followed.

use super::world::{Way, World};

/// When the last of these moves ends at the earliest, if that is before `known`; none if they cannot all be made,
/// or not sooner. `start` of a move is the time before which it cannot begin, `end` is that plus its length.
pub fn shortest(world: &World<'_>, ways: &[Way], known: u64) -> Option<u64> {
    let places = world.fleet.zones.iter().map(|zone| world.host(&zone.host)).collect();
    let mut search = Search { world, ways, best: known };
    search.begin_next(&State { time: 0, places, running: Vec::new(), open: (0..ways.len()).collect() });
    (search.best < known).then_some(search.best)
}

#[derive(Clone)]
struct State {
    time: u64,
    places: Vec<usize>,
    running: Vec<Way>,
    open: Vec<usize>,
}

struct Search<'a> {
    world: &'a World<'a>,
    ways: &'a [Way],
    best: u64,
}

impl Search<'_> {
    fn begin_next(&mut self, state: &State) {
        if state.open.is_empty() {
            let end = state.running.iter().map(|way| way.end).max();
            self.best = self.best.min(end.unwrap_or(0).max(state.time));
            return;
        }
        if self.least(state) >= self.best {
            return;
        }
        for (at, &way) in state.open.iter().enumerate() {
            let mut times: Vec<_> = state.running.iter().map(|way| way.end).collect();
            times.extend([state.time, self.ways[way].start]);
            times.retain(|&time| time >= state.time.max(self.ways[way].start));
            times.sort_unstable();
            if let Some(mut next) = times.into_iter().find_map(|time| self.begin(state, way, time)) {
                next.open.remove(at);
                self.begin_next(&next);
            }
        }
    }

    fn begin(&self, state: &State, number: usize, time: u64) -> Option<State> {
        let mut next = State { time, ..state.clone() };
        for way in state.running.iter().filter(|way| way.end <= time) {
            next.places[way.zone] = way.to;
        }
        next.running.retain(|way| way.end > time);
        let way = self.ways[number];
        let there = |other: usize| {
            next.running.iter().all(|way| way.zone != other)
                && state.open.iter().all(|&open| self.ways[open].zone != other)
        };
        let others_end = self.world.may_begin(way.zone, there);
        next.running.push(Way { start: time, end: time + way.end - way.start, ..way });
        (others_end && self.world.wrong(&next.places, &next.running).is_none()).then_some(next)
    }

    /// No continuation ends before this.
    fn least(&self, state: &State) -> u64 {
        let line = |most: Option<u64>, is_on: &dyn Fn(&Way) -> bool| {
            let most = most?;
            let open = state.open.iter().map(|&open| self.ways[open]).filter(|way| is_on(way));
            let open = open.map(|way| u128::from(way.rate) * u128::from(way.end - way.start));
            let running = state.running.iter().filter(|way| is_on(way) && way.end > state.time);
            let running = running.map(|way| u128::from(way.rate) * u128::from(way.end - state.time));
            let volume: u128 = open.chain(running).sum();
            Some(state.time + volume.div_ceil(u128::from(most.max(1))) as u64)
        };
        let hosts = self.world.fleet.hosts.iter().enumerate();
        let lines = hosts.flat_map(|(number, host)| {
            [line(host.bandwidth, &|way| way.from == number), line(host.bandwidth, &|way| way.to == number)]
        });
        lines.flatten().max().unwrap_or(state.time)
    }
}
