//! What a host knows of its zones, and what may be done with a zone accordingly. Pure.

use uuid::Uuid;

use super::AdminRefusal;
use crate::model::{Aux, Inventory, Manifest, Zone, ZoneName, ZoneState};
use crate::store::{Place, ZoneRecord};

/// Everything that a host knows of its zones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownZones {
    /// The zones that its platform has.
    pub inventory: Inventory,
    /// The records of zones.
    pub zones: Vec<ZoneRecord>,
}

impl KnownZones {
    /// The zone with that name that is configured here.
    pub fn configured(&self, name: &ZoneName) -> Option<&ZoneRecord> {
        self.all_configured().find(|record| record.zone == *name)
    }

    /// The zones that are only configured here.
    pub fn all_configured(&self) -> impl Iterator<Item = &ZoneRecord> {
        self.zones.iter().filter(|record| record.is_configured() && !self.inventory.has(record.uuid))
    }

    /// The zone with that name that is on another host.
    pub fn away(&self, name: &ZoneName) -> Option<&ZoneRecord> {
        self.zones.iter().find(|record| record.place.is_elsewhere() && record.zone == *name)
    }

    /// Where a zone with that name or UUID is, if it is not here.
    fn elsewhere(&self, name: &ZoneName, uuid: Option<Uuid>) -> Option<AdminRefusal> {
        let is_it = |record: &&ZoneRecord| record.zone == *name || Some(record.uuid) == uuid;
        let record = self.zones.iter().filter(|record| record.place.is_elsewhere()).find(is_it)?;
        let (zone, location) = (record.zone.clone(), record.location.clone()?);
        Some(match record.place {
            Place::Away => AdminRefusal::Away(zone, location),
            _ => AdminRefusal::Unsettled(zone, location),
        })
    }

    /// The error for a name that is not known here.
    fn unknown(&self, name: &ZoneName) -> AdminRefusal {
        match self.inventory.called(name) {
            Some(unmanaged_guest) => AdminRefusal::Unhandled(unmanaged_guest.clone()),
            None => AdminRefusal::NoSuchZone(name.clone()),
        }
    }

    /// The zone with that name, if it may be detached.
    pub fn may_detach(&self, name: &ZoneName) -> Result<&Zone, AdminRefusal> {
        if let Some(refusal) = self.elsewhere(name, None) {
            return Err(refusal);
        }
        let detached = |state| AdminRefusal::State(name.clone(), state, ZoneState::Installed, "detached");
        let Some(zone) = self.inventory.find(name) else {
            return Err(match self.configured(name) {
                Some(_) => detached(ZoneState::Configured),
                None => self.unknown(name),
            });
        };
        // There may be no other copy of the other zone's configuration.
        let is_other = |record: &&ZoneRecord| record.uuid != zone.uuid && record.place == Place::Configured;
        let beside = self.configured(name).filter(is_other);
        if let Some(row) = beside {
            return Err(AdminRefusal::NameTaken(name.clone(), row.uuid));
        }
        if self.zones.iter().any(|record| record.place.is_stop() && record.zone == *name) {
            return Err(AdminRefusal::StoppedHere(name.clone()));
        }
        match (zone.state, zone.aux) {
            _ if zone.is_running() => Err(AdminRefusal::Runs(name.clone())),
            (_, Some(Aux::Suspended)) => Err(AdminRefusal::Suspended(name.clone())),
            (ZoneState::Installed, _) => Ok(zone),
            (state, _) => Err(detached(state)),
        }
    }

    /// The zone with that name, if it may be attached as far as this host knows. If it was migrated, its new host
    /// is asked later.
    pub fn may_attach(&self, name: &ZoneName) -> Result<&ZoneRecord, AdminRefusal> {
        let row = self.wanted(name, "attached")?;
        if let Some(refusal) = self.elsewhere(name, Some(row.uuid)) {
            return Err(refusal);
        }
        Ok(row)
    }

    /// Why the zone with that name, which the platform does not have, cannot be migrated.
    pub fn why_absent(&self, name: &ZoneName) -> AdminRefusal {
        match (self.elsewhere(name, None), self.configured(name)) {
            (Some(refusal), _) => refusal,
            (None, Some(ZoneRecord { place: Place::Migrated, location: Some(host), .. })) => {
                AdminRefusal::MovedTo(name.clone(), host.clone())
            }
            (None, Some(_)) => AdminRefusal::NotAttached(name.clone()),
            (None, None) => self.unknown(name),
        }
    }

