//! Records that cannot both be true. Each alone could be: neither SQLite nor the rules of the tables find these.
//!
//! A zone is at one place: it is away, or rests here, or is configured here. (One that has migrated leaves a note, and one
//! that comes over an older configuration of itself a row, until it has come; neither says where the zone is.) A record
//! and the configuration in it are of the same zone.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{AwayPhase, Contents, Finding, FindingKind, RestPhase};
use crate::model::{Manifest, ZoneName};

/// All that there are.
pub(super) fn contradictions(contents: &Contents) -> Vec<Finding> {
    let mut findings = two_places(contents);
    let away = contents.away.iter().map(|(row, manifest)| (&row.zone, row.uuid, manifest));
    let standbys = contents.standbys.iter().map(|(row, manifest)| (&row.zone, row.uuid, manifest));
    let detached = contents.detached.iter().map(|row| (&row.zone, row.uuid, &row.manifest));
    let others = away.chain(standbys).chain(detached);
    let others = others.filter(|(zone, uuid, manifest)| is_another(manifest, zone, *uuid));
    let others = others.map(|(zone, _, Manifest { zone: other, .. })| {
        finding(zone, &format!("its record holds the configuration of '{}' ({})", other.name, other.uuid))
    });
    findings.extend(others);
    findings
}

fn is_another(manifest: &Manifest, zone: &ZoneName, uuid: Uuid) -> bool {
    manifest.zone.name != *zone || manifest.zone.uuid != uuid
}

/// Zones that are said to be at several places, or under several names.
fn two_places(contents: &Contents) -> Vec<Finding> {
    let mut places: BTreeMap<Uuid, Vec<(&ZoneName, String)>> = BTreeMap::new();
    for (row, _) in &contents.away {
        // On its way it may be anywhere.
        let place = match row.phase {
            AwayPhase::Away => format!("away at {}", row.refuge),
            AwayPhase::Leaving | AwayPhase::Returning | AwayPhase::Aside => "on its way".to_owned(),
        };
        places.entry(row.uuid).or_default().push((&row.zone, place));
    }
    for rest in &contents.rests {
        let place = match rest.phase {
            RestPhase::Resting => "at rest here",
            RestPhase::Stopping => "being stopped here",
        };
        places.entry(rest.uuid).or_default().push((&rest.zone, place.to_owned()));
    }
    let settled =
        |uuid| contents.away.iter().all(|(row, _)| row.uuid != uuid || row.phase == AwayPhase::Away);
    let configured = contents.detached.iter().filter(|row| row.moved_to.is_none() && settled(row.uuid));
    for row in configured {
        places.entry(row.uuid).or_default().push((&row.zone, "configured here".to_owned()));
    }
    let several = places.into_values().filter(|places| places.len() > 1);
    several.map(|places| finding(places[0].0, &format!("it is recorded {}", list(&places)))).collect()
}

/// `as away at ssh://h2 and as at rest here`; other names than the first are told.
fn list(places: &[(&ZoneName, String)]) -> String {
    let first = places.first().map(|(zone, _)| *zone);
    let words: Vec<_> = places
        .iter()
        .map(|(zone, place)| match Some(*zone) == first {
            true => format!("as {place}"),
            false => format!("as {place} under the name '{zone}'"),
        })
        .collect();
    words.join(" and ")
}

fn finding(zone: &ZoneName, what: &str) -> Finding {
    let text = format!("{what}; look where it is, and put a backup in the place of the database");
    Finding::about(FindingKind::Contradiction, zone, text)
}
