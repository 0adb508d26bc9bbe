//! From a placement to a better one: one item elsewhere, two items swapped, a few items placed anew.

use super::construct::put_best;
use super::dependents::last_look;
use super::state::State;
use super::{Search, replan};

/// The number of swaps that are tried for each item in a round.
const EXCHANGES: usize = 12;

/// The number of left-over items for which room is sought at once.
const LEFT: usize = 3;

/// Improves a placement until no steps are left; without items there is nothing to do.
pub(super) fn improve(state: &mut State<'_>, search: &mut Search) {
    while round(state, search) {}
    let mut pool: Vec<_> =
        state.problem.classes.iter().flat_map(|class| class.hosts.iter().copied()).collect();
    pool.sort_unstable();
    pool.dedup();
    if replan::everything(state, search, &pool) {
        return last_look(state);
    }
    let mut left: Vec<_> = (0..state.at.len()).filter(|item| state.at[*item].is_none()).collect();
    while !pool.is_empty() && search.step(1) {
        if search.rng.below(2) == 0 {
            kick(state, search, &pool);
        }
        let host =
            if search.rng.below(2) == 0 { fullest(state, search, &pool) } else { search.rng.pick(&pool) };
        let Some(host) = host else { continue };
        left.retain(|item| state.at[*item].is_none() && !state.stays[*item]);
        let mut others: Vec<_> = (0..LEFT).filter_map(|_| search.rng.pick(&left)).collect();
        others.sort_unstable();
        others.dedup();
        let out = replan::on(state, search, host, &pool, &others);
        left.extend(out.into_iter().filter(|item| !others.contains(item)));
    }
    last_look(state);
}

/// Puts some items anywhere and improves that: a way out of a placement that no small change improves. Only if a
/// few rounds are cheap.
fn kick(state: &mut State<'_>, search: &mut Search, pool: &[u32]) {
    let mut items: Vec<_> = (0..state.at.len()).filter(|item| state.at[*item].is_some()).collect();
    if items.len() < 2 || (items.len() * (pool.len() + EXCHANGES)) as u64 > search.steps / 4 {
        return;
    }
    let (before, was) = (state.standing(), state.at.clone());
    search.rng.shuffle(&mut items);
    items.truncate((items.len() / 3).max(2));
    for item in &items {
        state.take(*item);
    }
    for item in &items {
        let hosts: Vec<_> = state.takers(*item).collect();
        search.rng.pick(&hosts).into_iter().for_each(|host| state.put(*item, host));
    }
    while round(state, search) {}
    if !state.standing().beats(before) {
        let moved: Vec<_> = (0..was.len()).filter(|item| state.at[*item] != was[*item]).collect();
        moved.iter().for_each(|item| {
            state.take(*item);
        });
        moved.iter().for_each(|item| was[*item].into_iter().for_each(|host| state.put(*item, host as usize)));
    }
}

/// The fullest of some hosts that took items.
fn fullest(state: &State<'_>, search: &mut Search, pool: &[u32]) -> Option<u32> {
    let some =
        (0..8).filter_map(|_| search.rng.pick(pool)).filter(|host| !state.here[*host as usize].is_empty());
    some.max_by(|a, b| state.score.load(*a as usize).total_cmp(&state.score.load(*b as usize)))
}

/// Looks at each item once; returns whether that improved anything.
fn round(state: &mut State<'_>, search: &mut Search) -> bool {
    let mut items: Vec<_> = (0..state.at.len()).filter(|item| state.at[*item].is_some()).collect();
    search.rng.shuffle(&mut items);
    let before = state.standing();
    for item in &items {
        if !elsewhere(state, search, *item) {
            return false;
        }
        for _ in 0..EXCHANGES.min(items.len() - 1) {
            if let Some(other) = search.rng.pick(&items) {
                exchange(state, *item, other);
            }
        }
        search.step(EXCHANGES);
    }
    state.standing().beats(before)
}

/// Puts an item where it is best; false if no steps are left.
fn elsewhere(state: &mut State<'_>, search: &mut Search, item: usize) -> bool {
    if !search.step(state.problem.classes[state.problem.items[item].class].hosts.len()) {
        return false;
    }
    let before = state.standing();
    if let Some(host) = state.take(item) {
        put_best(state, item);
        if !state.standing().beats(before) {
            state.take(item);
            state.put(item, host);
        }
    }
    true
}

/// Swaps two items, if that is better.
fn exchange(state: &mut State<'_>, a: usize, b: usize) {
    let (Some(at_a), Some(at_b)) = (state.at[a], state.at[b]) else { return };
    let (at_a, at_b) = (at_a as usize, at_b as usize);
    if at_a == at_b || !state.problem.may(a, at_b) || !state.problem.may(b, at_a) {
        return;
    }
    let before = state.standing();
    state.take(a);
    state.take(b);
    if state.fits(a, at_b) && state.fits(b, at_a) {
        state.put(a, at_b);
        state.put(b, at_a);
        if state.standing().beats(before) {
            return;
        }
        state.take(a);
        state.take(b);
    }
    state.put(a, at_a);
    state.put(b, at_b);
}
