//! What may arrive here: nothing while this host is in maintenance or soon will be, nothing for which there is no room,
//! and nothing that was not booked.

use uuid::Uuid;

use super::Local;
use crate::hooks::Slip;
use crate::host::room::Room;
use crate::host::{DiskView, Host, HostError, probe};
use crate::maintenance;
use crate::model::{Arrival, Blocker, BlockerKind, Zone, ZoneName, ZoneState};
use crate::platform::PlatformError;
use crate::store::{AwayPhase, Reservation};
use crate::zonepath;

impl Local {
    pub(super) fn lock_blocker(&self) -> Result<Option<Blocker>, HostError> {
        let holders = self.store.holders().map_err(|error| self.failed(error))?;
        Ok(maintenance::describe(&holders).map(|holders| {
            Blocker::new(BlockerKind::Maintenance, format!("{} is in maintenance ({holders})", self.name))
        }))
    }

    /// When maintenance begins here, for people.
    pub(super) fn announced(&self) -> Result<Option<String>, HostError> {
        let announcement = self.store.announcement().map_err(|error| self.failed(error))?;
        Ok(announcement.map(|announcement| maintenance::foretell(&announcement, (self.clock)())))
    }

    /// A zone that comes now would soon have to leave again. One that belongs here comes home all the same, and one that
    /// is configured here may be attached: no other host brings it.
    pub(super) fn announced_blocker(&self, arrival: &Arrival) -> Result<Option<Blocker>, HostError> {
        let Some(when) = self.announced()? else { return Ok(None) };
        let away = self.store.away().map_err(|error| self.failed(error))?;
        let uuid = arrival.manifest.zone.uuid;
        let comes_home = arrival.from == self.name || away.iter().any(|row| row.uuid == uuid);
        let reason = format!("{} takes no more zones: its maintenance begins at {when}", self.name);
        Ok((!comes_home).then(|| Blocker::new(BlockerKind::Maintenance, reason)))
    }

    /// Memory that is kept for zones that are on their way, in bytes.
    pub(super) fn booked(&self) -> Result<u64, HostError> {
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        Ok(booked.iter().fold(0, |sum: u64, booking| sum.saturating_add(booking.memory)))
    }

    /// All reasons but room.
    pub(super) async fn blockers(&self, arrival: &Arrival) -> Result<Vec<Blocker>, HostError> {
        let mut blockers: Vec<_> = self.lock_blocker()?.into_iter().collect();
        blockers.extend(self.announced_blocker(arrival)?);
        let theirs = &arrival.manifest.platform;
        if theirs == self.platform.name() {
            blockers.extend(self.platform.check(arrival).await.map_err(|error| self.failed(error))?);
        } else {
            let reason =
                format!("{} runs {} zones, this is one of {theirs}", self.name, self.platform.name());
            blockers.push(Blocker::new(BlockerKind::Platform, reason));
            return Ok(blockers);
        }
        blockers.extend(self.software_blockers(arrival).await?);
        blockers.retain(|blocker| !(arrival.force && blocker.kind.is_validation()));
        let (zonepath, uuid) = (arrival.manifest.zonepath(), arrival.manifest.zone.uuid);
        let occupied = zonepath.and_then(|path| zonepath::occupied(path, uuid));
        blockers.extend(occupied.map(|reason| Blocker::new(BlockerKind::Identity, reason)));
        Ok(blockers)
    }

    /// The same, where a zone that is here already, does not run and is configured as the one that comes is in nobody's
    /// way: it is the same zone.
    pub(super) async fn blockers_but_the_same(&self, arrival: &Arrival) -> Result<Vec<Blocker>, HostError> {
        let blockers = self.blockers(arrival).await?;
        let is_there = blockers.iter().any(|blocker| blocker.kind == BlockerKind::Identity);
        if is_there && !arrival.overwrite && self.has_the_same(arrival).await? {
            return self.blockers(&Arrival { overwrite: true, ..arrival.clone() }).await;
        }
        Ok(blockers)
    }

    async fn has_the_same(&self, arrival: &Arrival) -> Result<bool, HostError> {
        // What comes from here would find itself.
        if arrival.from == self.name {
            return Ok(false);
        }
        let wanted = &arrival.manifest;
        let there = match self.platform.manifest(&wanted.zone.name).await {
            Err(PlatformError::NoSuchZone(_)) => return Ok(false),
            there => there.map_err(|error| self.failed(error))?,
        };
        let rests = there.zone.state == ZoneState::Installed && there.zone.aux.is_none();
        Ok(rests && there.zone.uuid == wanted.zone.uuid && there.config == wanted.config)
    }

    /// All reasons against a zone whose own host is not there to prove what its storage is: every disk must at least
    /// be something of its kind.
    ///
    /// # Errors
    /// If they cannot be found out.
    pub async fn validate(&self, arrival: &Arrival) -> Result<Vec<Blocker>, HostError> {
        let blockers = self.blockers(arrival).await?;
        let mut blockers = self.with_those_of_room(blockers, arrival).await?;
        let views = probe::find(&arrival.manifest.disks).await;
        blockers.extend(views.iter().filter_map(DiskView::blocker));
        Ok(blockers)
    }

    /// These reasons, and those of room.
    pub(super) async fn with_those_of_room(
        &self,
        mut blockers: Vec<Blocker>,
        arrival: &Arrival,
    ) -> Result<Vec<Blocker>, HostError> {
        let others = self.booked_beside(&arrival.manifest.zone)?;
        blockers.extend(self.room().await?.blockers(arrival, &others));
        Ok(blockers)
    }

    /// What is here now.
    pub(super) async fn room(&self) -> Result<Room<'_>, HostError> {
        let facts = self.platform.facts().await.map_err(|error| self.failed(error))?;
        let mut running = self.inventory().await?.zones;
        running.retain(Zone::is_running);
        let (leaving, ratio) = (self.sockets.has_departures(), self.limits.vcpus_per_cpu);
        Ok(Room { host: &self.name, facts, running, leaving, ratio })
    }

    /// What is booked here for other zones than that one.
    pub(super) fn booked_beside(&self, zone: &Zone) -> Result<Vec<Reservation>, HostError> {
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        Ok(booked.into_iter().filter(|other| other.uuid != zone.uuid).collect())
    }

    /// An arrival without a booking, or after the lock was set, goes no further.
    pub(super) fn admit(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        if let Some(blocker) = self.lock_blocker()? {
            return Err(self.refused(zone, vec![blocker]));
        }
        let booked = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        if booked.iter().any(|booking| booking.zone == *zone && booking.uuid == uuid) {
            return Ok(());
        }
        let reason = format!("no room is booked for it on {} (the booking has run out?)", self.name);
        Err(self.refused(zone, vec![Blocker::new(BlockerKind::Host, reason)]))
    }

    /// The lock is for all but a zone that was shut down here to leave, and did not come to run over there: for that
    /// one moment its boot is let past. None if the lock is not held.
    pub(super) fn pass(&self, zone: &ZoneName, uuid: Uuid) -> Result<Option<Slip>, HostError> {
        let Some(blocker) = self.lock_blocker()? else { return Ok(None) };
        let away = self.store.away().map_err(|error| self.failed(error))?;
        if away.iter().any(|row| row.uuid == uuid && row.phase == AwayPhase::Leaving) {
            return Slip::pass(&self.paths, uuid).map(Some).map_err(|error| self.failed(error));
        }
        Err(self.refused(zone, vec![blocker]))
    }
}
