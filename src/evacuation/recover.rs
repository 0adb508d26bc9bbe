//! After an interruption: both hosts are asked what is true, and each half-done move is finished or undone.
//!
//! [`decide`] says which.

mod ends;

use std::sync::Arc;

pub(super) use ends::view;
use ends::{End, look};

use super::engine::Engine;
use super::error::EvacuationError;
use super::events::Event;
use super::outcome::Down;
use super::rest;
use crate::host::{Host, HostError};
use crate::migration::recovery::{Observed, Resolution, decide};
use crate::model::chain;
use crate::model::{Aux, HostUri, Manifest, Step};
use crate::store::{Place, ZoneRecord};

/// Settles every half-done move of earlier runs, as far as both of its hosts answer; also zones that are
/// recorded as away and are here again. Gives the records that are still open then, and why: nothing may be done with
/// their zones.
pub async fn settle_interrupted(engine: &Engine) -> Result<Vec<Open>, EvacuationError> {
    Ok(settle_all(engine).await?.open)
}

/// What is so when all was settled that could be.
#[derive(Debug, Default)]
pub struct Settled {
    /// The records that are still open: nothing may be done with their zones.
    pub open: Vec<Open>,
    /// Zones that ran when their move began, and do not run where they are.
    pub down: Vec<Down>,
}

/// The same, and which of the guests are down after it.
///
/// # Errors
/// If it cannot be found out or written down.
pub async fn settle_all(engine: &Engine) -> Result<Settled, EvacuationError> {
    rest::settle(engine).await?;
    engine.look_at_those_down().await?;
    let mut settled = Settled::default();
    let mut rows = engine.store.away()?;
    if rows.is_empty() {
        return Ok(settled);
    }
    let here = engine.local.inventory().await?;
    rows.retain(|row| row.place != Place::Away || here.has(row.uuid));
    let uris = rows.iter().flat_map(|row| row.location.iter().chain(&row.relocating_to)).cloned();
    let connected = engine.peers.connect(uris).await;
    let host = |uri: &Option<HostUri>| match uri.as_ref().and_then(|uri| connected.get(uri)) {
        Some(Ok(host)) => Ok(End { uri: uri.clone(), host: Arc::clone(host) }),
        Some(Err(reason)) => Err(format!("where it is cannot be told: {reason}")),
        None => Err("where it is cannot be told".to_owned()),
    };
    let here = || End { uri: None, host: engine.local.clone() };
    for row in rows {
        let ends = host(&row.location).and_then(|there| {
            Ok(match row.place {
                Place::Relocating => [there, host(&row.relocating_to)?],
                Place::Returning => [there, here()],
                _ => [here(), there],
            })
        });
        let (is_settled, text) = match ends {
            Ok(ends) => settle(engine, &row, &ends, &mut settled.down).await?,
            Err(reason) => (false, reason),
        };
        engine.events.emit(&Event::Warning(&format!("{}: {text}", row.zone)));
        if !is_settled {
            settled.open.push(Open { row, why: Some(text) });
        }
    }
    settled.down.extend(engine.away_and_down()?);
    Ok(settled)
}

/// A record that is not settled: which host has its zone must be found out before anything is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The record.
    pub row: ZoneRecord,
    /// Why, if that was tried.
    pub why: Option<String>,
}

