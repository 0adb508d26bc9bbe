//! Why a zone cannot move, and what waits for what.

use std::collections::BTreeSet;

use super::order::levels;
use super::pivot::Way;
use super::plan::{Blocked, BlockedReason};
use super::problem::Builder;
use super::stock::{SearchMove, Use, What};
use crate::plan::{Fleet, HostIx, ZoneIx};

/// Removes the zones that could not move even if all hosts were empty, and those that must come after one of them
/// or after one without a place, or go together with one.
pub(super) fn never(
    fleet: &Fleet,
    builder: &Builder<'_>,
    zones: &mut Vec<(ZoneIx, HostIx)>,
    unplaced: BTreeSet<ZoneIx>,
) -> Vec<Blocked> {
    let mut stays = unplaced;
    let (_, never) = builder.build(zones, &Default::default());
    let mut blocked = Vec::new();
    for (zone, obstacle) in never {
        stays.insert(zone);
        let to = zones.iter().find(|one| one.0 == zone).map_or(HostIx(u32::MAX), |one| one.1);
        blocked.push(Blocked { zone, to, obstacles: vec![obstacle] });
    }
    zones.retain(|(zone, _)| !stays.contains(zone));
    blocked.extend(followers(fleet, zones, stays));
    blocked
}

/// Removes the zones that must come after one of these or go together with one, as those do not move.
pub(super) fn followers(
    fleet: &Fleet,
    zones: &mut Vec<(ZoneIx, HostIx)>,
    mut stays: BTreeSet<ZoneIx>,
) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    loop {
        let open = zones.iter().filter(|(zone, _)| !stays.contains(zone));
        let bound = open.filter_map(|&(zone, to)| {
            let obstacle = stays.iter().find_map(|&other| bound(fleet, zone, other))?;
            Some(Blocked { zone, to, obstacles: vec![obstacle] })
        });
        let bound: Vec<_> = bound.collect();
        if bound.is_empty() {
            return blocked;
        }
        let out: BTreeSet<_> = bound.iter().map(|one| one.zone).collect();
        zones.retain(|(zone, _)| !out.contains(zone));
        stays.extend(out);
        blocked.extend(bound);
    }
}

/// What keeps a zone if another one does not move.
fn bound(fleet: &Fleet, zone: ZoneIx, other: ZoneIx) -> Option<BlockedReason> {
    let at = |zone: ZoneIx| fleet.zones.get(zone.0 as usize);
    let (one, its) = at(zone).zip(at(other))?;
    if one.after.contains(&its.name) {
        return Some(BlockedReason::After(other));
    }
    (!one.together.is_disjoint(&its.together)).then_some(BlockedReason::Together(other))
}

/// The zones that the best way leaves where they are.
pub(super) fn left(way: &Way, builder: &Builder<'_>, zones: &[(ZoneIx, HostIx)]) -> Vec<Blocked> {
    let levels = levels(&way.problem, &way.found.order);
    let jobs: Vec<_> = way.found.left.iter().filter_map(|&job| way.problem.jobs.get(job)).collect();
    let short = |one: &&Use| levels.get(one.stock).is_some_and(|level| *level < one.amount);
    let obstacles = |job: &SearchMove| {
        let room = job.takes.iter().filter(short).filter_map(|one| {
            let waits_for = jobs
                .iter()
                .filter(|other| other.gives.iter().any(|given| given.stock == one.stock))
                .map(|other| other.draft.zone)
                .collect();
            match *way.problem.stocks.what.get(one.stock)? {
                What::Apart(_, group) => {
                    Some(BlockedReason::Apart { group: builder.group(group), waits_for })
                }
                What::Room(_, resource) => {
                    let level = levels.get(one.stock).copied().unwrap_or(0);
                    let missing = one.amount.saturating_sub(level).unsigned_abs();
                    Some(BlockedReason::Room { resource, missing, waits_for })
                }
                _ => None,
            }
        });
        let after = job.after.iter().filter(|other| way.found.left.contains(other));
        let after = after.filter_map(|&other| way.problem.jobs.get(other)).map(|other| other.draft.zone);
        room.chain(after.map(BlockedReason::After)).collect()
    };
    let to = |zone| zones.iter().find(|one| one.0 == zone).map(|one| one.1);
    jobs.iter()
        .map(|job| (job.draft.zone, job))
        .filter_map(|(zone, job)| Some(Blocked { zone, to: to(zone)?, obstacles: obstacles(job) }))
        .collect()
}
