//! Settles an interrupted move: both hosts are asked about the zone, and the move is finished or undone.
//!
//! [`super::recovery`] decides; this module acts. Which moves were interrupted, and what is recorded of their zones
//! afterwards, is up to the caller, who has the records.

use std::sync::Arc;

use uuid::Uuid;

use super::carry::abandon_all;
use super::data::Route;
use super::recovery::{Observed, Resolution, as_it_was, decide};
use super::steps::Side;
use crate::host::{Host, HostError};
use crate::model::{Aux, HostUri, Manifest, Step, ZoneName};

/// An interrupted move.
pub struct InterruptedMove<'a> {
    pub zone: &'a ZoneName,
    pub uuid: Uuid,
    /// The configuration kept by the host to which the zone belongs.
    pub record: Option<&'a Manifest>,
    /// The step of the last intent in the journal; none: the zone was not being moved.
    pub step: Option<Step>,
    /// Which of the two hosts the zone belongs to, if either.
    pub home: Option<Side>,
    /// The host that the zone was leaving.
    pub source: &'a dyn Host,
    /// The host that the zone was going to.
    pub destination: &'a dyn Host,
}

/// A host to which a zone moved on.
#[derive(Clone)]
pub struct ReachedHost {
    pub uri: HostUri,
    pub host: Arc<dyn Host>,
}

/// Finds a zone that neither of the two hosts has any more.
#[async_trait::async_trait]
pub trait Trace: Sync {
    /// The host to which the zone moved on from that host, if it did.
    ///
    /// # Errors
    /// If that is not known.
    async fn went_on(&self, from: Side) -> Result<Option<ReachedHost>, String>;

    /// Another host that has the zone, if there is one: both hosts may have lost their records.
    async fn search(&self) -> Option<ReachedHost>;
}

/// The state of an interrupted move, and what to do.
pub struct Diagnosis {
    /// What the source and the destination say.
    pub observed: (Observed, Observed),
    pub resolution: Resolution,
    /// The host to which the zone moved on.
    location: Option<ReachedHost>,
}

/// Where a zone is when its move is settled.
#[derive(Clone)]
pub enum SettledAt {
    /// At the source.
    Source,
    /// At the destination.
    Destination,
    /// On a third host, to which it moved on.
    Location(ReachedHost),
}

/// Asks a host about a zone.
pub async fn observe(host: &dyn Host, uuid: Uuid) -> Observed {
    let Ok(inventory) = host.inventory().await else { return Observed::Silent };
    match inventory.identified(uuid) {
        // The zone is there, and nothing more is known.
        Err(_) => Observed::Silent,
        Ok(zone) => Observed::of(zone),
    }
}

