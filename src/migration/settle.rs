//! A move that was interrupted: both of its hosts are asked what is true of the zone, and the move is finished or undone.
//!
//! [`super::recovery`] is the table; what it says is done here. Which moves were interrupted, and what is recorded of
//! their zones afterwards, is the business of whoever has the records.

use std::sync::Arc;

use uuid::Uuid;

use super::recovery::{Observed, Resolution, as_it_was, decide};
use super::steps::Side;
use crate::host::{Host, HostError};
use crate::model::{Aux, HostUri, Manifest, Step, ZoneName};

/// A move that was interrupted.
pub struct InterruptedMove<'a> {
    /// The zone.
    pub zone: &'a ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// What is kept of it by the host that it belongs to.
    pub record: Option<&'a Manifest>,
    /// The step of which the journal has the last intent; none: nobody was moving it.
    pub step: Option<Step>,
    /// Which of the two it belongs to, if either.
    pub home: Option<Side>,
    /// Where it was.
    pub source: &'a dyn Host,
    /// Where it was to go.
    pub destination: &'a dyn Host,
}

/// A host that a zone went on to.
#[derive(Clone)]
pub struct Refuge {
    /// Where it is reached.
    pub uri: HostUri,
    /// The host.
    pub host: Arc<dyn Host>,
}

/// Finds a zone that neither of the two hosts has any more.
#[async_trait::async_trait]
pub trait Trace: Sync {
    /// Where it went from that host, if it did.
    ///
    /// # Errors
    /// If that cannot be told.
    async fn went_on(&self, from: Side) -> Result<Option<Refuge>, String>;

    /// Which other host has it, if there is one: the two may have lost their records.
    async fn search(&self) -> Option<Refuge>;
}

/// What is so with a move that was interrupted, and what is to be done.
pub struct Diagnosis {
    /// What the source and the destination say.
    pub observed: (Observed, Observed),
    /// What follows from that.
    pub resolution: Resolution,
    /// The host that the zone went on to.
    refuge: Option<Refuge>,
}

/// Where a zone is when its move is settled.
#[derive(Clone)]
pub enum SettledAt {
    /// Where it was.
    Source,
    /// Where it was to go.
    Destination,
    /// It went on from one of the two.
    Refuge(Refuge),
}

/// What a host says of a zone.
pub async fn observe(host: &dyn Host, uuid: Uuid) -> Observed {
    let Ok(inventory) = host.inventory().await else { return Observed::Silent };
    match inventory.identified(uuid) {
        // It is there, and more is not known.
        Err(_) => Observed::Silent,
        Ok(zone) => Observed::of(zone),
    }
}

impl InterruptedMove<'_> {
    /// Asks both hosts, and where the zone is if it went on from one of them. Changes nothing but that a transfer that
    /// nobody carries any more is ended.
    ///
    /// # Errors
    /// If where it went cannot be told.
    pub async fn diagnose(&self, trace: &dyn Trace) -> Result<Diagnosis, String> {
        if self.step == Some(Step::Transfer) {
            // Its hypervisor may still be sending what nobody carries any more. Afterwards it says what is so.
            let _ = self.source.abort(self.zone.clone()).await;
        }
        let (observed, refuge) = self.look(trace).await?;
        let resolution = match (self.home, observed) {
            // It is home, whoever has brought it.
            (Some(Side::Destination), (Observed::Absent, Observed::Runs | Observed::Installed)) => {
                Resolution::Moved
            }
            _ => decide(self.step, observed.0, observed.1),
        };
        Ok(Diagnosis { observed, resolution, refuge })
    }

    async fn look(&self, trace: &dyn Trace) -> Result<((Observed, Observed), Option<Refuge>), String> {
        let was_paused = self.record.is_some_and(|record| record.zone.aux == Some(Aux::Paused));
        let (source, destination) =
            (observe(self.source, self.uuid).await, observe(self.destination, self.uuid).await);
        let mut observed = as_it_was(was_paused, source, destination);
        let mut refuge = None;
        // What runs at the one host has not gone on from the other one.
        if observed.0 == Observed::Runs || observed.1 == Observed::Runs {
            return Ok((observed, refuge));
        }
        for (side, seen) in [(Side::Source, &mut observed.0), (Side::Destination, &mut observed.1)] {
            if *seen == Observed::Absent
                && let Some(found) = trace.went_on(side).await?
            {
                (*seen, refuge) = (Observed::GoneOn, Some(found));
            }
        }
        if observed == (Observed::Absent, Observed::Absent)
            && let Some(found) = trace.search().await
        {
            (observed.1, refuge) = (Observed::GoneOn, Some(found));
        }
        Ok((observed, refuge))
    }

    /// Why nothing is done, if so.
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

    /// Finishes or undoes the move; gives where the zone is then.
    ///
    /// # Errors
    /// If a host did not do its part: the move is as open as before.
    pub async fn settle(&self, diagnosis: Diagnosis) -> Result<SettledAt, HostError> {
        let (zone, uuid) = (self.zone.clone(), self.uuid);
        let (source, destination) = (self.source, self.destination);
        match diagnosis.resolution {
            Resolution::DiscardImage => {
                // Its hypervisor may still be sending it, whoever told it to is gone. What is held over there is a copy
                // only once that has ended, and the zone still runs here then.
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
                // In this order: what is not there any more cannot be booted there meanwhile.
                source.detach(zone.clone(), uuid, true).await?;
                destination.resume(zone, uuid).await?;
            }
            Resolution::UndefineAtSource => source.detach(zone, uuid, true).await?,
            Resolution::Follow => self.follow(diagnosis.refuge.as_ref()).await?,
            Resolution::RolledBack | Resolution::Moved | Resolution::Wait | Resolution::NeedsOperator => {}
        }
        Ok(match (diagnosis.resolution, diagnosis.refuge) {
            (Resolution::Follow, Some(refuge)) => SettledAt::Refuge(refuge),
            (Resolution::Moved | Resolution::UndefineAtSource | Resolution::ResumeAtDestination, _) => {
                self.keep_at(destination).await?;
                // It is there for good. If that is not heard: what it came over is heeded by nobody while it is there.
                let _ = destination.release(self.zone.clone(), uuid).await;
                SettledAt::Destination
            }
            _ => {
                self.set_autostart(source).await?;
                SettledAt::Source
            }
        })
    }

    /// Lets a zone be where it went on to: what the other host still has of it goes.
    async fn follow(&self, refuge: Option<&Refuge>) -> Result<(), HostError> {
        let is_leaving = self.home == Some(Side::Source);
        let other = if is_leaving { self.source } else { self.destination };
        if observe(other, self.uuid).await == Observed::Installed {
            other.detach(self.zone.clone(), self.uuid, is_leaving).await?;
        }
        match refuge {
            Some(refuge) => self.keep_at(refuge.host.as_ref()).await,
            None => Ok(()),
        }
    }

    /// Makes that host keep the zone, which may have been undefined there while it was on its way.
    async fn keep_at(&self, host: &dyn Host) -> Result<(), HostError> {
        if let Some(record) = self.record.filter(|record| record.zone.persistent) {
            host.keep(record.clone()).await?;
        }
        self.set_autostart(host).await
    }

    /// A zone that leaves is told not to boot with its host, and told so again where it is then.
    async fn set_autostart(&self, host: &dyn Host) -> Result<(), HostError> {
        match self.record.is_some_and(|record| record.zone.persistent && record.zone.autostart) {
            true => host.set_autostart(self.zone.clone(), true).await,
            false => Ok(()),
        }
    }
}
