//! The differences between two plans, zone by zone. Pure.

use std::collections::BTreeMap;
use std::fmt;

use super::PlanFile;

/// The difference for one zone.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ZoneDifference {
    pub zone: String,
    /// What the first plan does with it; none: nothing.
    pub before: Option<String>,
    /// What the second plan does with it.
    pub after: Option<String>,
}

impl fmt::Display for ZoneDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} -> {}", self.zone, word(&self.before), word(&self.after))
    }
}

/// All zones with which the second plan does something else than the first. Times do not count, destinations and
/// methods do.
pub fn differences(before: &PlanFile, after: &PlanFile) -> Vec<ZoneDifference> {
    let (before, after) = (ways(before), ways(after));
    let mut zones: Vec<_> = before.keys().chain(after.keys()).collect();
    zones.sort();
    zones.dedup();
    let pairs = zones.into_iter().map(|zone| ZoneDifference {
        zone: zone.clone(),
        before: before.get(zone).cloned(),
        after: after.get(zone).cloned(),
    });
    pairs.filter(|pair| pair.before != pair.after).collect()
}

/// The way of each zone, in words.
fn ways(plan: &PlanFile) -> BTreeMap<String, String> {
    let mut ways: BTreeMap<String, String> = BTreeMap::new();
    for a_move in &plan.moves {
        let way = ways
            .entry(a_move.zone.to_string())
            .or_insert_with(|| format!("{} {}", a_move.action, a_move.from));
        way.push_str(&format!(" > {}", a_move.to));
    }
    for left in &plan.unplaced {
        ways.entry(left.zone.clone()).or_insert_with(|| format!("stays on {}", left.host));
    }
    ways
}
