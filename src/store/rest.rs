//! The zones that were stopped or suspended here, and are booted again on return. A record is written before a
//! zone is asked to stop, and kept until it runs again or its record is discarded.

use uuid::Uuid;

use super::place::Place;
use super::zones::{Configuration, ZoneRecord, find, save, select};
use super::{Store, StoreError};
use crate::model::{Brand, Millis, ZoneName, words};

words! {
    /// How a zone was stopped.
    RestWay, "way of resting" {
        /// It was shut down in order.
        Stop = "stop",
        /// Its memory was saved.
        Suspend = "suspend",
    }
}

words! {
    /// How certain it is that the zone rests.
    RestPhase, "phase of a rest" {
        /// It is being stopped or saved, or that was interrupted.
        Stopping = "stopping",
        /// It does not run.
        Resting = "resting",
    }
}

/// One zone that rests here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// Its name.
    pub zone: ZoneName,
    /// Its identity.
    pub uuid: Uuid,
    /// Its brand.
    pub brand: Brand,
    /// How it was put to rest.
    pub way: RestWay,
    /// How certain it is.
    pub phase: RestPhase,
    /// When that was begun.
    pub started: Millis,
    /// Since when it rests.
    pub ended: Option<Millis>,
}

impl ZoneRecord {
    /// The record of a zone that was stopped here; none if it was not.
    pub fn rest(self) -> Option<Rest> {
        let (way, phase) = match self.place {
            Place::Stopping => (RestWay::Stop, RestPhase::Stopping),
            Place::Stopped => (RestWay::Stop, RestPhase::Resting),
            Place::Suspending => (RestWay::Suspend, RestPhase::Stopping),
            Place::Suspended => (RestWay::Suspend, RestPhase::Resting),
            Place::Here
            | Place::Leaving
            | Place::Migrating
            | Place::Away
            | Place::Returning
            | Place::Relocating
            | Place::Configured
            | Place::Migrated => return None,
        };
        let Self { zone, uuid, brand, since: started, ended, .. } = self;
        Some(Rest { zone, uuid, brand, way, phase, started, ended })
    }
}

impl Rest {
    /// Where it is by this record.
    const fn place(&self) -> Place {
        match (self.way, self.phase) {
            (RestWay::Stop, RestPhase::Stopping) => Place::Stopping,
            (RestWay::Stop, RestPhase::Resting) => Place::Stopped,
            (RestWay::Suspend, RestPhase::Stopping) => Place::Suspending,
            (RestWay::Suspend, RestPhase::Resting) => Place::Suspended,
        }
    }

    /// The whole record, with what is `known` of the zone beside this.
    pub(crate) fn record(&self, known: Option<ZoneRecord>, position: i64) -> ZoneRecord {
        let known = known.unwrap_or_else(|| ZoneRecord::new(&self.zone, self.uuid, self.brand));
        ZoneRecord {
            zone: self.zone.clone(),
            brand: self.brand,
            place: self.place(),
            position: Some(position),
            since: self.started,
            ended: self.ended,
            ..known.here()
        }
    }
}

impl Store {
    /// Records a zone that is about to be put to rest, after all others.
    pub fn begin_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.write("record a zone that is put to rest", |transaction| {
            let last = "SELECT ifnull(max(position), 0) FROM zone";
            let last: i64 = transaction.query_row(last, [], |row| row.get(0))?;
            let record = rest.record(find(transaction, rest.uuid)?, last + 1);
            save(transaction, &record, &Configuration::Drop)
        })
    }

    /// Changes what is known of a zone's rest.
    pub fn update_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.write("record a zone that rests", |transaction| {
            let known = find(transaction, rest.uuid)?.filter(|known| known.place.is_stop());
            let Some(known) = known else { return Ok(()) };
            let record = ZoneRecord { place: rest.place(), ended: rest.ended, ..known };
            save(transaction, &record, &Configuration::Drop)
        })
    }

    /// All zones that rest here, in the order in which they were put to rest.
    pub fn rests(&self) -> Result<Vec<Rest>, StoreError> {
        self.read("read the zones that rest", |connection| {
            let which = "WHERE place IN ('stopping', 'stopped', 'suspending', 'suspended') ORDER BY position";
            Ok(select(connection, which)?.into_iter().filter_map(ZoneRecord::rest).collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{fresh, sample};

    #[test]
    fn they_are_kept_in_the_order_in_which_they_were_put_to_rest() {
        let (_folder, store) = fresh();
        let order = |store: &Store| {
            store.rests().unwrap().into_iter().map(|rest| rest.zone.to_string()).collect::<Vec<_>>()
        };
        let with = |zone: &str, uuid, way, phase| sample::rest_with(zone, uuid, way, phase);
        for (zone, uuid) in [("web", 1), ("app", 2), ("db", 3)] {
            store.begin_rest(&with(zone, uuid, RestWay::Stop, RestPhase::Stopping)).unwrap();
        }
        let app = with("app", 2, RestWay::Stop, RestPhase::Resting);
        store.update_rest(&app).unwrap();
        assert_eq!(order(&store), ["web", "app", "db"]);
        assert_eq!(store.rests().unwrap()[1], app);
        // It runs on, and is suspended later.
        assert!(store.zone_is_here(uuid::Uuid::from_u128(1)).unwrap());
        store.begin_rest(&with("web", 1, RestWay::Suspend, RestPhase::Stopping)).unwrap();
        assert_eq!(order(&store), ["app", "db", "web"]);
        assert!(store.zone_is_here(app.uuid).unwrap() && !store.zone_is_here(app.uuid).unwrap());
        store.update_rest(&app).unwrap();
        assert_eq!(order(&store), ["db", "web"]);
    }
}
