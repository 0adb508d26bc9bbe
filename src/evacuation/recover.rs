//! After an interruption: which moves are unfinished, and what is recorded of each when it is settled.
//!
//! [`crate::migration::settle`] settles one of them.

use std::sync::Arc;

use super::engine::{Engine, Event};
use super::outcome::Down;
use super::request::EvacuationError;
use super::return_path::{End, RecoveryTrace};
use crate::migration::recovery::{Observed, RecordFate, Resolution, decide_in_place};
use crate::migration::settle::{InterruptedMove, ReachedHost, SettledAt, UNKNOWN, look_at_both};
use crate::migration::steps::Side;
use crate::model::{Aux, HostUri, Message, RESUME, Step, Zone};
use crate::store::{Place, ZoneRecord};

/// Settles every unfinished move of earlier runs, as far as both of its hosts answer; also zones that are
/// recorded as away and are here again. Returns the records that are not settled, and why: nothing may be done
/// with their zones.
pub async fn settle_interrupted(engine: &Engine) -> Result<Vec<Unsettled>, EvacuationError> {
    Ok(settle_all(engine).await?.open)
}

/// The result of settling.
#[derive(Debug, Default)]
pub struct Settled {
    /// The records that are not settled: nothing may be done with their zones.
    pub open: Vec<Unsettled>,
    /// Zones that ran when their move began, and do not run now.
    pub down: Vec<Down>,
}

/// Likewise; also returns which of the guests are down afterwards.
pub async fn settle_all(engine: &Engine) -> Result<Settled, EvacuationError> {
    settle_stopped(engine).await?;
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
    let there = |uri: &Option<HostUri>| match uri.as_ref().and_then(|uri| Some((uri, connected.get(uri)?))) {
        Some((uri, Ok(host))) => Ok(End::There(ReachedHost { uri: uri.clone(), host: Arc::clone(host) })),
        Some((_, Err(reason))) => Err(Message::of(reason).about(UNKNOWN)),
        None => Err(UNKNOWN.into()),
    };
    let here = || End::Here(engine.local.clone());
    for row in rows {
        let ends = there(&row.location).and_then(|location| {
            Ok(match row.place {
                Place::Relocating => [location, there(&row.relocating_to)?],
                Place::Returning => [location, here()],
                _ => [here(), location],
            })
        });
        let (is_settled, text) = match ends {
            Ok(ends) => settle(engine, &row, &ends, &mut settled.down).await?,
            Err(reason) => (false, reason),
        };
        engine.events.emit(&Event::Warning(text.clone().about(&row.zone)));
        if !is_settled {
            settled.open.push(Unsettled { row, why: Some(text) });
        }
    }
    settled.down.extend(engine.away_and_down()?);
    Ok(settled)
}

/// Corrects the records of zones that were stopped here, after an interruption or acts of their owners.
async fn settle_stopped(engine: &Engine) -> Result<(), EvacuationError> {
    let stopped = engine.store.stopped()?;
    if stopped.is_empty() {
        return Ok(());
    }
    let inventory = engine.local.inventory().await?;
    for rest in stopped {
        let zone = match inventory.identified(rest.uuid) {
            Ok(zone) => zone,
            Err(unmanaged_guest) => {
                engine.events.emit(&Event::Warning(unmanaged_guest.message()));
                continue;
            }
        };
        let is_booting = engine.store.last_step(&rest.zone)? == Some(Step::Boot);
        let text = match decide_in_place(rest.place, Observed::of(zone), is_booting) {
            RecordFate::Keep => continue,
            RecordFate::Wait(text, hint) => Message::from(text).with_hint(hint),
            RecordFate::Rests(text) => {
                engine.store.update_zone(&rests_now(&rest, zone))?;
                text.into()
            }
            RecordFate::Drop(text) => {
                engine.store.zone_is_here(rest.uuid)?;
                text.into()
            }
        };
        engine.events.emit(&Event::Warning(text.about(&rest.zone)));
    }
    Ok(())
}

/// The record of a zone that does not run. If its memory was not saved, it was stopped.
pub(super) fn rests_now(rest: &ZoneRecord, zone: Option<&Zone>) -> ZoneRecord {
    let saved = zone.is_some_and(|zone| zone.aux == Some(Aux::Suspended));
    let place = match rest.place {
        Place::Suspending | Place::Suspended if saved => Place::Suspended,
        _ => Place::Stopped,
    };
    ZoneRecord { place, ..rest.clone() }
}

