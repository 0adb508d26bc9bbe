//! What may arrive here: nothing while this host is in maintenance or soon will be, nothing for which there is no
//! room, and nothing without a reservation.

use uuid::Uuid;

use super::{Local, identity};
use crate::boot_lock::BootPermit;
use crate::host::capacity::Capacity;
use crate::host::{DiskView, Host, HostError, storage_probe};
use crate::maintenance;
use crate::model::{
    Blocker, BlockerKind, CheckRequest, Disk, Inventory, Message, PendingLoad, Zone, ZoneName, ZoneState,
};
use crate::platform::PlatformError;
use crate::store::{Place, Reservation, ZoneRecord};
use crate::zonepath;

/// What is on this host when a zone asks for room.
pub(super) struct Present {
    /// The reservations of other zones.
    pub reserved: Vec<Reservation>,
    /// The zones that are here.
    pub inventory: Inventory,
}

impl Local {
    pub(super) fn lock_blocker(&self) -> Result<Option<Blocker>, HostError> {
        let holders = self.store.holders().map_err(|error| self.failed(error))?;
        Ok(maintenance::describe(&holders).map(|holders| {
            Blocker::new(BlockerKind::Maintenance, format!("{} is in maintenance ({holders})", self.name))
        }))
    }

    /// When announced maintenance begins here, to be shown to people.
    pub(super) fn announced(&self) -> Result<Option<String>, HostError> {
        let announcement = self.store.announcement().map_err(|error| self.failed(error))?;
        Ok(announcement.map(|announcement| maintenance::foretell(&announcement, (self.clock)())))
    }

    /// A zone that arrives now would soon have to leave again. A zone that belongs here may come home all the
    /// same, and one that is configured here may be attached: it does not come from another host.
    pub(super) fn announced_blocker(&self, request: &CheckRequest) -> Result<Option<Blocker>, HostError> {
        let Some(when) = self.announced()? else { return Ok(None) };
        let record = self.store.zone(request.manifest.zone.uuid).map_err(|error| self.failed(error))?;
        let comes_home =
            request.from == self.name || record.is_some_and(|record| record.place.is_elsewhere());
        let reason = format!("{} takes no more zones: its maintenance begins at {when}", self.name);
        Ok((!comes_home).then(|| Blocker::new(BlockerKind::Maintenance, reason)))
    }

    /// What is here now. Reservations are read first: a zone that arrives meanwhile is among the one or the other.
    pub(super) async fn present(&self, zone: &Zone) -> Result<Present, HostError> {
        let reserved = self.reserved_beside(zone)?;
        Ok(Present { reserved, inventory: self.inventory().await? })
    }

    /// Blockers by records of zones that the platform does not have, and whose name or configuration would be
    /// lost: zones that are configured here, or away. A zone's own record does not block attaching it. Also the
    /// zonepath being occupied.
    fn recorded_blockers(&self, request: &CheckRequest, here: &Inventory) -> Result<Vec<Blocker>, HostError> {
        let mut reasons = Vec::new();
        if request.from != self.name {
            let mut records = self.store.zones().map_err(|error| self.failed(error))?;
            records.retain(|record| record.place.is_elsewhere() || !here.has(record.uuid));
            let manifest =
                self.store.manifest_of(request.manifest.zone.uuid).map_err(|error| self.failed(error))?;
            let kept = manifest.as_ref().map(|manifest| manifest.config.as_str());
            reasons.extend(records.iter().filter_map(|record| in_the_way(record, kept, request)));
        }
        let (zonepath, uuid) = (request.manifest.zonepath(), request.manifest.zone.uuid);
        reasons.extend(zonepath.and_then(|path| zonepath::occupied(path, uuid)));
        Ok(reasons.into_iter().map(|reason| Blocker::new(BlockerKind::Identity, reason)).collect())
    }

    /// What is reserved for zones on their way here.
    pub(super) fn reserved(&self) -> Result<PendingLoad, HostError> {
        let reserved = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        let add = |sum: PendingLoad, one: &Reservation| PendingLoad {
            memory: sum.memory.saturating_add(one.memory),
            cpus: sum.cpus.saturating_add(one.cpus),
            disk: sum.disk.saturating_add(one.disk),
        };
        Ok(reserved.iter().fold(PendingLoad::default(), add))
    }

