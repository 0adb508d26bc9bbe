//! The zones that were stopped or suspended here, and are booted again on return. A row is there before a zone is
//! asked to end, and until it runs again or is given up.

use rusqlite::{Row, params};
use uuid::Uuid;

use super::{Store, StoreError, parsed};
use crate::model::{Brand, Millis, ZoneName, words};

words! {
    /// How a zone was put to rest.
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

impl Rest {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            zone: parsed(row, "zone")?,
            uuid: parsed(row, "uuid")?,
            brand: parsed(row, "brand")?,
            way: parsed(row, "way")?,
            phase: parsed(row, "phase")?,
            started: Millis(row.get("started_ms")?),
            ended: row.get::<_, Option<i64>>("ended_ms")?.map(Millis),
        })
    }
}

impl Store {
    /// Records a zone that is about to be put to rest, after all others. Replaces what was there of it.
    pub fn begin_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.write("record a zone that is put to rest", |transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO rest (zone, uuid, brand, way, phase, started_ms) VALUES (?1,?2,?3,?4,?5,?6)",
                params![
                    rest.zone.as_str(),
                    rest.uuid.to_string(),
                    rest.brand.as_str(),
                    rest.way.as_str(),
                    rest.phase.as_str(),
                    rest.started.0,
                ],
            )?;
            Ok(())
        })
    }

    /// Changes what is known of a zone's rest.
    pub fn update_rest(&self, rest: &Rest) -> Result<(), StoreError> {
        self.write("record a zone that rests", |transaction| {
            transaction.execute(
                "UPDATE rest SET way = ?2, phase = ?3, ended_ms = ?4 WHERE zone = ?1",
                params![
                    rest.zone.as_str(),
                    rest.way.as_str(),
                    rest.phase.as_str(),
                    rest.ended.map(|time| time.0),
                ],
            )?;
            Ok(())
        })
    }

    /// Takes a row away: the zone runs again, never ended, or was given up. Whether there was one.
    pub fn remove_rest(&self, zone: &ZoneName) -> Result<bool, StoreError> {
        self.write("remove a zone from those that rest", |transaction| {
            Ok(transaction.execute("DELETE FROM rest WHERE zone = ?1", [zone.as_str()])? > 0)
        })
    }

    /// All zones that rest here, in the order in which they were put to rest.
    pub fn rests(&self) -> Result<Vec<Rest>, StoreError> {
        self.read("read the zones that rest", |connection| {
            connection
                .prepare_cached("SELECT * FROM rest ORDER BY position")?
                .query_map([], Rest::read)?
                .collect()
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
        for zone in ["web", "app", "db"] {
            store.begin_rest(&sample::rest(zone, RestWay::Stop, RestPhase::Stopping)).unwrap();
        }
        let app = sample::rest("app", RestWay::Stop, RestPhase::Resting);
        store.update_rest(&app).unwrap();
        assert_eq!(order(&store), ["web", "app", "db"]);
        assert_eq!(store.rests().unwrap()[1], app);
        store.begin_rest(&sample::rest("web", RestWay::Suspend, RestPhase::Stopping)).unwrap();
        assert_eq!(order(&store), ["app", "db", "web"]);
        assert!(store.remove_rest(&app.zone).unwrap() && !store.remove_rest(&app.zone).unwrap());
    }
}