/// Settles one. Gives whether that could be done, and what was found.
async fn settle(
    engine: &Engine,
    row: &ZoneRecord,
    ends: &[End; 2],
    at_home: &mut Vec<Down>,
) -> Result<(bool, String), EvacuationError> {
    let [source, destination] = ends.each_ref().map(|end| end.host.as_ref());
    // One that is away nobody moves.
    let step = if row.place.is_interim() { engine.store.last_step(&row.zone)? } else { None };
    if step == Some(Step::Transfer) {
        // Its hypervisor may still be sending what nobody carries any more. Afterwards it says what is so.
        let _ = source.abort(row.zone.clone()).await;
    }
    let manifest = engine.store.manifest_of(row.uuid)?;
    let was_paused = manifest.as_ref().is_some_and(|manifest| manifest.zone.aux == Some(Aux::Paused));
    let (seen, found) = match look(engine, row, ends, was_paused).await {
        Ok(looked) => looked,
        Err(why) => return Ok((false, format!("where it is cannot be told: {why}"))),
    };
    let resolution = match (row.place, seen) {
        // It is home, whoever has brought it.
        (Place::Returning, (Observed::Absent, Observed::Runs | Observed::Installed)) => Resolution::Moved,
        _ => decide(step, seen.0, seen.1),
    };
    if let Some(why) = left_open(resolution, seen, [source.name(), destination.name()], row) {
        return Ok((false, why));
    }
    // One that cannot be settled now stops no other.
    let there = found.as_ref().map(|(_, host)| host.as_ref());
    let moved = match act(resolution, row, (source, destination, there), manifest.as_ref()).await {
        Ok(moved) => moved,
        Err(error) => {
            return Ok((false, format!("its move was interrupted and cannot be settled yet: {error}")));
        }
    };
    let destination = found.as_ref().map_or(destination, |(_, host)| host.as_ref());
    let place = if moved || resolution == Resolution::Follow { destination } else { source };
    let down = match row.place {
        Place::Away => None,
        _ => engine.down_after(row, place).await?,
    };
    let why_down = down.as_ref().map(|down| down.reason.clone());
    let record = match &found {
        Some((there, _)) if resolution == Resolution::Follow => {
            let place = if row.place == Place::Migrating { Place::Migrated } else { Place::Away };
            Some(ZoneRecord { place, relocating_to: None, ..there.clone() })
        }
        _ => settled(row, moved),
    };
    let record = record.map(|record| ZoneRecord { down: why_down.clone(), ..record });
    let is_away = record.as_ref().is_some_and(|record| record.place == Place::Away);
    match (record, manifest) {
        (Some(row), Some(manifest)) if row.place == Place::Migrated => {
            if let Err(error) = engine.gone(&row, &manifest, destination, Engine::now()) {
                return Ok((false, format!("it is on {}: {}", destination.name(), chain(&error))));
            }
        }
        (Some(row), _) => engine.store.update_zone(&row)?,
        (None, _) => drop(engine.store.zone_is_here(row.uuid)?),
    }
    if let Some(down) = down.filter(|_| !is_away) {
        engine.note_down(&down)?;
        at_home.push(down);
    }
    let place = place.name();
    let what = if row.place == Place::Away {
        "it was brought back by somebody else"
    } else {
        "its move was interrupted"
    };
    let is_down = if why_down.is_some() { ", and does not run" } else { "" };
    Ok((true, format!("{what}; it is on {place}{is_down}")))
}

/// The record of a zone that has moved or has not; none if it is at home. One that has gone for good is not away.
fn settled(row: &ZoneRecord, moved: bool) -> Option<ZoneRecord> {
    let away = ZoneRecord { place: Place::Away, relocating_to: None, ..row.clone() };
    match row.place {
        Place::Relocating if moved => Some(ZoneRecord { location: row.relocating_to.clone(), ..away }),
        Place::Relocating => Some(away),
        Place::Leaving => moved.then_some(away),
        Place::Migrating => moved.then_some(ZoneRecord { place: Place::Migrated, ..away }),
        Place::Returning => (!moved).then_some(away),
        // It was found here, and not there.
        _ => None,
    }
}

