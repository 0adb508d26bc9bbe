//! Zones of other hosts that are here: whose they are, and which hosts may fetch them.

use std::collections::HashSet;

use uuid::Uuid;

use super::zone_record::ZoneRecord;
use super::zones::{Configuration, find, save, select};
use super::{Store, StoreError};
use crate::model::{Home, Zone};

impl Store {
    /// Records to which other host a zone belongs that is here or will arrive.
    pub fn set_home(&self, zone: &Zone, home: &Home) -> Result<(), StoreError> {
        self.write("record whose zone it is", |transaction| {
            let known = find(transaction, zone.uuid)?;
            let record = known.unwrap_or_else(|| ZoneRecord::of(zone));
            save(transaction, &ZoneRecord { home: Some(home.clone()), ..record }, &Configuration::Keep)
        })
    }

    /// Records that a zone does not belong to another host, or does not arrive. Returns whether it did.
    pub fn remove_home(&self, uuid: Uuid) -> Result<bool, StoreError> {
        self.write("record that a zone belongs to no other host", |transaction| {
            let Some(record) = find(transaction, uuid)?.filter(|record| record.home.is_some()) else {
                return Ok(false);
            };
            save(transaction, &ZoneRecord { home: None, ..record }, &Configuration::Keep)?;
            Ok(true)
        })
    }

    /// Records which hosts bring a zone, or have it brought, and so may fetch it. `is_here`: in addition to those
    /// that are known. Deletes such records of zones that no longer exist; those in `present` are on the
    /// platform.
    pub fn bring(
        &self,
        zone: &Zone,
        hosts: &[String],
        is_here: bool,
        present: &HashSet<Uuid>,
    ) -> Result<(), StoreError> {
        self.write("record who brings a zone", |transaction| {
            let traceless =
                "WHERE place = 'here' AND uuid NOT IN (SELECT uuid FROM reservation) ORDER BY name";
            for record in select(transaction, traceless)? {
                if !present.contains(&record.uuid) && record.uuid != zone.uuid {
                    let record = ZoneRecord { owners: Vec::new(), ..record };
                    save(transaction, &record, &Configuration::Keep)?;
                }
            }
            let known = find(transaction, zone.uuid)?;
            let mut record = known.unwrap_or_else(|| ZoneRecord::of(zone));
            if !is_here {
                record.owners.clear();
            }
            record.owners.extend_from_slice(hosts);
            record.owners.sort();
            record.owners.dedup();
            save(transaction, &record, &Configuration::Keep)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;
    use crate::store::Place;
    use crate::store::tests::{fresh, sample};

    fn hosts(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn zone(uuid: u128) -> Zone {
        Zone { uuid: Uuid::from_u128(uuid), ..sample::manifest(&format!("z{uuid}")).zone }
    }

    fn owners(store: &Store, uuid: u128) -> Vec<String> {
        store.zone(Uuid::from_u128(uuid)).unwrap().map(|record| record.owners).unwrap_or_default()
    }

    #[test]
    fn a_zone_that_comes_anew_is_of_those_that_bring_it_now() {
        let (_folder, store) = fresh();
        let (none, here) = (HashSet::new(), HashSet::from([zone(1).uuid]));
        store.bring(&zone(1), &hosts(&["h1", "h3"]), false, &none).unwrap();
        store.bring(&zone(1), &hosts(&["h4"]), true, &here).unwrap();
        assert_eq!(owners(&store, 1), ["h1", "h3", "h4"]);
        store.bring(&zone(1), &hosts(&["h5"]), false, &none).unwrap();
        assert_eq!(owners(&store, 1), ["h5"]);
    }

    #[test]
    fn who_has_brought_a_zone_is_forgotten_with_its_last_trace() {
        let (_folder, store) = fresh();
        let all: HashSet<_> = [1, 7, 22, 4].map(|uuid| zone(uuid).uuid).into();
        for uuid in [1, 7, 22, 4] {
            store.bring(&zone(uuid), &hosts(&["h1"]), false, &all).unwrap();
        }
        sample::begin(&store, &sample::evacuated("web"), &sample::manifest("web"));
        let ready = sample::record("ready", 22, Place::Configured);
        store.configure(&ready, &sample::manifest_of("ready", 22)).unwrap();
        let reservation = sample::reservation("guest", 99);
        store.reserve(&reservation, Millis(0), |_| Ok::<_, ()>(())).unwrap().unwrap();
        store.bring(&zone(9), &hosts(&["h1"]), false, &[zone(1).uuid, zone(4).uuid].into()).unwrap();
        store.bring(&zone(5), &hosts(&["h1"]), false, &[zone(1).uuid].into()).unwrap();
        assert_eq!([1, 7, 22, 4, 9].map(|uuid| owners(&store, uuid).len()), [1, 1, 1, 0, 1]);
        assert_eq!(store.zone(zone(4).uuid).unwrap(), None);
    }
}
