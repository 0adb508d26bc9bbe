//! A few items at once: they are taken from their hosts, and the best way to put them back is found by trying all.

use super::Search;
use super::state::{PlacementScore, State};

/// Minimum and maximum number of items that are placed anew at once.
const ITEMS: (usize, usize) = (3, 8);
/// Maximum number of hosts for that.
const HOSTS: usize = 4;
/// The number of placements that counts as few.
const FEW: f64 = 2e7;
/// How often room is sought for one item.
const TRIES: usize = 20;

/// Tries to make room for an item that is left over; returns whether that succeeded.
pub(super) fn around(state: &mut State<'_>, search: &mut Search, item: usize) -> bool {
    let left = state.standing().left;
    (0..TRIES).any(|_| {
        let pool = &state.problem.classes[state.problem.items[item].class].hosts;
        if let Some(host) = search.rng.pick(pool) {
            on(state, search, host, pool, &[item]);
        }
        state.standing().left < left
    })
}

/// Tries to improve a host and some others of the pool, and to place items that are left over; returns those that
/// still are.
pub(super) fn on(
    state: &mut State<'_>,
    search: &mut Search,
    host: u32,
    pool: &[u32],
    others: &[usize],
) -> Vec<usize> {
    let mut hosts = vec![host as usize];
    for _ in 0..2 * HOSTS {
        let other = search.rng.pick(pool).map(|host| host as usize).filter(|other| !hosts.contains(other));
        hosts.extend(other.filter(|_| hosts.len() < HOSTS));
    }
    again(state, search, &hosts, others)
}

/// Tries all placements, if there are few; returns whether all were tried.
pub(super) fn everything(state: &mut State<'_>, search: &mut Search, pool: &[u32]) -> bool {
    let items: Vec<_> = (0..state.at.len()).filter(|item| !state.stays[*item]).collect();
    let ways = (pool.len() as f64).powf(items.len() as f64);
    if ways > FEW {
        return false;
    }
    let hosts: Vec<_> = pool.iter().map(|host| *host as usize).collect();
    let rest = search.steps / 2;
    search.steps -= rest;
    anew(state, search, items, &hosts);
    let all = search.steps > 0;
    search.steps += rest;
    all
}

/// Places some of the items on these hosts anew, and some others.
fn again(state: &mut State<'_>, search: &mut Search, hosts: &[usize], others: &[usize]) -> Vec<usize> {
    let mut items: Vec<_> =
        hosts.iter().flat_map(|host| &state.here[*host]).map(|item| *item as usize).collect();
    search.rng.shuffle(&mut items);
    // Without a bound all ways are tried.
    let most = if state.score.bound(state.standing().key).is_some() { ITEMS.1 } else { ITEMS.1 - 2 };
    items.truncate(ITEMS.0 + search.rng.below(most - ITEMS.0 + 1));
    items.extend(others.iter().filter(|item| state.at[**item].is_none()));
    anew(state, search, items, hosts)
}

/// Places these items on these hosts anew, never for the worse; returns those that are left over then.
fn anew(state: &mut State<'_>, search: &mut Search, mut items: Vec<usize>, hosts: &[usize]) -> Vec<usize> {
    let before = state.standing();
    let share = |item: usize| state.problem.items[item].share;
    items.sort_by(|a, b| share(*b).total_cmp(&share(*a)).then(a.cmp(b)));
    let plan: Vec<_> = items.iter().map(|item| state.take(*item)).collect();
    let left: Vec<_> = plan.iter().map(Option::is_none).collect();
    let mut trial = Trial { items: &items, left: &left, hosts, best: before, plan, now: Vec::new() };
    trial.all(state, search);
    for (item, host) in items.iter().zip(trial.plan) {
        host.into_iter().for_each(|host| state.put(*item, host));
    }
    items.retain(|item| state.at[*item].is_none());
    items
}

/// All ways to put items on hosts.
struct Trial<'a> {
    items: &'a [usize],
    /// Whether they were left over before.
    left: &'a [bool],
    hosts: &'a [usize],
    best: PlacementScore,
    /// The best way: where each item goes.
    plan: Vec<Option<usize>>,
    now: Vec<Option<usize>>,
}

impl Trial<'_> {
    fn all(&mut self, state: &mut State<'_>, search: &mut Search) {
        let depth = self.now.len();
        let Some(item) = self.items.get(depth).copied() else {
            return self.compare(state.standing());
        };
        if !search.step(self.hosts.len()) || !self.may_win(state.standing(), depth, state) {
            return;
        }
        for host in self.hosts {
            if !state.problem.may(item, *host) || !state.fits(item, *host) {
                continue;
            }
            let then = state.with(item, *host);
            self.now.push(Some(*host));
            if depth + 1 == self.items.len() {
                self.compare(then);
            } else if self.may_win(then, depth + 1, state) {
                state.put(item, *host);
                self.all(state, search);
                state.take(item);
            }
            self.now.pop();
        }
        // What a zone that comes back to its host would use there is in use already.
        if state.problem.items[item].homes.is_empty() || self.left[depth] {
            self.now.push(None);
            self.all(state, search);
            self.now.pop();
        }
    }

    fn compare(&mut self, standing: PlacementScore) {
        if standing.beats(self.best) {
            self.best = standing;
            self.plan.clone_from(&self.now);
        }
    }

    /// Whether a partial way can still become better than the best, with the items from this one on.
    fn may_win(&self, now: PlacementScore, depth: usize, state: &State<'_>) -> bool {
        let open: usize = self.items[depth..].iter().map(|item| state.problem.items[*item].zones.len()).sum();
        let left = now.left - open;
        left < self.best.left
            || (left == self.best.left
                && state.score.bound(now.key).is_none_or(|least| least.beats(self.best.key)))
    }
}
