//! Room for items that are left over: others make way, in chains; and those that stay after all get back what
//! they were taken to have given back.

use super::construct::{hardest_first, put_best};
use super::state::State;
use super::{Search, replan};

/// Maximum number of items that make way, one for the other.
const CHAIN: usize = 4;

/// Tries to place what is left over.
pub(super) fn repair(state: &mut State<'_>, search: &mut Search) {
    let mut left: Vec<_> = hardest_first(state.problem);
    left.retain(|item| state.at[*item].is_none() && !state.stays[*item]);
    for item in left {
        let mut moved = vec![item];
        if !(0..=CHAIN).any(|chain| make_way(state, search, item, chain, &mut moved)) {
            replan::around(state, search, item);
        }
        if search.steps == 0 {
            return;
        }
    }
}

/// Places an item; if it fits nowhere, in the place of another one, which in turn is placed elsewhere. If that
/// fails nothing has changed.
fn make_way(
    state: &mut State<'_>,
    search: &mut Search,
    item: usize,
    chain: usize,
    moved: &mut Vec<usize>,
) -> bool {
    let problem = state.problem;
    let hosts = &problem.classes[problem.items[item].class].hosts;
    if !search.step(hosts.len()) {
        return false;
    }
    if put_best(state, item) {
        return true;
    }
    if chain == 0 {
        return false;
    }
    for host in
        hosts.iter().map(|host| *host as usize).filter(|host| !problem.items[item].homes.contains(host))
    {
        for other in state.here[host].clone().into_iter().map(|other| other as usize) {
            if moved.contains(&other) {
                continue;
            }
            state.take(other);
            if state.fits(item, host) {
                state.put(item, host);
                moved.push(other);
                if make_way(state, search, other, chain - 1, moved) {
                    return true;
                }
                moved.pop();
                state.take(item);
            }
            state.put(other, host);
            if !search.step(1) {
                return false;
            }
        }
    }
    false
}

/// Zones that fit nowhere stay, and use what they have. What was placed in that room has to go elsewhere; if it
/// cannot, it stays, too.
pub(super) fn settle(state: &mut State<'_>, search: &mut Search) {
    let homeless = |state: &State<'_>| {
        let items = 0..state.problem.items.len();
        items.into_iter().find(|item| {
            state.at[*item].is_none() && !state.stays[*item] && !state.problem.items[*item].homes.is_empty()
        })
    };
    while let Some(item) = homeless(state) {
        stay(state, search, item);
    }
}

/// An item stays where it is; what suffers from that goes elsewhere, or is left over.
pub(super) fn stay(state: &mut State<'_>, search: &mut Search, item: usize) {
    for host in state.stay(item) {
        let mut out = Vec::new();
        while let Some(other) =
            state.here[host].iter().map(|other| *other as usize).find(|at| state.suffers(*at))
        {
            state.take(other);
            out.push(other);
        }
        for other in out {
            let _ = (0..=CHAIN).any(|chain| make_way(state, search, other, chain, &mut vec![other]));
        }
    }
}