impl InterruptedMove<'_> {
    /// Asks both hosts, and finds out where the zone moved on to. Changes nothing, except that a transfer which
    /// no run controls any more is cancelled.
    ///
    /// # Errors
    /// If it is not known where the zone moved on to.
    pub async fn diagnose(&self, trace: &dyn Trace) -> Result<Diagnosis, String> {
        if self.step == Some(Step::Transfer) {
            // The hypervisor may still be sending for a run that is gone. Afterwards it knows the true state.
            let _ = self.source.abort(self.zone.clone()).await;
        }
        let (observed, location) = self.look(trace).await?;
        let resolution = match (self.home, observed) {
            // The zone is home, whatever brought it there.
            (Some(Side::Destination), (Observed::Absent, Observed::Runs | Observed::Installed)) => {
                Resolution::Moved
            }
            _ => decide(self.step, observed.0, observed.1),
        };
        Ok(Diagnosis { observed, resolution, location })
    }

    async fn look(&self, trace: &dyn Trace) -> Result<((Observed, Observed), Option<ReachedHost>), String> {
        let was_paused = self.record.is_some_and(|record| record.zone.aux == Some(Aux::Paused));
        let (source, destination) =
            (observe(self.source, self.uuid).await, observe(self.destination, self.uuid).await);
        let mut observed = as_it_was(was_paused, source, destination);
        let mut location = None;
        // A zone that runs on one of the hosts has not moved on from the other one.
        if observed.0 == Observed::Runs || observed.1 == Observed::Runs {
            return Ok((observed, location));
        }
        for (side, seen) in [(Side::Source, &mut observed.0), (Side::Destination, &mut observed.1)] {
            if *seen == Observed::Absent
                && let Some(found) = trace.went_on(side).await?
            {
                (*seen, location) = (Observed::GoneOn, Some(found));
            }
        }
        if observed == (Observed::Absent, Observed::Absent)
            && let Some(found) = trace.search().await
        {
            (observed.1, location) = (Observed::GoneOn, Some(found));
        }
        Ok((observed, location))
    }

    /// Why nothing can be done now, if so.
    pub fn why_left_open(&self, diagnosis: &Diagnosis) -> Option<String> {
        let (source, destination) = (self.source.name(), self.destination.name());
        let says = |name: &str, observed: Observed| match observed {
            Observed::Silent => format!("{name} does not answer"),
            Observed::Runs => format!("it runs on {name}"),
            Observed::Moves => format!("{name} says that it moves"),
            Observed::Held => format!("it is held on {name}"),
            Observed::Installed => format!("it is installed on {name}"),
            Observed::Absent => format!("it is not on {name}"),
            Observed::GoneOn => format!("it has gone on from {name}"),
        };
        let observed = diagnosis.observed;
        let known = format!("{}, {}", says(source, observed.0), says(destination, observed.1));
        match diagnosis.resolution {
            Resolution::Wait if matches!(observed, (Observed::Silent, _) | (_, Observed::Silent)) => {
                Some(format!(
                    "where it is cannot be told before both {source} and {destination} answer: {known}; then 'sysadm evacuate --resume'"
                ))
            }
            Resolution::Wait => Some(format!("{known}; when that has ended: 'sysadm evacuate --resume'")),
            Resolution::NeedsOperator => Some(format!(
                "needs you: {known}; look at both, then 'sysadm evacuate --forget {}'",
                self.zone
            )),
            _ => None,
        }
    }

    /// Finishes or undoes the move; returns where the zone is then.
    ///
    /// # Errors
    /// If a host did not do its part: the move is as unsettled as before.
    pub async fn settle(&self, diagnosis: Diagnosis) -> Result<SettledAt, HostError> {
        let (zone, uuid) = (self.zone.clone(), self.uuid);
        let (source, destination) = (self.source, self.destination);
        match diagnosis.resolution {
            Resolution::DiscardImage => {
                // The hypervisor may still be sending for a run that is gone. Only when that has ended, and the
                // zone still runs here, is the held image at the destination a mere copy.
                source.abort(zone.clone()).await?;
                if observe(source, uuid).await != Observed::Runs {
                    return Err(HostError::permanent(source.name(), "it has just left; try again"));
                }
                destination.destroy_incoming(zone, uuid).await?;
            }
            Resolution::UndefineAtDestination => destination.detach(zone, uuid, false).await?,
            Resolution::BootAtSource => {
                source.boot(zone.clone(), uuid).await?;
                destination.detach(zone, uuid, false).await?;
            }
            Resolution::ResumeAtDestination => {
                // In this order: once it is undefined there it cannot be booted there meanwhile.
                source.detach(zone.clone(), uuid, true).await?;
                destination.resume(zone, uuid).await?;
            }
            Resolution::UndefineAtSource => source.detach(zone, uuid, true).await?,
            Resolution::Follow => self.follow(diagnosis.location.as_ref()).await?,
            Resolution::RolledBack | Resolution::Moved | Resolution::Wait | Resolution::NeedsOperator => {}
        }
        Ok(match (diagnosis.resolution, diagnosis.location) {
            (Resolution::Follow, Some(location)) => SettledAt::Location(location),
            (Resolution::Moved | Resolution::UndefineAtSource | Resolution::ResumeAtDestination, _) => {
                self.keep_at(destination).await?;
                // The zone is there for good. An error is harmless: the saved configuration is ignored while the
                // zone is there.
                let _ = destination.release(self.zone.clone(), uuid).await;
                SettledAt::Destination
            }
            _ => {
                // It stays: what movers have begun goes.
                let route = Route { zone: self.zone, uuid, from: source, to: destination };
                abandon_all(route, self.record.map_or(&[], |record| &record.disks)).await?;
                self.set_autostart(source).await?;
                SettledAt::Source
            }
        })
    }

    /// Leaves a zone where it moved on to, and removes what the other host still has of it.
    async fn follow(&self, location: Option<&ReachedHost>) -> Result<(), HostError> {
        let is_leaving = self.home == Some(Side::Source);
        let other = if is_leaving { self.source } else { self.destination };
        if observe(other, self.uuid).await == Observed::Installed {
            other.detach(self.zone.clone(), self.uuid, is_leaving).await?;
        }
        match location {
            Some(location) => self.keep_at(location.host.as_ref()).await,
            None => Ok(()),
        }
    }

    /// Defines the zone on that host, where it may have been undefined while it was arriving.
    async fn keep_at(&self, host: &dyn Host) -> Result<(), HostError> {
        if let Some(record) = self.record.filter(|record| record.zone.persistent) {
            host.keep(record.clone()).await?;
        }
        self.set_autostart(host).await
    }

    /// Restores autostart, which is switched off while a zone leaves, where the zone is now.
    async fn set_autostart(&self, host: &dyn Host) -> Result<(), HostError> {
        match self.record.is_some_and(|record| record.zone.persistent && record.zone.autostart) {
            true => host.set_autostart(self.zone.clone(), true).await,
            false => Ok(()),
        }
    }
}
