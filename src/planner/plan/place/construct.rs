//! A first placement: one item after another, those that are hardest to place first.

use std::collections::HashMap;

use super::problem::PlacementProblem;
use super::state::State;

/// Items, hardest first: the fewer hosts may take it (in powers of two) the earlier, then by descending share of
/// the fleet's resources.
pub(super) fn hardest_first(problem: &PlacementProblem<'_>) -> Vec<usize> {
    let choice = |item: usize| problem.classes[problem.items[item].class].hosts.len().max(1).ilog2();
    let share = |item: usize| problem.items[item].share;
    let mut order: Vec<_> = (0..problem.items.len()).collect();
    order.sort_by(|a, b| choice(*a).cmp(&choice(*b)).then(share(*b).total_cmp(&share(*a))).then(a.cmp(b)));
    order
}

/// Each item where it gives the best score. If some are left over, once more with each item where the least room
/// remains: that leaves large holes for large zones.
pub(super) fn construct<'p>(problem: &'p PlacementProblem<'p>) -> State<'p> {
    let order = hardest_first(problem);
    let mut state = State::new(problem);
    let mut shortlists = HashMap::new();
    for item in &order {
        put_good(&mut state, *item, &mut shortlists);
    }
    if state.standing().left > 0 {
        let mut tight = State::new(problem);
        for item in &order {
            put_tight(&mut tight, *item);
        }
        if tight.standing().beats(state.standing()) {
            return tight;
        }
    }
    state
}

/// From this number of hosts on, not all are looked at for each item,
const MANY: usize = 512;
/// but the best for one of the class,
const SHORT: usize = 128;
/// for so many that follow it.
const USES: usize = 32;

/// Hosts that are good for items of a class, and for how many more items the list is used.
type Shortlist = (Vec<u32>, usize);

/// Puts an item where the score becomes good: in a large fleet, on the best host of a shortlist that is renewed
/// from time to time.
fn put_good(state: &mut State<'_>, item: usize, lists: &mut HashMap<usize, Shortlist>) {
    let class = state.problem.items[item].class;
    if state.problem.classes[class].hosts.len() < MANY {
        put_best(state, item);
        return;
    }
    let (hosts, uses) = lists.entry(class).or_default();
    if *uses == 0 {
        let mut all: Vec<_> =
            state.takers(item).map(|host| (state.with(item, host).key, host as u32)).collect();
        if all.len() > SHORT {
            all.select_nth_unstable_by(SHORT, |(a, at_a), (b, at_b)| a.order(*b).then(at_a.cmp(at_b)));
            all.truncate(SHORT);
        }
        (*hosts, *uses) = (all.into_iter().map(|(_, host)| host).collect(), USES);
    }
    *uses -= 1;
    let fits = hosts.iter().map(|host| *host as usize).filter(|host| state.fits(item, *host));
    let keys = fits.map(|host| (state.with(item, host).key, host));
    match keys.min_by(|(a, at_a), (b, at_b)| a.order(*b).then(at_a.cmp(at_b))) {
        Some((_, host)) => state.put(item, host),
        None => {
            *uses = 0;
            put_best(state, item);
        }
    }
}

/// Puts an item where the score becomes best; false if it fits nowhere. Of equal hosts the first one is taken.
pub(super) fn put_best(state: &mut State<'_>, item: usize) -> bool {
    let mut best = None;
    for host in state.takers(item) {
        let key = state.with(item, host).key;
        if best.is_none_or(|(_, than)| key.beats(than)) {
            best = Some((host, key));
        }
    }
    best.is_some_and(|(host, _)| {
        state.put(item, host);
        true
    })
}

/// Puts an item where the least remains of what it needs.
fn put_tight(state: &mut State<'_>, item: usize) {
    let remains = |host: usize| {
        let room = state.room(host).iter().zip(state.problem.need(item));
        room.filter(|(_, need)| **need > 0)
            .map(|(room, need)| (room - need) as f64 / *room as f64)
            .sum::<f64>()
    };
    let best = state.takers(item).min_by(|a, b| remains(*a).total_cmp(&remains(*b)));
    if let Some(host) = best {
        state.put(item, host);
    }
}
