//! Zones that must come after others: where one of these is left, they are left too, and take no room from anybody.

use super::Search;
use super::improve::last_look;
use super::late::{held, waits};
use super::repair::{repair, settle, stay};
use super::state::State;

/// Takes those out that come after one that is left, or wait for themselves in a circle; others may have their room.
pub(super) fn follow(state: &mut State<'_>, search: &mut Search) {
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
