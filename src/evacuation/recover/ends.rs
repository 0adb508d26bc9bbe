//! What the two hosts of a half-done move say of its zone, and which other one has it if it went on from there.

use std::sync::Arc;

use crate::evacuation::engine::Engine;
use crate::evacuation::peers::NoPeer;
use crate::host::Host;
use crate::migration::recovery::{Observed, as_it_was};
use crate::model::{HostUri, Location};
use crate::store::ZoneRecord;

/// One of the two hosts of a move.
pub(super) struct End {
    /// Where it is reached; none: it is this host.
    pub uri: Option<HostUri>,
    /// The host.
    pub host: Arc<dyn Host>,
}

impl End {
    /// The record of a zone that was there and went on, as it is now; none if it did not. A zone that went home is where
    /// the other host says.
    async fn went_on(&self, engine: &Engine, row: &ZoneRecord) -> Result<Option<There>, String> {
        let Some(uri) = &self.uri else { return Ok(None) };
        let row = ZoneRecord { location: Some(uri.clone()), ..row.clone() };
        let trail = match engine.follow(&row, Arc::clone(&self.host)).await {
            Ok(trail) if trail.hops.is_empty() => return Ok(None),
            Err(NoPeer::Itself) => return Ok(None),
            Err(NoPeer::Silent(why)) => return Err(why),
            Ok(trail) => trail,
        };
        let has_it = matches!(trail.known, Some(Location::Here | Location::Guest(_)));
        Ok(has_it.then_some((trail.away, trail.host)))
    }
}

/// What a host says of the zone of a record.
pub(in crate::evacuation) async fn view(host: &dyn Host, row: &ZoneRecord) -> Observed {
    let Ok(inventory) = host.inventory().await else { return Observed::Silent };
    match inventory.identified(row.uuid) {
        // It is there, and more is not known.
        Err(_) => Observed::Silent,
        Ok(zone) => Observed::of(zone),
    }
}

/// A host that has a zone which has gone on from one of the hosts of its move, and the record as it is then.
pub(super) type There = (ZoneRecord, Arc<dyn Host>);

/// What both hosts say, and who has the zone if it has gone on from one of them.
pub(super) async fn look(
    engine: &Engine,
    row: &ZoneRecord,
    ends: &[End; 2],
    was_paused: bool,
) -> Result<((Observed, Observed), Option<There>), String> {
    let [source, destination] = ends.each_ref().map(|end| end.host.as_ref());
    let mut seen = as_it_was(was_paused, view(source, row).await, view(destination, row).await);
    let mut found = None;
    // What runs at the one host has not gone on from the other one.
    if seen.0 == Observed::Runs || seen.1 == Observed::Runs {
        return Ok((seen, found));
    }
    for (end, seen) in ends.iter().zip([&mut seen.0, &mut seen.1]) {
        if *seen == Observed::Absent
            && let Some(there) = end.went_on(engine, row).await?
        {
            (*seen, found) = (Observed::GoneOn, Some(there));
        }
    }
    // Its refuge may have lost its records.
    if seen == (Observed::Absent, Observed::Absent)
        && let Some(there) = engine.search(row).await
    {
        (seen.1, found) = (Observed::GoneOn, Some(there));
    }
    Ok((seen, found))
}