    /// The zone with that name, if it may be deleted.
    pub fn may_delete(&self, name: &ZoneName) -> Result<&ZoneRecord, AdminRefusal> {
        self.wanted(name, "deleted")
    }

    fn wanted(&self, name: &ZoneName, done: &'static str) -> Result<&ZoneRecord, AdminRefusal> {
        if let Some(row) = self.configured(name) {
            return Ok(row);
        }
        Err(match (self.inventory.find(name), self.elsewhere(name, None)) {
            (_, Some(refusal)) => refusal,
            (Some(zone), None) => AdminRefusal::State(name.clone(), zone.state, ZoneState::Configured, done),
            (None, None) => self.unknown(name),
        })
    }

    /// Whether that zone may be configured here besides all others.
    pub fn may_create(&self, manifest: &Manifest) -> Result<(), AdminRefusal> {
        let (name, uuid) = (&manifest.zone.name, manifest.zone.uuid);
        if let Some(refusal) = self.elsewhere(name, Some(uuid)) {
            return Err(refusal);
        }
        let here = self.inventory.zones.iter().map(|zone| (&zone.name, zone.uuid, zone.state));
        // The same zone may come back from where it was migrated to.
        let left = |record: &&ZoneRecord| record.place == Place::Migrated && record.uuid == uuid;
        let configured = self.all_configured().filter(|record| !left(record));
        let configured = configured.map(|row| (&row.zone, row.uuid, ZoneState::Configured));
        for (other, other_uuid, state) in here.chain(configured) {
            if other == name {
                return Err(AdminRefusal::Name(name.clone(), state));
            }
            if other_uuid == uuid {
                return Err(AdminRefusal::Identity(name.clone(), other.clone(), uuid));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::UnmanagedGuest;
    use crate::store::tests::sample;

    fn host() -> KnownZones {
        let zone = |number: u128, name: &str, state, aux| {
            let uuid = Uuid::from_u128(number);
            Zone { uuid, state, aux, ..sample::zone(name) }
        };
        let zones = vec![
            zone(101, "runs", ZoneState::Running, None),
            zone(102, "paused", ZoneState::Running, Some(Aux::Paused)),
            zone(103, "ending", ZoneState::ShuttingDown, None),
            zone(104, "ready", ZoneState::Installed, None),
            zone(105, "asleep", ZoneState::Installed, Some(Aux::Suspended)),
            zone(106, "half", ZoneState::Incomplete, None),
            zone(107, "rests", ZoneState::Installed, None),
            zone(108, "leaves", ZoneState::Installed, None),
        ];
        let (name, reason) = ("twin".to_owned(), "twice".to_owned());
        let twin = UnmanagedGuest { name, uuid: None, reason, hint: None, running: false };
        let recorded = vec![
            sample::record("loose", 111, Place::Configured),
            sample::record("moved", 112, Place::Migrated),
            sample::record("leaves", 108, Place::Leaving),
            sample::record("gone", 121, Place::Away),
            sample::record("rests", 107, Place::Stopped),
        ];
        KnownZones { inventory: Inventory { zones, unmanaged: vec![twin] }, zones: recorded }
    }

    /// The answer for each zone.
    fn told<T>(ask: impl Fn(&KnownZones, &ZoneName) -> Result<T, AdminRefusal>) -> Vec<String> {
        let known = host();
        let names = known.inventory.zones.iter().map(|zone| zone.name.clone());
        let others = ["loose", "moved", "gone", "twin", "nobody"].map(sample::name);
        let told = |name: ZoneName| match ask(&known, &name) {
            Ok(_) => format!("{name} may"),
            Err(refusal) => refusal.to_string().split(';').next().unwrap().to_owned(),
        };
        names.chain(others).map(told).collect()
    }

    #[test]
    fn only_a_zone_that_is_here_whole_and_does_nothing_is_detached() {
        assert_eq!(
            told(|known, name| known.may_detach(name).cloned()),
            [
                "zone 'runs' is running",
                "zone 'paused' is running",
                "zone 'ending' is running",
                "ready may",
                "zone 'asleep' is suspended",
                "zone 'half' is incomplete, and only installed zones can be detached",
                "zone 'rests' was stopped by an evacuation, and is booted on return",
                "zone 'leaves': its move to ssh://root@h2 was interrupted",
                "zone 'loose' is configured, and only installed zones can be detached",
                "zone 'moved' is configured, and only installed zones can be detached",
                "zone 'gone' is away at ssh://root@h2",
                "twin does not run and cannot be handled: twice",
                "no such zone: nobody",
            ]
        );
    }

    #[test]
    fn a_zone_is_not_detached_where_another_one_of_its_name_is_configured() {
        let mut known = host();
        let beside = |place| sample::record("ready", 113, place);
        known.zones.push(beside(Place::Migrated));
        assert!(known.may_detach(&sample::name("ready")).is_ok(), "that one lives elsewhere");
        known.zones.pop();
        known.zones.push(beside(Place::Configured));
        let told = known.may_detach(&sample::name("ready")).unwrap_err().to_string();
        assert!(told.starts_with("zone 'ready': another zone of this name is configured here"), "{told}");
    }

    #[test]
    fn only_a_configured_zone_that_is_nowhere_else_is_attached() {
        assert_eq!(
            told(|known, name| known.may_attach(name).cloned()),
            [
                "zone 'runs' is running, and only configured zones can be attached",
                "zone 'paused' is running, and only configured zones can be attached",
                "zone 'ending' is shutting_down, and only configured zones can be attached",
                "zone 'ready' is installed, and only configured zones can be attached",
                "zone 'asleep' is installed, and only configured zones can be attached",
                "zone 'half' is incomplete, and only configured zones can be attached",
                "zone 'rests' is installed, and only configured zones can be attached",
                "zone 'leaves': its move to ssh://root@h2 was interrupted",
                "loose may",
                "moved may",
                "zone 'gone' is away at ssh://root@h2",
                "twin does not run and cannot be handled: twice",
                "no such zone: nobody",
            ]
        );
        // An interruption has left its record, and it was evacuated since under another name.
        let mut known = host();
        known.zones.push(sample::record("other", 111, Place::Away));
        assert!(matches!(known.may_attach(&sample::name("loose")), Err(AdminRefusal::Away(..))));
    }

    #[test]
    fn of_a_zone_that_the_platform_does_not_have_it_is_told_where_it_is() {
        let known = host();
        let told = ["leaves", "gone", "moved", "loose", "nobody"].map(sample::name);
        assert_eq!(
            told.map(|name| known.why_absent(&name).to_string()),
            [
                "zone 'leaves': its move to ssh://root@h2 was interrupted",
                "zone 'gone' is away at ssh://root@h2",
                "zone 'moved' was migrated to rads://h3:12303, and is attached there",
                "zone 'loose' is configured, and not attached",
                "no such zone: nobody",
            ]
        );
    }

    #[test]
    fn only_a_configured_zone_is_deleted_also_one_that_was_migrated() {
        let told = told(|known, name| known.may_delete(name).cloned());
        let may: Vec<_> = told.iter().filter(|line| line.ends_with(" may")).collect();
        assert_eq!(may, ["loose may", "moved may"]);
        assert_eq!(told[3], "zone 'ready' is installed, and only configured zones can be deleted");
    }

    #[test]
    fn a_zone_is_created_beside_others_but_not_over_them() {
        let create = |name: &str, uuid| {
            let manifest = sample::manifest_of(name, uuid);
            host().may_create(&manifest).map_err(|refusal| refusal.to_string())
        };
        assert_eq!(create("fresh", 1), Ok(()));
        assert_eq!(create("moved", 112), Ok(()), "it comes back");
        assert_eq!(create("other", 112), Ok(()));
        for (name, uuid, expected) in [
            ("runs", 1, "a zone of this name is running on this host"),
            ("loose", 1, "a zone of this name is configured on this host"),
            ("loose", 111, "a zone of this name is configured on this host"),
            ("moved", 1, "a zone of this name is configured on this host"),
            ("fresh", 104, "zone 'ready' on this host has the same UUID"),
            ("fresh", 111, "zone 'loose' on this host has the same UUID"),
            ("gone", 1, "zone 'gone' is away at ssh://root@h2"),
            ("fresh", 121, "is away at ssh://root@h2"),
        ] {
            let told = create(name, uuid).unwrap_err();
            assert!(told.contains(expected), "{name} {uuid}: {told}");
        }
    }
}
