//! Records that cannot be true although each of their parts could: neither SQLite nor the constraints find these.
//!
//! A record and the configuration in it must be of the same zone. (That a zone is in one place is a constraint.)

use uuid::Uuid;

use super::{Contents, Finding, FindingKind};
use crate::model::{Manifest, ZoneName};

/// All contradictions.
pub(super) fn contradictions(contents: &Contents) -> Vec<Finding> {
    let zones = contents.zones.iter();
    let zones = zones.filter_map(|(row, manifest)| Some((&row.zone, row.uuid, manifest.as_ref()?)));
    let held_replicas = contents.held_replicas.iter().map(|(row, manifest)| (&row.zone, row.uuid, manifest));
    let others =
        zones.chain(held_replicas).filter(|(zone, uuid, manifest)| is_another(manifest, zone, *uuid));
    let others = others.map(|(zone, _, Manifest { zone: other, .. })| {
        let text = format!(
            "its record holds the configuration of '{}' ({}); look where it is, and put a backup in the place of the database",
            other.name, other.uuid
        );
        Finding::about(FindingKind::Contradiction, zone, text)
    });
    others.collect()
}

fn is_another(manifest: &Manifest, zone: &ZoneName, uuid: Uuid) -> bool {
    manifest.zone.name != *zone || manifest.zone.uuid != uuid
}
