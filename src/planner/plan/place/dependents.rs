//! Zones that must move after others: if one of those finds no place, its dependents do not move either, and take
//! no room from others.

use std::collections::HashMap;

use super::Search;
use super::construct::put_best;
use super::problem::PlacementProblem;
use super::repair::{repair, settle, stay};
use super::state::State;
use crate::model::ZoneName;

/// The names of zones of the request that do not move, and how many zones have each name.
pub(super) type Held<'a> = HashMap<&'a ZoneName, usize>;

/// Whether an item without a place could not move even if it had one.
pub(super) fn is_late(state: &State<'_>, item: usize) -> bool {
    let mut zones = state.problem.items[item].zones.iter();
    zones.any(|zone| !state.problem.zone(*zone).after.is_empty())
        && waits(state, &held(state, Some(item)), item)
}

pub(super) fn waits(state: &State<'_>, held: &Held<'_>, item: usize) -> bool {
    let problem = state.problem;
    problem.items[item].zones.iter().any(|zone| waits_for(problem, held, *zone).is_some())
}

/// A zone that must move before this one, and does not.
pub(super) fn waits_for<'a>(
    problem: &PlacementProblem<'a>,
    held: &Held<'_>,
    zone: usize,
) -> Option<&'a ZoneName> {
    problem.zone(zone).after.iter().find(|name| held.contains_key(name))
}

/// Which zones do not move, assuming that each zone with a place moves unless one that must come before it does
/// not. `also` is assumed to have a place.
pub(super) fn held<'a>(state: &State<'a>, also: Option<usize>) -> Held<'a> {
    let problem = state.problem;
    let (mut held, mut open) = (Held::new(), Vec::new());
    for (number, item) in problem.items.iter().enumerate() {
        item.zones.iter().for_each(|zone| *held.entry(&problem.zone(*zone).name).or_default() += 1);
        if state.at[number].is_some() || also == Some(number) {
            open.extend(&item.zones);
        }
    }
    loop {
        let (wait, go): (Vec<usize>, _) =
            open.iter().partition(|zone| waits_for(problem, &held, **zone).is_some());
        for zone in &go {
            let name = &problem.zone(*zone).name;
            match held.get_mut(name) {
                Some(more) if *more > 1 => *more -= 1,
                _ => drop(held.remove(name)),
            }
        }
        if go.is_empty() {
            return held;
        }
        open = wait;
    }
}

/// Removes zones that come after one that is left, or that are in a cycle; others may use their room.
pub(super) fn drop_dependents(state: &mut State<'_>, search: &mut Search) {
    let mut any = false;
    loop {
        let held = held(state, None);
        let placed = (0..state.at.len()).filter(|item| state.at[*item].is_some());
        let late: Vec<_> = placed.filter(|item| waits(state, &held, *item)).collect();
        if late.is_empty() {
            break;
        }
        any = true;
        for item in late {
            state.take(item);
            stay(state, search, item);
        }
        repair(state, search);
        settle(state, search);
    }
    if any {
        last_look(state);
    }
}

/// Places what was left over wherever there is room now, as long as that makes room for others.
pub(super) fn last_look(state: &mut State<'_>) {
    let mut before = usize::MAX;
    while state.standing().left < before {
        before = state.standing().left;
        for item in 0..state.at.len() {
            let stayed = state.stays[item];
            if state.at[item].is_some() || is_late(state, item) {
                continue;
            }
            if stayed {
                state.leave(item);
            }
            if !put_best(state, item) && stayed {
                state.stay(item);
            }
        }
    }
}
