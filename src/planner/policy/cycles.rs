//! `after` in a cycle: zones that each come after the next one, the last after the first. No order satisfies
//! that.
//!
//! A policy whose own patterns make a cycle is invalid. One that arises only from the present zones (a tag here,
//! a name there) is broken, always at the same place, and reported.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::explain::selected;
use super::{Match, Pattern, Policy};
use crate::model::ZoneName;
use crate::plan::{DependencyGraph, FleetZone, HostKey};

/// Breaks every cycle among these zones: in each, the zone with the highest priority, or the first name, no
/// longer waits for the others. Returns the names of one cycle for each that was broken.
pub(super) fn break_cycles(zones: &mut [FleetZone]) -> Vec<Vec<ZoneName>> {
    let mut sorted: Vec<_> = zones.iter().collect();
    sorted.sort_by_key(|zone| (Reverse(zone.priority), zone.name.clone()));
    let (mut names, mut numbers) = (Vec::new(), BTreeMap::new());
    let mut after: Vec<BTreeSet<&ZoneName>> = Vec::new();
    for zone in sorted {
        let number = *numbers.entry(zone.name.clone()).or_insert(names.len());
        if number == names.len() {
            names.push(zone.name.clone());
            after.push(BTreeSet::new());
        }
        if let Some(after) = after.get_mut(number) {
            after.extend(&zone.after);
        }
    }
    let number = |name: &ZoneName| numbers.get(name).copied();
    let mut graph = DependencyGraph::new(names.len(), |one| {
        after.get(one).into_iter().flatten().filter_map(|name| number(name)).collect()
    });
    let cycles = graph.break_cycles();
    if !cycles.is_empty() {
        for zone in zones {
            let kept = number(&zone.name).map(|number| graph.before(number));
            let holds =
                |name: &ZoneName| number(name).zip(kept).is_none_or(|(other, kept)| kept.contains(&other));
            zone.after.retain(holds);
        }
    }
    let named = |cycle: Vec<usize>| cycle.iter().filter_map(|one| names.get(*one).cloned()).collect();
    cycles.into_iter().map(named).collect()
}

/// The cycle in words: `web1 after db1, db1 after web1`.
pub fn describe<S: std::fmt::Display>(cycle: &[S]) -> String {
    let next = cycle.iter().cycle().skip(1);
    let pairs: Vec<_> = cycle.iter().zip(next).map(|(one, next)| format!("{one} after {next}")).collect();
    pairs.join(", ")
}

/// The cycles that the policy's own patterns make: for each the block that begins it, and the message.
pub(super) fn own_cycles(policy: &Policy) -> Vec<(usize, String)> {
    let (mut zones, mut labels) = (Vec::new(), BTreeMap::new());
    // Stands for any zone: its name matches no other pattern than *.
    let mut add = |selects: &Match, number: usize| {
        let text = selects.name.as_ref().map_or_else(|| format!("any{number:.>77}"), Pattern::example);
        let (Ok(name), host) = (text.parse::<ZoneName>(), HostKey::Name(String::new())) else { return };
        let label =
            selects.name.as_ref().map_or_else(|| selected(selects).to_lowercase(), ToString::to_string);
        labels.entry(name.clone()).or_insert(label);
        zones.push(FleetZone {
            brand: selects.brand,
            tags: selects.tag.iter().cloned().collect(),
            ..FleetZone::new(name, host)
        });
    };
    for (number, block) in policy.zones.iter().enumerate() {
        add(&block.selects, number);
        for pattern in &block.after {
            add(&Match { name: Some(pattern.clone()), ..Match::default() }, number);
        }
    }
    policy.wait(&mut zones);
    let examples = zones.clone();
    let of_block = |cycle: Vec<ZoneName>| {
        let [first, next, ..] = cycle.as_slice() else { return None };
        let begins = |block: &super::Block| {
            block.after.iter().any(|pattern| pattern.matches(next.as_str()))
                && examples.iter().any(|zone| zone.name == *first && block.selects.fits(zone))
        };
        let block = policy.zones.iter().position(begins)?;
        let cycle: Vec<_> = cycle.iter().filter_map(|name| labels.get(name)).collect();
        Some((block, format!("circular dependency: {}", describe(&cycle))))
    };
    break_cycles(&mut zones).into_iter().filter_map(of_block).collect()
}