    /// All blockers by maintenance, platform and software: everything that takes long.
    async fn unfit(&self, request: &CheckRequest) -> Result<Vec<Blocker>, HostError> {
        let mut blockers: Vec<_> = self.lock_blocker()?.into_iter().collect();
        blockers.extend(self.announced_blocker(request)?);
        let theirs = &request.manifest.platform;
        if theirs == self.platform.name() {
            blockers.extend(self.platform.check(request).await.map_err(|error| self.failed(error))?);
        } else {
            let reason =
                format!("{} runs {} zones, this is one of {theirs}", self.name, self.platform.name());
            blockers.push(Blocker::new(BlockerKind::Platform, reason));
            return Ok(blockers);
        }
        blockers.extend(self.software_blockers(request).await?);
        blockers.retain(|blocker| !(request.force && blocker.kind.is_validation()));
        Ok(blockers)
    }

    /// Conflicts with guests that are here, or that are recorded, and are not the same zone.
    fn clashes(&self, request: &CheckRequest, here: &Inventory) -> Result<Vec<Blocker>, HostError> {
        if request.manifest.platform != self.platform.name() {
            return Ok(Vec::new());
        }
        let mut blockers = identity::blockers(here, request);
        blockers.extend(self.recorded_blockers(request, here)?);
        Ok(blockers)
    }

    /// All blockers except for room, and what is here, which is listed only once, after everything that takes long.
    async fn blockers(&self, request: &CheckRequest) -> Result<(Vec<Blocker>, Present), HostError> {
        let mut blockers = self.unfit(request).await?;
        let present = self.present(&request.manifest.zone).await?;
        blockers.extend(self.clashes(request, &present.inventory)?);
        Ok((blockers, present))
    }

    /// As `blockers`, but a zone that is here already, does not run and has the same configuration is no blocker:
    /// it is the same zone.
    pub(super) async fn blockers_but_the_same(
        &self,
        request: &CheckRequest,
    ) -> Result<(Vec<Blocker>, Present), HostError> {
        let (mut blockers, present) = self.blockers(request).await?;
        let is_there = blockers.iter().any(|blocker| blocker.kind == BlockerKind::Identity);
        if is_there && !request.overwrite && self.has_the_same(request).await? {
            blockers.retain(|blocker| blocker.kind != BlockerKind::Identity);
            let overwriting = CheckRequest { overwrite: true, ..request.clone() };
            blockers.extend(self.clashes(&overwriting, &present.inventory)?);
        }
        Ok((blockers, present))
    }

    async fn has_the_same(&self, request: &CheckRequest) -> Result<bool, HostError> {
        // A zone that comes from this host would find itself.
        if request.from == self.name {
            return Ok(false);
        }
        let wanted = &request.manifest;
        let there = match self.platform.manifest(&wanted.zone.name).await {
            Err(PlatformError::NoSuchZone(_)) => return Ok(false),
            there => there.map_err(|error| self.failed(error))?,
        };
        let rests = there.zone.state == ZoneState::Installed && there.zone.aux.is_none();
        Ok(rests && there.zone.uuid == wanted.zone.uuid && there.config == wanted.config)
    }

    /// All blockers of a zone whose own host cannot prove what its storage is: every disk must at least be of the
    /// right kind.
    pub async fn validate(&self, request: &CheckRequest) -> Result<Vec<Blocker>, HostError> {
        let mut blockers = self.with_those_of_room(self.blockers(request).await?, request).await?;
        let views = storage_probe::find(&request.manifest.disks).await;
        blockers.extend(views.iter().filter_map(DiskView::blocker));
        Ok(blockers)
    }

    /// Notes about a zone's storage that are no blockers.
    pub async fn notes(&self, disks: &[Disk]) -> Vec<String> {
        storage_probe::find(disks).await.iter().filter_map(DiskView::note).collect()
    }

    /// These blockers, and those for lack of room.
    pub(super) async fn with_those_of_room(
        &self,
        (mut blockers, present): (Vec<Blocker>, Present),
        request: &CheckRequest,
    ) -> Result<Vec<Blocker>, HostError> {
        let capacity = self.capacity(&present.inventory).await?;
        blockers.extend(capacity.blockers(request, &present.reserved));
        Ok(blockers)
    }

