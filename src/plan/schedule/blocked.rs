//! Why a zone cannot move, and what waits for what.

use std::collections::BTreeSet;

use super::order::levels;
use super::pivot::Way;
use super::plan::{Blocked, Obstacle};
use super::problem::Builder;
use super::stock::{Job, Use, What};
use crate::plan::{Fleet, HostIx, ZoneIx};

/// Takes the zones out that could not move in the emptiest of worlds, and those that must come after one of them or
/// after one that has no place.
pub(super) fn never(
    fleet: &Fleet,
    builder: &Builder<'_>,
    zones: &mut Vec<(ZoneIx, HostIx)>,
    unplaced: BTreeSet<ZoneIx>,
) -> Vec<Blocked> {
    let mut blocked = Vec::new();
    let mut stays = unplaced;
    let (_, never) = builder.build(zones, &Default::default());
    let mut fresh = never;
    loop {
        for (zone, obstacle) in fresh.drain(..) {
            stays.insert(zone);
            let to = zones.iter().find(|one| one.0 == zone).map_or(HostIx(u32::MAX), |one| one.1);
            blocked.push(Blocked { zone, to, obstacles: vec![obstacle] });
        }
        zones.retain(|(zone, _)| !stays.contains(zone));
        for &(zone, _) in zones.iter() {
            let waits = stays.iter().find(|&&other| comes_after(fleet, zone, other));
            fresh.extend(waits.map(|&other| (zone, Obstacle::After(other))));
        }
        if fresh.is_empty() {
            return blocked;
        }
    }
}

fn comes_after(fleet: &Fleet, zone: ZoneIx, other: ZoneIx) -> bool {
    let at = |zone: ZoneIx| fleet.zones.get(zone.0 as usize);
    at(zone).zip(at(other)).is_some_and(|(zone, other)| zone.after.contains(&other.name))
}

/// The zones that the best way leaves where they are.
pub(super) fn left(way: &Way, builder: &Builder<'_>, zones: &[(ZoneIx, HostIx)]) -> Vec<Blocked> {
    let levels = levels(&way.problem, &way.found.order);
    let jobs: Vec<_> = way.found.left.iter().filter_map(|&job| way.problem.jobs.get(job)).collect();
    let short = |one: &&Use| levels.get(one.stock).is_some_and(|level| *level < one.amount);
    let obstacles = |job: &Job| {
        let room = job.takes.iter().filter(short).filter_map(|one| {
            let waits_for = jobs
                .iter()
                .filter(|other| other.gives.iter().any(|given| given.stock == one.stock))
                .map(|other| other.draft.zone)
                .collect();
            match *way.problem.stocks.what.get(one.stock)? {
                What::Apart(_, group) => Some(Obstacle::Apart { group: builder.group(group), waits_for }),
                What::Room(_, resource) => {
                    let level = levels.get(one.stock).copied().unwrap_or(0);
                    let missing = one.amount.saturating_sub(level).unsigned_abs();
                    Some(Obstacle::Room { resource, missing, waits_for })
                }
                _ => None,
            }
        });
        let after = job.after.iter().filter(|other| way.found.left.contains(other));
        let after = after.filter_map(|&other| way.problem.jobs.get(other)).map(|other| other.draft.zone);
        room.chain(after.map(Obstacle::After)).collect()
    };
    let to = |zone| zones.iter().find(|one| one.0 == zone).map(|one| one.1);
    jobs.iter()
        .map(|job| (job.draft.zone, job))
        .filter_map(|(zone, job)| Some(Blocked { zone, to: to(zone)?, obstacles: obstacles(job) }))
        .collect()
}