/// Why nothing is done, if so.
fn left_open(
    resolution: Resolution,
    seen: (Observed, Observed),
    names: [&str; 2],
    row: &ZoneRecord,
) -> Option<String> {
    let (zone, [source, destination]) = (&row.zone, names);
    if row.place == Place::Away && resolution != Resolution::RolledBack {
        // Nobody was moving it, so nothing is undone or finished.
        return Some(format!(
            "it is recorded as away at {}, and a zone of this name is here, too; look at both, then 'sysadm evacuate --forget {zone}'",
            row.other_host()
        ));
    }
    let says = |name: &str, view: Observed| match view {
        Observed::Silent => format!("{name} does not answer"),
        Observed::Runs => format!("it runs on {name}"),
        Observed::Moves => format!("{name} says that it moves"),
        Observed::Held => format!("it is held on {name}"),
        Observed::Installed => format!("it is installed on {name}"),
        Observed::Absent => format!("it is not on {name}"),
        Observed::GoneOn => format!("it has gone on from {name}"),
    };
    let known = format!("{}, {}", says(source, seen.0), says(destination, seen.1));
    match resolution {
        Resolution::Wait if matches!(seen, (Observed::Silent, _) | (_, Observed::Silent)) => Some(format!(
            "where it is cannot be told before both {source} and {destination} answer: {known}; then 'sysadm evacuate --resume'"
        )),
        Resolution::Wait => Some(format!("{known}; when that has ended: 'sysadm evacuate --resume'")),
        Resolution::NeedsOperator => {
            Some(format!("needs you: {known}; look at both, then 'sysadm evacuate --forget {zone}'"))
        }
        _ => None,
    }
}

/// Finishes or undoes a move of a zone; gives whether it has moved.
async fn act(
    resolution: Resolution,
    row: &ZoneRecord,
    (source, destination, there): (&dyn Host, &dyn Host, Option<&dyn Host>),
    manifest: Option<&Manifest>,
) -> Result<bool, HostError> {
    let (zone, uuid) = (row.zone.clone(), row.uuid);
    let persistent = manifest.filter(|manifest| manifest.zone.persistent);
    match resolution {
        Resolution::DiscardImage => {
            // Its hypervisor may still be sending it, whoever told it to is gone. What is held over there is a copy
            // only once that has ended, and the zone still runs here then.
            source.abort(zone.clone()).await?;
            if view(source, row).await != Observed::Runs {
                return Err(HostError::permanent(source.name(), "it has just left; try again"));
            }
            destination.destroy_incoming(zone.clone(), uuid).await?;
        }
        Resolution::UndefineAtDestination => destination.detach(zone.clone(), uuid, false).await?,
        Resolution::BootAtSource => {
            source.boot(zone.clone(), uuid).await?;
            destination.detach(zone.clone(), uuid, false).await?;
        }
        Resolution::ResumeAtDestination => {
            // In this order: what is not there any more cannot be booted there meanwhile.
            source.detach(zone.clone(), uuid, true).await?;
            destination.resume(zone.clone(), uuid).await?;
        }
        Resolution::UndefineAtSource => source.detach(zone.clone(), uuid, true).await?,
        Resolution::Follow => {
            let other = if row.place.is_departure() { source } else { destination };
            follow(row, other, there, persistent).await?;
            return Ok(false);
        }
        Resolution::RolledBack | Resolution::Moved | Resolution::Wait | Resolution::NeedsOperator => {}
    }
    let moved = matches!(
        resolution,
        Resolution::Moved | Resolution::UndefineAtSource | Resolution::ResumeAtDestination
    );
    if let Some(manifest) = persistent.filter(|_| moved) {
        destination.keep(manifest.clone()).await?;
    }
    if persistent.is_some_and(|manifest| manifest.zone.autostart) {
        // A zone that leaves is told not to boot with its host, and told so again where it has arrived.
        let home = if moved { destination } else { source };
        home.set_autostart(zone.clone(), true).await?;
    }
    if moved {
        // It is there for good. If that is not heard: what it came over is heeded by nobody while it is there.
        let _ = destination.release(zone, uuid).await;
    }
    Ok(moved)
}

/// Lets a zone be where it went on to: what the other host still has of it goes.
async fn follow(
    row: &ZoneRecord,
    other: &dyn Host,
    there: Option<&dyn Host>,
    persistent: Option<&Manifest>,
) -> Result<(), HostError> {
    if view(other, row).await == Observed::Installed {
        other.detach(row.zone.clone(), row.uuid, row.place.is_departure()).await?;
    }
    if let (Some(there), Some(manifest)) = (there, persistent) {
        there.keep(manifest.clone()).await?;
        if manifest.zone.autostart {
            there.set_autostart(row.zone.clone(), true).await?;
        }
    }
    Ok(())
}