    /// The capacity of this host and the use of it by running zones.
    pub(super) async fn capacity(&self, here: &Inventory) -> Result<Capacity<'_>, HostError> {
        let facts = self.platform.facts().await.map_err(|error| self.failed(error))?;
        let running = here.zones.iter().filter(|zone| zone.is_running()).cloned().collect();
        let (leaving, ratio) = (self.sockets.has_departures(), self.limits.vcpus_per_cpu);
        Ok(Capacity { host: &self.name, facts, running, leaving, ratio })
    }

    /// The reservations of other zones than that one.
    pub(super) fn reserved_beside(&self, zone: &Zone) -> Result<Vec<Reservation>, HostError> {
        let reserved = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        Ok(reserved.into_iter().filter(|other| other.uuid != zone.uuid).collect())
    }

    /// Refuses an arrival without a reservation, or after maintenance has begun.
    pub(super) fn admit(&self, zone: &ZoneName, uuid: Uuid) -> Result<(), HostError> {
        if let Some(blocker) = self.lock_blocker()? {
            return Err(self.refused(zone, vec![blocker]));
        }
        let reserved = self.store.reservations((self.clock)()).map_err(|error| self.failed(error))?;
        if reserved.iter().any(|reservation| reservation.zone == *zone && reservation.uuid == uuid) {
            return Ok(());
        }
        let reason =
            format!("no room is reserved for it on {} (the reservation may have expired)", self.name);
        Err(self.refused(zone, vec![Blocker::new(BlockerKind::Host, reason)]))
    }

    /// Maintenance does not apply to a zone that was shut down here to leave, and did not start at its
    /// destination: its boot is permitted at that moment. None if maintenance is not held.
    pub(super) fn permit_boot(&self, zone: &ZoneName, uuid: Uuid) -> Result<Option<BootPermit>, HostError> {
        let Some(blocker) = self.lock_blocker()? else { return Ok(None) };
        let record = self.store.zone(uuid).map_err(|error| self.failed(error))?;
        if record.is_some_and(|record| matches!(record.place, Place::Leaving | Place::Migrating)) {
            return BootPermit::new(&self.paths, uuid).map(Some).map_err(|error| self.failed(error));
        }
        Err(self.refused(zone, vec![blocker]))
    }
}

/// Why the record of a zone that the platform does not have blocks an arrival, by its name or its configuration;
/// `kept` is the configuration kept of the zone that arrives.
fn in_the_way(record: &ZoneRecord, kept: Option<&str>, request: &CheckRequest) -> Option<Message> {
    let zone = &request.manifest.zone;
    let (same_name, same_zone) = (record.zone == zone.name, record.uuid == zone.uuid);
    if record.place.is_elsewhere() && same_name && !same_zone {
        let at = record.location.as_ref()?;
        return Some(format!("another zone called {} belongs there, and is away at {at}", zone.name).into());
    }
    match (same_name, same_zone) {
        _ if record.place != Place::Configured => None,
        (false, false) => None,
        (true, false) => Some(format!("another zone called {} is configured there", zone.name).into()),
        (false, true) => {
            Some(format!("zone {}, configured there, has the same UUID ({})", record.zone, zone.uuid).into())
        }
        // Its record was discarded while it was away; it comes home all the same.
        (true, true) if record.location.is_some() => None,
        (true, true) if request.overwrite || kept == Some(request.manifest.config.as_str()) => None,
        (true, true) => {
            let text = format!("a different configuration of {} exists there", zone.name);
            Some(Message::from(text).with_hint("use -w to replace it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Method;
    use crate::store::tests::sample;

    fn request(zone: &str, uuid: u128, overwrite: bool) -> CheckRequest {
        CheckRequest {
            manifest: sample::manifest_of(zone, uuid),
            method: Method::Cold,
            from: "h1".into(),
            home: None,
            overwrite,
            force: false,
            pending: PendingLoad::default(),
            disk: 0,
            mappings: vec![],
            owners: vec![],
        }
    }

    #[test]
    fn a_zone_takes_neither_the_name_nor_the_configuration_of_one_that_is_configured() {
        let record = |place| sample::record("web", 1, place);
        let config = sample::manifest("web").config;
        let changed = format!("{config} ");
        for (place, config, request, expected) in [
            (Place::Configured, &config, request("db", 2, false), None),
            (
                Place::Configured,
                &config,
                request("web", 2, true),
                Some("another zone called web is configured there"),
            ),
            (
                Place::Configured,
                &config,
                request("db", 1, true),
                Some("zone web, configured there, has the same UUID"),
            ),
            (Place::Configured, &config, request("web", 1, false), None),
            (Place::Configured, &changed, request("web", 1, true), None),
            (
                Place::Configured,
                &changed,
                request("web", 1, false),
                Some("a different configuration of web exists there"),
            ),
            (Place::Migrated, &config, request("web", 2, false), None),
        ] {
            let said = in_the_way(&record(place), Some(config), &request);
            assert_eq!(said.is_some(), expected.is_some(), "{said:?}");
            assert!(said.unwrap_or_default().text.starts_with(expected.unwrap_or_default()));
        }
    }

    #[test]
    fn a_zone_that_is_away_keeps_its_name() {
        let away = sample::record("web", 1, Place::Away);
        assert_eq!(in_the_way(&away, None, &request("web", 1, false)), None, "it comes home");
        assert_eq!(in_the_way(&away, None, &request("db", 2, false)), None);
        let said = in_the_way(&away, None, &request("web", 2, true)).unwrap();
        assert!(said.text.starts_with("another zone called web belongs there"), "{said}");
    }
}
