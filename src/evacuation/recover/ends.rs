//! What the two hosts of a half-done move say of its zone, and which other one has it if it went on from there.

use std::sync::Arc;

use crate::evacuation::{Engine, NoPeer};
use crate::host::Host;
use crate::model::{Aux, HostUri, Location, words};
use crate::store::Away;

words! {
    /// What one host says of a zone.
    View, "view" {
        /// It runs there.
        Runs = "runs",
        /// Its image is on the way, the hypervisor says.
        Moves = "moves",
        /// Its whole image is held there, and was never let run.
        Held = "held",
        /// It is there and does not run.
        Installed = "installed",
        /// It is not there.
        Absent = "absent",
        /// It was there, and went on from there to another host, which has it.
        GoneOn = "gone on",
        /// The host could not be asked.
        Silent = "silent",
    }
}

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
    async fn went_on(&self, engine: &Engine, row: &Away) -> Result<Option<There>, String> {
        let Some(uri) = &self.uri else { return Ok(None) };
        let row = Away { refuge: uri.clone(), ..row.clone() };
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
pub(in crate::evacuation) async fn view(host: &dyn Host, row: &Away) -> View {
    let Ok(inventory) = host.inventory().await else { return View::Silent };
    match inventory.identified(row.uuid) {
        // It is there, and more is not known.
        Err(_) => View::Silent,
        Ok(None) => View::Absent,
        Ok(Some(zone)) if !zone.is_running() => View::Installed,
        // One that its owner had paused before the move looks the same; it is let alone, not let run.
        Ok(Some(zone)) if zone.aux == Some(Aux::Paused) => View::Held,
        Ok(Some(zone)) if zone.aux == Some(Aux::MigratingIn) => View::Moves,
        Ok(Some(_)) => View::Runs,
    }
}

/// A host that has a zone which has gone on from one of the hosts of its move, and the record as it is then.
pub(super) type There = (Away, Arc<dyn Host>);

/// What both hosts say, and who has the zone if it has gone on from one of them.
pub(super) async fn look(
    engine: &Engine,
    row: &Away,
    ends: &[End; 2],
    was_paused: bool,
) -> Result<((View, View), Option<There>), String> {
    let [source, destination] = ends.each_ref().map(|end| end.host.as_ref());
    let mut seen = as_it_was(was_paused, view(source, row).await, view(destination, row).await);
    let mut found = None;
    // What runs at the one host has not gone on from the other one.
    if seen.0 == View::Runs || seen.1 == View::Runs {
        return Ok((seen, found));
    }
    for (end, seen) in ends.iter().zip([&mut seen.0, &mut seen.1]) {
        if *seen == View::Absent
            && let Some(there) = end.went_on(engine, row).await?
        {
            (*seen, found) = (View::GoneOn, Some(there));
        }
    }
    // Its refuge may have lost its records.
    if seen == (View::Absent, View::Absent)
        && let Some(there) = engine.search(row).await
    {
        (seen.1, found) = (View::GoneOn, Some(there));
    }
    Ok((seen, found))
}

/// A zone that its owner has paused looks like an image that is held, and stays paused wherever it goes.
pub(super) const fn as_it_was(was_paused: bool, source: View, destination: View) -> (View, View) {
    match (was_paused, source, destination) {
        (true, View::Held, destination) => (View::Runs, destination),
        (true, View::Installed | View::Absent, View::Held) => (source, View::Runs),
        _ => (source, destination),
    }
}
