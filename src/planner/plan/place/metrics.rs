//! What each goal counts: the metrics of hosts, what a zone adds to them, and the shape of the score.

use super::limits::{CPUS, DISK, MEMORY, PLENTY};
use crate::plan::{Action, FleetHost, FleetZone, Goal, Weights};

/// Up to three sums; those that a goal does not use are zero.
pub(super) type Metric = [f64; 3];

/// How the metrics become a score; see [`super::score`].
#[derive(Clone, Debug)]
pub(super) enum Shape {
    /// The largest load of a host.
    Peak,
    /// The number of hosts that receive zones.
    Fewest,
    /// How far down their lists of targets zones go.
    Ranks,
    /// Weighted standard deviations over the hosts.
    Deviation(Metric),
}

/// hbal's weights (0.5 each for the present state, and again for the future one) and its four loads, which are
/// the number of zones if they were not measured.
const GANETI: Metric = [1.0, 1.0, 4.0];

/// The bandwidth to assume if it is not known: 10 Gbit/s.
const LINE: f64 = 1.25e9;

pub(super) fn shape(goal: &Goal) -> Shape {
    match goal {
        Goal::Spread | Goal::Fastest => Shape::Peak,
        Goal::Pack => Shape::Fewest,
        Goal::Pinned => Shape::Ranks,
        Goal::Balance(Weights { memory, cpu, network }) => Shape::Deviation([*memory, *cpu, *network]),
        Goal::Ganeti => Shape::Deviation(GANETI),
    }
}

/// What a zone adds where it arrives, from the columns that it needs.
pub(super) fn arrives(goal: &Goal, zone: &FleetZone, need: &[i64]) -> Metric {
    let memory = need[MEMORY] as f64;
    match goal {
        Goal::Fastest => {
            let live = zone.running && zone.action == Action::Live;
            [zone.disk as f64 + if live { zone.memory_used as f64 } else { 0.0 }, 0.0, 0.0]
        }
        Goal::Ganeti => [memory, f64::from(zone.cpus), 1.0],
        Goal::Pack => [memory, vcpus(zone), zone.disk as f64],
        Goal::Spread | Goal::Pinned | Goal::Balance(_) => [memory, zone.cpu_load, zone.network_load as f64],
    }
}

/// What a zone takes with it where it leaves, from the columns that it gives back.
pub(super) fn leaves(goal: &Goal, zone: &FleetZone, back: &[i64]) -> Metric {
    match goal {
        Goal::Fastest | Goal::Pack => Metric::default(),
        _ => arrives(goal, zone, back),
    }
}

fn vcpus(zone: &FleetZone) -> f64 {
    if zone.running { f64::from(zone.cpus) } else { 0.0 }
}

/// The share of the host that a unit of each sum is; 0 if the host does not report it.
pub(super) fn per(goal: &Goal, host: &FleetHost, room: &[i64]) -> Metric {
    let share = |whole: f64| if whole > 0.0 { 1.0 / whole } else { 0.0 };
    let line = host.bandwidth.map_or(LINE, |bandwidth| (bandwidth as f64).max(1.0));
    match goal {
        Goal::Fastest => [1.0 / line, 0.0, 0.0],
        Goal::Ganeti => [share(host.memory as f64), share(f64::from(host.cpus)), 1.0],
        Goal::Pack => {
            let free = |column: usize| if room[column] < PLENTY { share(room[column] as f64) } else { 0.0 };
            [free(MEMORY), free(CPUS), free(DISK)]
        }
        Goal::Spread | Goal::Pinned | Goal::Balance(_) => {
            [share(host.memory as f64), share(f64::from(host.cpus)), 1.0 / line]
        }
    }
}

/// What is on a host before anything moves, in the same units as [`arrives`].
pub(super) fn before<'a>(
    goal: &Goal,
    host: &FleetHost,
    there: impl Iterator<Item = &'a FleetZone>,
) -> Metric {
    let memory = host.memory.saturating_sub(host.memory_free) as f64;
    match goal {
        Goal::Fastest | Goal::Pack => Metric::default(),
        Goal::Ganeti => there.fold([memory, 0.0, 0.0], |[memory, cpus, zones], zone| {
            [memory, cpus + f64::from(zone.cpus), zones + 1.0]
        }),
        Goal::Spread | Goal::Pinned | Goal::Balance(_) => [memory, host.cpu_load, host.network_load as f64],
    }
}