/// A record that is not settled: it must be found out which host has its zone before anything is done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsettled {
    pub row: ZoneRecord,
    /// Why, if it was tried.
    pub why: Option<Message>,
}

/// Settles one record. Returns whether that succeeded, and what was found.
async fn settle(
    engine: &Engine,
    row: &ZoneRecord,
    ends: &[End; 2],
    at_home: &mut Vec<Down>,
) -> Result<(bool, Message), EvacuationError> {
    let [source, destination] = ends.each_ref().map(End::host);
    let manifest = engine.store.manifest_of(row.uuid)?;
    let interrupted = InterruptedMove {
        zone: &row.zone,
        uuid: row.uuid,
        record: manifest.as_ref(),
        // One that is away nobody moves.
        step: if row.place.is_interim() { engine.store.last_step(&row.zone)? } else { None },
        home: match row.place {
            Place::Relocating => None,
            Place::Returning => Some(Side::Destination),
            _ => Some(Side::Source),
        },
        source,
        destination,
    };
    let diagnosis = match interrupted.diagnose(&RecoveryTrace { engine, row, ends }).await {
        Ok(diagnosis) => diagnosis,
        Err(why) => return Ok((false, why.about(UNKNOWN))),
    };
    let why_left_open = match row.place {
        // It was not being moved, so nothing is undone or finished.
        Place::Away if diagnosis.resolution != Resolution::RolledBack => {
            let at = row.other_host();
            let text = format!("recorded as away at {at}, but a zone of this name is here, too");
            Some(Message::from(text).with_hint(look_at_both(&row.zone)))
        }
        _ => interrupted.why_left_open(&diagnosis),
    };
    if let Some(why) = why_left_open {
        return Ok((false, why));
    }
    // One that cannot be settled now does not hold up the others.
    let settled = match interrupted.settle(diagnosis).await {
        Ok(settled) => settled,
        Err(error) => {
            let why = Message::from(error).about("its move was interrupted and cannot be settled yet");
            return Ok((false, why.with_hint(RESUME)));
        }
    };
    let host = match &settled {
        SettledAt::Source => source,
        SettledAt::Destination => destination,
        SettledAt::Location(location) => location.host.as_ref(),
    };
    let down = match row.place {
        Place::Away => None,
        _ => engine.down_after(row, host).await?,
    };
    let is_down = if down.is_some() { ", and is not running" } else { "" };
    let record = record(row, &settled).map(|record| {
        let down = down.as_ref().map(|down| down.reason.text.clone());
        ZoneRecord { down, ..record }
    });
    let is_away = record.as_ref().is_some_and(|record| record.place == Place::Away);
    match (record, manifest) {
        (Some(row), Some(manifest)) if row.place == Place::Migrated => {
            if let Err(error) = engine.gone(&row, &manifest, host, Engine::now()) {
                return Ok((false, Message::from(error).about(format!("it is on {}", host.name()))));
            }
        }
        (Some(row), _) => engine.store.update_zone(&row)?,
        (None, _) => drop(engine.store.zone_is_here(row.uuid)?),
    }
    if let Some(down) = down.filter(|_| !is_away) {
        engine.note_down(&down)?;
        at_home.push(down);
    }
    let what = match row.place {
        Place::Away => "it was brought back by somebody else",
        _ => "its move was interrupted",
    };
    Ok((true, format!("{what}; it is on {}{is_down}", host.name()).into()))
}

/// The record of a zone that is there now; none if it is at home. One that has moved for good is not away.
fn record(row: &ZoneRecord, settled: &SettledAt) -> Option<ZoneRecord> {
    let place = if row.place == Place::Migrating { Place::Migrated } else { Place::Away };
    let there = ZoneRecord { place, relocating_to: None, ..row.clone() };
    match (settled, row.place) {
        (SettledAt::Location(location), _) => {
            Some(ZoneRecord { location: Some(location.uri.clone()), ..there })
        }
        (SettledAt::Source, Place::Returning | Place::Relocating)
        | (SettledAt::Destination, Place::Leaving | Place::Migrating) => Some(there),
        (SettledAt::Destination, Place::Relocating) => {
            Some(ZoneRecord { location: row.relocating_to.clone(), ..there })
        }
        // One that was away was found here, and not there.
        _ => None,
    }
}
